/** Replaying and undoing on the pages, without scripts: who may not, whose form counts, what hostile recordings look like, and the way through. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Repository } from "../../../server/demo/github/state.ts";
import type { Browser, Visited } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import { aDashboard, aMonitor } from "../undo/scene.ts";
import { addShop, type Errands, put, shopJob, startErrands } from "./errandScene.ts";
import { eventually, home, type PeopleScene, signInWithToken, startPeople, viewerToken } from "./scene.ts";

const hostile = `"><script>globalThis.hacked=1</script><img src=x onerror="alert(1)">\u202egnp.exe\u200b`;
const hidden = /[\u202a-\u202e\u2066-\u2069\u200b]/;

let errands: Errands;
let scene: PeopleScene;
let shop: Repository;
let session: string;
let monitor: string;
beforeAll(async () => {
  errands = await startErrands();
  scene = await startPeople({
    connections: errands.connections,
    rules: `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: jobs, effect: allow, when: 'caller.issuer_name == "github"' }
    - { name: people-undo, effect: approve, when: 'caller.issuer_name == "dogwatch:people" && operation.access != "read"', approvers: { permission: write } }`,
  });
  shop = addShop(scene, ["octocat", "hubot"]);
  monitor = (await put(errands.datadog, "/api/v1/monitor", { ...aMonitor, name: hostile })).id;
  session = await shopJob(scene, shop, [
    ["GET", "/api/v1/monitor"],
    ["GET", `/api/v1/monitor/${monitor}`],
    ["PUT", `/api/v1/monitor/${monitor}`, { name: "Renamed" }],
    ["POST", "/api/v1/dashboard", { ...aDashboard, title: hostile }],
  ]);
});
afterAll(async () => {
  await scene?.close();
  await errands?.close();
});

const replays = (): string => `${home}/sessions/${session}/replays`;
const undo = (): string => `${home}/sessions/${session}/undo`;
const formsOf = (page: Visited): readonly string[] =>
  all(page.html, "form")
    .map((form) => form.attributes.get("action") ?? "")
    .filter((action) => action !== "/sign-out");
const formOf = async (browser: Browser): Promise<string> =>
  all((await browser.open(`${home}/sessions`)).html, "input")
    .find(({ attributes }) => attributes.get("name") === "form")
    ?.attributes.get("value") ?? "";
const asAuditor = async (): Promise<Browser> => {
  const browser = scene.browser();
  await signInWithToken(browser, auditorToken);
  return browser;
};
const startAs = async (browser: Browser, filled: Readonly<Record<string, string>> = {}): Promise<string> => {
  const page = await browser.submit(await browser.open(replays()), /Replay this session/, {
    connection: "lab",
    ...filled,
  });
  return page.url;
};
const endOf = (browser: Browser, url: string): Promise<Visited> =>
  eventually(async () => {
    const page = await browser.open(url);
    return page.text.includes("It is running") ? null : page;
  });
const changes = async (): Promise<unknown> => [
  (await scene.scene.database.query("SELECT count(*) FROM replays"))[0],
  (await scene.scene.database.query("SELECT count(*) FROM sessions"))[0],
];

describe("who may not", () => {
  test("whoever may not see the session is told on every page what everybody is told of one that is not there", async () => {
    const octocat = await scene.as("octocat");
    const replay = await startAs(octocat);
    await endOf(octocat, replay);
    const stranger = await scene.as("stranger");
    const form = await formOf(stranger);
    const nothing = "0199c3a1-5f00-7000-8000-000000000001";
    const before = await changes();
    for (const [url, there] of [
      [replays(), session],
      [undo(), session],
      [replay, replay.slice(replay.lastIndexOf("/") + 1)],
    ] as const) {
      const [theirs, none] = [await stranger.open(url), await stranger.open(url.replace(there, nothing))];
      expect([theirs.status, none.status]).toEqual([404, 404]);
      expect(theirs.text.replaceAll(there, nothing)).toBe(none.text);
      expect(theirs.text).not.toMatch(/Renamed|monitor|octocat|acme/);
    }
    for (const url of [replays(), undo(), `${replay}/stop`, `${replay}/cleanup`]) {
      expect((await stranger.open(`${replay}/state`)).status).toBe(404);
      const sent = await stranger.post(url, new URLSearchParams({ form, connection: "lab", confirmed: "yes" }), url);
      expect([url, sent.status]).toEqual([url, 404]);
    }
    expect(await changes()).toEqual(before);
  });

  test("nobody who is not signed in is shown anything but how to", async () => {
    for (const url of [replays(), undo(), `${home}/replays/${session}`]) {
      const browser = scene.browser();
      expect((await browser.open(url)).status).toBe(401);
      expect((await browser.post(url, new URLSearchParams({ connection: "lab" }), url)).status).toBeGreaterThan(400);
    }
  });

  test("an auditor sees all of it, has no buttons, and is refused when sending the forms anyway", async () => {
    const octocat = await scene.as("octocat");
    const replay = await startAs(octocat);
    await endOf(octocat, replay);
    const auditor = await asAuditor();
    const form = await formOf(auditor);
    const before = await changes();
    for (const url of [replays(), undo(), replay]) {
      const page = await auditor.open(url);
      expect(page.status).toBe(200);
      expect(formsOf(page)).toEqual([]);
    }
    expect(textOf((await auditor.open(replays())).html)).toContain(
      "You cannot start one: tests (auditor) may start nothing",
    );
    for (const url of [replays(), undo(), `${replay}/stop`, `${replay}/cleanup`]) {
      const sent = await auditor.post(url, new URLSearchParams({ form, connection: "lab", confirmed: "yes" }), url);
      expect([url, sent.status]).toEqual([url, 403]);
      expect(textOf(sent.html)).toContain("may start nothing");
    }
    expect(await changes()).toEqual(before);
  });

  test("a viewer sees none of it, has no buttons, and is refused when sending the forms anyway", async () => {
    const octocat = await scene.as("octocat");
    const replay = await startAs(octocat);
    await endOf(octocat, replay);
    const viewer = scene.browser();
    await signInWithToken(viewer, viewerToken);
    const form = await formOf(viewer);
    const before = await changes();
    for (const url of [replays(), undo(), replay]) {
      const page = await viewer.open(url);
      expect(page.status).toBeGreaterThanOrEqual(403);
      expect(formsOf(page)).toEqual([]);
      expect(page.text).not.toMatch(/Renamed|monitor|octocat|acme/);
    }
    for (const url of [replays(), undo(), `${replay}/stop`, `${replay}/cleanup`]) {
      const sent = await viewer.post(url, new URLSearchParams({ form, connection: "lab", confirmed: "yes" }), url);
      expect([url, sent.status]).toEqual([url, 403]);
      expect(textOf(sent.html)).toContain("looker (viewer) may start nothing");
    }
    expect(await changes()).toEqual(before);
  });

  test("whoever may only read the repository sees the plan, and why they cannot do it", async () => {
    const reader = await scene.as("reader");
    const page = await reader.open(undo());
    expect(page.status).toBe(200);
    expect(formsOf(page)).toEqual([]);
    expect(textOf(page.html)).toContain("may not write to the repository");
    const form = await formOf(reader);
    const sent = await reader.post(undo(), new URLSearchParams({ form, confirmed: "yes" }), undo());
    expect(sent.status).toBe(403);
  });

  test("a form without the token of this very sign-in, or from another site, does nothing", async () => {
    const [octocat, hubot] = [await scene.as("octocat"), await scene.as("hubot")];
    const replay = await startAs(octocat);
    await endOf(octocat, replay);
    const form = await formOf(octocat);
    const before = await changes();
    for (const url of [replays(), undo(), `${replay}/stop`, `${replay}/cleanup`])
      for (const [token, from] of [
        [null, url],
        ["", url],
        [await formOf(hubot), url],
        [form, "https://evil.example/"],
        [form, null],
      ] as const) {
        const fields = new URLSearchParams({
          connection: "lab",
          confirmed: "yes",
          ...(token !== null && { form: token }),
        });
        const sent = await octocat.post(url, fields, from);
        expect([url, sent.status]).toEqual([url, 403]);
        expect(textOf(sent.html)).toContain("Nothing was done");
      }
    expect(await changes()).toEqual(before);
    expect(
      await scene.audited(/^request_refused POST \/sessions\/.*\/undo the form is not of this sign-in/),
    ).toMatchObject({
      who: expect.stringContaining("octocat"),
    });
  });

  test("nothing goes to a live connection, or to one that is not there, whatever the form says", async () => {
    const octocat = await scene.as("octocat");
    const form = await formOf(octocat);
    const before = await changes();
    for (const [connection, status] of [
      ["shop", 403],
      ["prod", 403],
      ["nowhere", 404],
    ] as const)
      expect((await octocat.post(replays(), new URLSearchParams({ form, connection }), replays())).status).toBe(status);
    expect(await changes()).toEqual(before);
    const offered = all((await octocat.open(replays())).html, "select").find(
      ({ attributes }) => attributes.get("name") === "connection",
    );
    expect(offered === undefined ? [] : all(offered, "option").map(textOf)).toEqual(["lab"]);
  });

  test("an undo that nobody confirmed is none", async () => {
    const octocat = await scene.as("octocat");
    const before = await changes();
    const sent = await octocat.post(undo(), new URLSearchParams({ form: await formOf(octocat) }), undo());
    expect(textOf(sent.html)).toContain("Nothing was done: the box");
    expect(await changes()).toEqual(before);
  });
});

test("hostile recordings are text in differences and plans", async () => {
  const octocat = await scene.as("octocat");
  const replay = await endOf(octocat, await startAs(octocat));
  const plan = await octocat.open(undo());
  for (const page of [replay, plan]) {
    expect(page.status).toBe(200);
    expect(all(page.html, "img")).toEqual([]);
    expect(all(page.html, "script").map(({ attributes }) => attributes.has("src"))).toEqual([true]);
    expect(page.text).not.toMatch(hidden);
    expect(textOf(page.html)).toContain(String.raw`\u{202e}gnp.exe\u{200b}`);
  }
  expect(textOf(replay.html)).toContain("not there");
});

test("a replay is started from the session's page, watched, listed and cleaned up after, without scripts", async () => {
  const octocat = await scene.as("octocat");
  const start = await octocat.follow(await octocat.open(`${home}/sessions/${session}`), /Replay it/);
  const dry = await octocat.submit(start, /Replay this session/, {
    connection: "lab",
    dry_run: "yes",
    pace: "recorded",
  });
  expect(textOf((await endOf(octocat, dry.url)).html)).toContain("This was a dry run: nothing was sent.");
  const started = await octocat.submit(start, /Replay this session/, { connection: "lab" });
  expect(started.url).toMatch(/\/replays\/[0-9a-f-]{36}$/);
  const page = await endOf(octocat, started.url);
  expect(textOf(page.html)).toContain("1 answer differs");
  const different = await octocat.follow(page, /^different 1$/);
  expect(textOf(different.html)).toContain("body[0]");
  expect(textOf(different.html)).not.toContain("CreateDashboard");
  const recorded = await octocat.follow(different, /^1 as it was recorded/);
  expect(recorded.url).toBe(`${home}/sessions/${session}/calls/1`);
  const own = await octocat.follow(different, /of the replay/);
  expect([own.status, own.url]).toEqual([200, expect.stringMatching(/\/calls\/\d+$/)]);
  expect((await octocat.follow(await octocat.open(own.url.replace(/\/calls.*/, "")), new RegExp(session))).url).toBe(
    `${home}/sessions/${session}`,
  );
  expect(JSON.parse((await octocat.open(`${started.url}/state`)).text)).toMatchObject({ state: "done", different: 1 });
  await octocat.submit(page, /Delete what it created/);
  const cleaned = await eventually(async () => {
    const now = await octocat.open(started.url);
    return textOf(now.html).includes("Cleaned up: ") ? now : null;
  });
  expect(textOf(cleaned.html)).toContain("1 deleted, 0 gone already, 0 could not be deleted");
  expect(textOf((await octocat.open(replays())).html)).toContain("github:octocat");
});

test("an undo is confirmed, waits for people, and goes on when it is asked again, without scripts", async () => {
  const octocat = await scene.as("octocat");
  const plan = await octocat.follow(await octocat.open(`${home}/sessions/${session}`), /Undo what it changed/);
  expect(textOf(plan.html)).toContain("This is the plan. Nothing has been sent.");
  expect(textOf(plan.html)).toContain(`PUT /api/v1/monitor/${monitor}`);
  const doing = await octocat.submit(plan, /read the plan/, { confirmed: "yes" });
  expect(doing.status).toBe(200);
  expect(textOf(doing.html)).toContain("2 waiting for approval");
  const links = all(doing.html, "a").filter((link) => textOf(link) === "The question to people");
  expect(links).toHaveLength(2);
  const hubot = await scene.as("hubot");
  const [first = "", second = ""] = links.map((link) => home + (link.attributes.get("href") ?? ""));
  await hubot.submit(await hubot.open(first), /Deny/, { verdict: "approve", reason: "" });
  await hubot.submit(await hubot.open(second), /Deny/, { verdict: "deny", reason: "not that one" });
  const again = await octocat.submit(await octocat.open(undo()), /read the plan/, { confirmed: "yes" });
  expect(textOf(again.html)).toContain("1 of 2 steps done.");
  expect(textOf(again.html)).toContain("denied by github:hubot: not that one");
});
