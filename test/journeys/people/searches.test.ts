/** What people find who signed in with GitHub: calls of repositories that GitHub lets them read, and of others what is found of what is not there. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Repository } from "../../../server/demo/github/state.ts";
import type { Browser } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import { eventually, home, openJob, type PeopleScene, sendCall, startPeople } from "./scene.ts";

let scene: PeopleScene;
let hidden: Repository;
/** Sessions of a repository that people read, and of one that they do not. */
let [theirs, others] = ["", ""];
const nothing = "0199c3a1-5f00-7000-8000-000000000001";
const callsOfEach = 3;

type Found = {
  readonly items: readonly { readonly session_id: string; readonly n: number; readonly excerpts: readonly unknown[] }[];
  readonly next_cursor: string | null;
};

beforeAll(async () => {
  scene = await startPeople({ more: "signIn: { github: { auditors: [acme/security] } }" });
  const { accounts, repositories } = scene.github;
  accounts.add("guard");
  accounts.addTeam("acme", "security", ["guard"]);
  hidden = repositories.add("acme/hidden");
  repositories.permit(hidden, "hubot", "read");
  const open = (repository: Repository) => openJob(scene.github, scene.url, { repository, actor: "mona" });
  const [mine, other] = [await open(scene.repository), await open(hidden)];
  [theirs, others] = [mine.session_id, other.session_id];
  for (let n = 0; n < callsOfEach; n++)
    for (const [session, id] of [
      [other, 9999],
      [mine, 4212],
      [other, 9999],
    ] as const)
      await sendCall(scene.url, session, { method: "GET", path: `/api/v1/monitor/${id}`, body: undefined });
  await eventually(async () => {
    const answer = await fetch(`${scene.url}/v1/search?q=Checkout&limit=200`, {
      headers: { authorization: `Bearer ${auditorToken}` },
    });
    return ((await answer.json()) as Found).items.length === 3 * callsOfEach ? true : null;
  });
});
afterAll(async () => {
  await scene.close();
});

const look = (browser: Browser, path: string): Promise<Response> =>
  fetch(scene.url + path, { headers: { cookie: browser.header(home) } });
const searchPath = (q: string, more = ""): string => `/v1/search?q=${encodeURIComponent(q)}${more}`;
const find = async (browser: Browser, q: string, more = ""): Promise<Found> => {
  const answer = await look(browser, searchPath(q, more));
  expect(answer.status).toBe(200);
  return (await answer.json()) as Found;
};
const namesOf = ({ items }: Found): readonly string[] => items.map(({ session_id, n }) => `${session_id}/${n}`);
const allOfTheirs = (): readonly string[] => [3, 2, 1].map((n) => `${theirs}/${n}`);
const exportPath = (q: string, format: string): string =>
  `/v1/search/export?q=${encodeURIComponent(q)}&format=${format}`;

test("a person finds the calls of repositories that GitHub lets them read, with excerpts, and takes them along", async () => {
  const browser = await scene.as("octocat");
  const found = await find(browser, "Checkout");
  expect(namesOf(found)).toEqual(allOfTheirs());
  expect(found.next_cursor).toBeNull();
  for (const { excerpts } of found.items) expect(excerpts).toMatchObject([{ where: "response" }]);
  const lines = (await (await look(browser, exportPath("Checkout", "jsonl"))).text()).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(allOfTheirs());
  for (const format of ["har", "curl"]) {
    const text = await (await look(browser, exportPath("Checkout", format))).text();
    expect(text).toContain("/api/v1/monitor/4212");
    expect(text).not.toContain("9999");
  }
});

test("of all others they find what is found of what is not there, however they ask and in whatever form", async () => {
  const browser = await scene.as("octocat");
  const empty = { items: [], next_cursor: null };
  for (const q of [
    `session:${others}`,
    "repo:acme/hidden",
    "repo:hidden",
    "monitor/9999",
    `Checkout -session:${theirs}`,
    `session:${others} OR session:${nothing}`,
  ]) {
    for (const more of ["", "&limit=1", "&limit=200"]) expect(await find(browser, q, more)).toEqual(empty);
    for (const format of ["jsonl", "har", "curl"]) {
      const [answer, none] = await Promise.all(
        [q, `session:${nothing}`].map((each) => look(browser, exportPath(each, format))),
      );
      expect([answer?.status, await answer?.text()]).toEqual([none?.status, await none?.text()]);
    }
  }
  const wrong = await Promise.all(
    [others, nothing].map(async (id) => (await look(browser, searchPath(`session:${id} statsu:1`))).text()),
  );
  expect(wrong[0]).toBe(wrong[1]);
});

test("pages hold theirs only, and cursors tell nothing of how much there is beside", async () => {
  const browser = await scene.as("octocat");
  const cursors: string[] = [];
  const seen: string[] = [];
  for (let more = "&limit=1"; ; ) {
    const page = await find(browser, "Checkout", more);
    seen.push(...namesOf(page));
    if (page.next_cursor === null) break;
    cursors.push(page.next_cursor);
    more = `&limit=1&cursor=${page.next_cursor}`;
  }
  expect(seen).toEqual(allOfTheirs());
  // Those of whoever sees everything say which place it is; these are as long whatever they say, and never the same.
  expect(new Set(cursors.map(({ length }) => length)).size).toBe(1);
  for (const cursor of cursors) expect(Buffer.from(cursor, "base64url").toString()).not.toContain("search");
  const [again] = [await find(browser, "Checkout", "&limit=1")];
  expect(again.next_cursor).not.toBe(cursors[0]);
  // Nobody makes one.
  const [first = ""] = cursors;
  const bent = Buffer.from(first, "base64url");
  bent[14] = (bent[14] ?? 0) ^ 1;
  const plain = Buffer.from(JSON.stringify(["search", 1, 1])).toString("base64url");
  for (const cursor of [bent.toString("base64url"), plain, first.slice(0, 8)])
    expect((await look(browser, searchPath("Checkout", `&cursor=${cursor}`))).status).toBe(400);
});

test("whoever loses access finds nothing any more, and takes nothing along", async () => {
  const { repositories } = scene.github;
  repositories.permit(scene.repository, "stranger", "read");
  const browser = await scene.as("stranger");
  expect(namesOf(await find(browser, "Checkout"))).toEqual(allOfTheirs());
  repositories.permit(scene.repository, "stranger", "none");
  expect((await find(browser, "Checkout")).items).toEqual([]);
  expect(await (await look(browser, exportPath("Checkout", "jsonl"))).text()).toBe("");
});

test("when GitHub cannot be asked nobody finds anything", async () => {
  const browser = await scene.as("hubot");
  for (const operation of ["repos/get-collaborator-permission-level", "users/get-by-username"]) {
    scene.github.faults.next(operation, { kind: "status", status: 502 }, 60);
    expect((await find(browser, "Checkout")).items).toEqual([]);
    scene.github.faults.clear();
  }
});

test("a member of a team of auditors finds everything", async () => {
  expect((await find(await scene.as("guard"), "Checkout", "&limit=200")).items).toHaveLength(3 * callsOfEach);
});

test("a search is in the audit log before anything of it is shown, with how much was shown", async () => {
  const browser = await scene.as("octocat");
  const { database } = scene.scene;
  const views = () =>
    database.query<{ what: string }>(
      "SELECT what FROM audit_events WHERE kind = 'recording_viewed' AND who = 'github:octocat' ORDER BY id DESC LIMIT 1",
    );
  await find(browser, "Checkout");
  expect(await views()).toEqual([{ what: `a search, ${callsOfEach} calls` }]);
  await find(browser, "repo:acme/hidden");
  expect(await views()).toEqual([{ what: "a search, 0 calls" }]);
  await database.query("ALTER TABLE audit_events RENAME TO audit_events_away");
  try {
    for (const path of [searchPath("Checkout"), exportPath("Checkout", "jsonl")]) {
      const answer = await look(browser, path);
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toMatch(/monitor|Checkout latency/);
    }
  } finally {
    await database.query("ALTER TABLE audit_events_away RENAME TO audit_events");
  }
});

test("the page shows a person theirs, with where it was found and ways to take it along, without any script", async () => {
  const browser = await scene.as("octocat");
  const page = await browser.open(`${home}/search?q=Checkout`);
  expect(page.status).toBe(200);
  const links = all(page.html, "a").map(({ attributes }) => attributes.get("href"));
  for (const name of allOfTheirs()) expect(links).toContain(`/sessions/${name.replace("/", "/calls/")}`);
  expect(all(page.html, "mark").map(textOf)).toEqual(["Checkout", "Checkout", "Checkout"]);
  expect(page.text).not.toMatch(new RegExp(`${others}|acme/hidden|9999`));
  for (const format of ["jsonl", "har", "curl"]) expect(links).toContain(exportPath("Checkout", format));
  // A session as a person sees it is taken along without its proof, which is of the log of everybody.
  const session = await browser.open(`${home}/sessions/${theirs}`);
  expect(session.text).toContain(`/v1/sessions/${theirs}/export?format=har`);
  expect(session.text).not.toContain("/v1/proof");
});

test("of all others the page says what it says of what is not there: in results, filters, links and complaints", async () => {
  const browser = await scene.as("octocat");
  const shown = async (q: string): Promise<unknown> => {
    const { status, text } = await browser.open(`${home}/search?q=${encodeURIComponent(q)}`);
    return [status, text];
  };
  for (const q of [
    "session:ID",
    "session:ID statsu:1",
    "session:ID OR monitor/9999",
    "repo:acme/hidden OR session:ID",
  ]) {
    const [of, none] = await Promise.all([others, nothing].map((id) => shown(q.replace("ID", id))));
    expect(JSON.stringify(of).replaceAll(others, "ID")).toBe(JSON.stringify(none).replaceAll(nothing, "ID"));
  }
});

test("what the search box completes is asked of the same API, and holds nothing of others", async () => {
  const browser = await scene.as("octocat");
  for (const path of ["/v1/sessions?limit=200", "/v1/search?q=&limit=200"]) {
    const text = await (await look(browser, path)).text();
    expect(text).toContain("acme/app");
    expect(text).not.toMatch(new RegExp(`${others}|acme/hidden|9999`));
  }
});
