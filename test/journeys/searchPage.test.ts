/** The search page without scripts: what is found is text whatever it holds, older calls follow, and what is wrong is pointed at. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser, type Visited } from "../standins/browser.ts";
import { all, textOf } from "../standins/markup.ts";
import { send } from "../standins/send.ts";
import { auditorToken, startWorld, type World } from "../standins/world.ts";
import { eventually, home, signInWithToken } from "./people/scene.ts";

const viewerToken = "viewer-token-of-the-tests-0123456789";
const attack = `needle"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202egnp.exe \u001b[2Jneedle`;
const many = 60;

let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld(
    ({ url }) => ({ status: 200, body: url.includes("4212") ? JSON.stringify({ attack }) : '{"name":"plenty"}' }),
    {
      tokens: `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: looker, role: viewer, token: ${viewerToken} }]`,
    },
  );
  const { access_token } = await world.openSession({ repository: 'acme/"><b>app' });
  const get = (target: string) => send(world.url, { method: "GET", target, headers: [["DD-API-KEY", access_token]] });
  await get("/api/v1/monitor/4212");
  for (let n = 0; n < many; n++) await get(`/api/v1/monitor/${n + 1}`);
  browser = new Browser({ hosts: { [home]: world.url } });
  await signInWithToken(browser, auditorToken);
  await eventually(async () => ((await count("plenty")) === 50 && (await count("needle")) === 1 ? true : null));
});
afterAll(() => world.close());

const open = (q: string): Promise<Visited> => browser.open(`${home}/search?q=${encodeURIComponent(q)}`);
const hitsOf = ({ html }: Visited) => all(html, "li").filter(({ attributes }) => attributes.get("class") === "hit");
const count = async (q: string): Promise<number> => hitsOf(await open(q)).length;
const statusOf = ({ html }: Visited): string =>
  all(html, "p")
    .filter(({ attributes }) => attributes.get("role") === "status")
    .map(textOf)
    .join();

test("a search that nobody has asked yet is a form, and looks at nothing", async () => {
  const viewsOf = async () => (await world.audit()).filter(({ what }) => what.startsWith("a search"));
  const before = await viewsOf();
  const page = await browser.open(`${home}/search`);
  expect([page.status, hitsOf(page).length]).toEqual([200, 0]);
  const [form] = all(page.html, "form").filter(({ attributes }) => attributes.get("role") === "search");
  expect(form?.attributes.get("action")).toBe("/search");
  expect(all(form as never, "input").map(({ attributes }) => attributes.get("name"))).toEqual(["q"]);
  expect(await viewsOf()).toEqual(before);
});

test("what was found is marked, and is text whatever it holds", async () => {
  for (const q of ["needle", "onerror", "<script>alert(1)</script>", "repo:*app* needle"]) {
    const page = await open(q);
    const [hit] = hitsOf(page);
    expect(hit, q).toBeDefined();
    expect(page.text.match(/<script/g)).toHaveLength(1);
    expect(page.text).not.toMatch(/<img|<b>|onerror='alert|[\u202a-\u202e\u001b]/);
  }
  const [hit] = hitsOf(await open("needle"));
  expect(all(hit as never, "mark").map(textOf)).toEqual(["needle", "needle"]);
  const [found] = hitsOf(await open('"<script>alert(1)</script>"'));
  expect(all(found as never, "mark").map(textOf)).toEqual(["<script>alert(1)</script>"]);
});

test("older calls follow, none twice, and the last page says that it is the last", async () => {
  const first = await open("plenty");
  expect([hitsOf(first).length, statusOf(first)]).toEqual([50, "50 calls, newest first; there may be more."]);
  // Where there was no time to look through everything, a page is short and there is another.
  const pages = [first];
  for (let last = first; /may be more|no time/.test(statusOf(last)); pages.push(last))
    last = await browser.follow(last, /^(More|Look further back)$/);
  expect(statusOf(pages.at(-1) ?? first)).toMatch(/^(\d+ older calls|No older call is found)\.$/);
  const names = pages.flatMap((page) => hitsOf(page).map((hit) => all(hit, "a")[0]?.attributes.get("href")));
  expect(names).toHaveLength(many);
  expect(new Set(names).size).toBe(many);
  expect(statusOf(await open("nothinglikeit"))).toMatch(/^No call is found/);
});

describe("what cannot be understood", () => {
  test.each([
    ["a field that there is not", "plain statsu:404", "s", "Column 7: there is no field 'statsu'"],
    ["the end", "one OR", " ", "Column 7: OR stands between two things"],
    ["markup", '"><script>alert(1)</script>', '"', "Column 1: these quotes are never closed"],
    ["a value, behind what turns writing around", "\u202ex status:abc", "a", "Column 11: 'abc' is not understood here"],
    ["what is too long", "x".repeat(5_000), "x", "Column 2001: a search has at most 2000 characters"],
  ])("%s is pointed at, under the box that keeps it", async (_, q, at, message) => {
    const page = await open(q);
    expect(page.status).toBe(200);
    const [wrong] = all(page.html, "div").filter(({ attributes }) => attributes.get("role") === "alert");
    expect(all(wrong as never, "mark").map(textOf)).toEqual([at]);
    expect(textOf(wrong as never)).toContain(message);
    const [input] = all(page.html, "input").filter(({ attributes }) => attributes.get("id") === "q");
    expect(input?.attributes.get("aria-describedby")).toBe(wrong?.attributes.get("id"));
    expect(input?.attributes.get("value")).toBe(q.replace("\u202e", String.raw`\u{202e}`));
    expect(page.text).not.toMatch(/<script>|\u202e/);
    expect(hitsOf(page)).toEqual([]);
  });

  test.each([
    ["two searches", "q=a&q=b"],
    ["no cursor", "q=a&cursor="],
    ["ten thousand letters", `q=${"x".repeat(10_001)}`],
  ])("an address that no form of ours makes is not there: %s", async (_, query) => {
    expect((await browser.open(`${home}/search?${query}`)).status).toBe(404);
  });

  test("a cursor of somebody's making is refused", async () => {
    expect((await browser.open(`${home}/search?q=x&cursor=AAAA`)).status).toBe(400);
  });
});

test("a filter is a link that says what it adds, and one more click takes it out", async () => {
  const page = await browser.follow(await open("plenty OR needle"), /^read$/);
  expect(page.url).toBe(`${home}/search?q=${encodeURIComponent("(plenty OR needle) access:read")}`);
  expect(hitsOf(page)).toHaveLength(50);
  expect(hitsOf(await browser.follow(page, /^destructive$/))).toHaveLength(0);
  expect((await browser.follow(page, /^read$/)).url).toBe(
    `${home}/search?q=${encodeURIComponent("(plenty OR needle)")}`,
  );
});

test("whoever finds nothing whatever they ask is told why, and what works", async () => {
  const viewer = new Browser({ hosts: { [home]: world.url } });
  await signInWithToken(viewer, viewerToken);
  for (const path of ["/search", "/search?q=needle", "/search?q=statsu:1"]) {
    const page = await viewer.open(home + path);
    expect(page.status).toBe(403);
    expect(textOf(page.html)).toContain("An access token of role viewer has no repositories");
    expect(textOf(page.html)).toContain("Roles auditor and admin find everything");
    expect(page.text).not.toMatch(/needle|statsu|acme|data-view/);
  }
  const stranger = await new Browser({ hosts: { [home]: world.url } }).open(`${home}/search?q=needle`);
  expect([stranger.status, all(stranger.html, "h1").map(textOf)]).toEqual([401, ["Sign in"]]);
});

test("a session is taken along in every format, and with its proof once it is sealed", async () => {
  const { session_id, access_token } = await world.openSession();
  const open = await browser.open(`${home}/sessions/${session_id}`);
  for (const format of ["har", "jsonl", "curl"])
    expect(open.text).toContain(`/v1/sessions/${session_id}/export?format=${format}`);
  expect(open.text).not.toContain("/v1/proof");
  await fetch(`${world.url}/v1/sessions/${session_id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${access_token}` },
  });
  await eventually(async () => ((await world.session(session_id)).seal === null ? null : true));
  expect((await browser.open(`${home}/sessions/${session_id}`)).text).toContain(`/v1/proof?session=${session_id}`);
});
