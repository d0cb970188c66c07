/** The list of approvals: filtered by state, watched by pages, and for nobody a trace of what they may not see. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Repository } from "../../../server/demo/github/state.ts";
import type { Browser } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { adminToken, home, openJob, type PeopleScene, signInWithToken, startPeople, viewerToken } from "./scene.ts";

let scene: PeopleScene;
let hidden: Repository;

beforeAll(async () => {
  scene = await startPeople({ rule: "approvers: { permission: write }" });
  hidden = scene.github.repositories.add("acme/hidden");
  scene.github.repositories.permit(hidden, "hubot", "write");
});
afterAll(async () => {
  await scene.close();
});

const look = (browser: Browser, path: string): Promise<Response> =>
  fetch(scene.url + path, { headers: { cookie: browser.header(home) } });

const versionFor = async (browser: Browser): Promise<string> => {
  const answer = await look(browser, "/approvals/version");
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { version: string }).version;
};

const deny = async (browser: Browser, id: string, reason: string): Promise<void> => {
  const page = await browser.open(`${home}/approvals/${id}`);
  await browser.submit(page, /Deny/, { verdict: "deny", reason });
};

/** Every surface that lists, counts or watches approvals. */
const surfaces = [
  "/approvals",
  "/approvals?state=pending",
  "/approvals?state=denied",
  "/approvals/version",
  "/v1/approvals",
  "/v1/approvals?state=pending",
  "/v1/approvals?state=denied",
  "/sessions",
];

test("what somebody may not see changes nothing on any surface: no list, no count, no version", async () => {
  const stranger = await scene.as("stranger");
  const octocat = await scene.as("octocat");
  const seenBy = (browser: Browser) =>
    Promise.all(
      surfaces.map(async (path) => [
        path,
        (await (await look(browser, path)).text()).replaceAll(/[0-9]+ minutes?/g, ""),
      ]),
    );
  const { approval: mine } = await scene.ask();
  // Where it stands on GitHub is added to it a moment later.
  const untold = () => scene.scene.database.query("SELECT FROM approvals WHERE id = $1 AND told IS NULL", [mine.id]);
  await expect.poll(untold).toEqual([]);
  const [nothing, before] = [await seenBy(stranger), await seenBy(octocat)];
  expect(textOf((await octocat.open(`${home}/sessions`)).html)).toContain("Approvals 1 waiting");
  const { approval: first } = await scene.ask({ repository: hidden, actor: "mona" });
  await deny(await scene.as("hubot"), first.id, "secret reason of another repository");
  await scene.ask({ repository: hidden, actor: "mona" });
  expect(await seenBy(stranger)).toEqual(nothing);
  expect(await seenBy(octocat)).toEqual(before);
  expect(JSON.stringify([nothing, before])).not.toMatch(/acme\/hidden|secret reason/);
  expect(JSON.stringify(nothing)).not.toMatch(/writes-need-a-human|Delete monitor/);
});

test("pages are cut, and go on, by what is seen alone: no cursor names what is not", async () => {
  const [stranger, octocat, hubot] = [await scene.as("stranger"), await scene.as("octocat"), await scene.as("hubot")];
  const list = async (browser: Browser, more = "") =>
    (await (await look(browser, `/v1/approvals?limit=1${more}`)).json()) as {
      items: { id: string }[];
      next_cursor: string | null;
    };
  const all = async (browser: Browser): Promise<string[]> => {
    const ids: string[] = [];
    for (let more = ""; ; ) {
      const { items, next_cursor } = await list(browser, more);
      ids.push(...items.map(({ id }) => id));
      if (next_cursor === null) return ids;
      // One of a page of one: what was given last, and nothing else.
      expect(Buffer.from(next_cursor, "base64url").toString()).toContain(ids.at(-1));
      more = `&cursor=${next_cursor}`;
    }
  };
  for (let n = 0; n < 3; n++) await scene.ask({ repository: hidden, actor: "mona" });
  const { approval: seen } = await scene.ask();
  for (let n = 0; n < 3; n++) await scene.ask({ repository: hidden, actor: "mona" });
  expect(await list(stranger)).toEqual({ items: [], next_cursor: null });
  const [mine, theirs] = [await all(octocat), await all(hubot)];
  expect(mine).toContain(seen.id);
  expect(theirs.length).toBeGreaterThanOrEqual(6);
  expect((await list(octocat)).items).toEqual([expect.objectContaining({ id: mine[0] })]);
});

test("a page that watches hears of what its reader sees: a question, an attempt, an answer", async () => {
  const octocat = await scene.as("octocat");
  const seen = [await versionFor(octocat)];
  const { approval } = await scene.ask({ actor: "hubot" });
  seen.push(await versionFor(octocat));
  const hubot = await scene.as("hubot");
  const form = all((await hubot.open(`${home}/approvals`)).html, "input").find(
    ({ attributes }) => attributes.get("name") === "form",
  );
  const tried = await hubot.post(
    `${home}/approvals/${approval.id}`,
    new URLSearchParams({ form: form?.attributes.get("value") ?? "", verdict: "approve" }),
    `${home}/approvals/${approval.id}`,
  );
  expect(tried.status).toBe(403);
  seen.push(await versionFor(octocat));
  await deny(octocat, approval.id, "no");
  seen.push(await versionFor(octocat));
  expect(new Set(seen).size).toBe(4);
  expect(await versionFor(octocat)).toBe(seen.at(-1));
});

test("the version is for people and roles that read approvals: nobody else is told whether there is any", async () => {
  const looker = scene.browser();
  await signInWithToken(looker, viewerToken);
  const session = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
  const answers = await Promise.all([
    fetch(`${scene.url}/approvals/version`),
    look(looker, "/approvals/version"),
    fetch(`${scene.url}/approvals/version`, { headers: { authorization: `Bearer ${session.access_token}` } }),
  ]);
  for (const answer of answers) {
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ version: null });
  }
  const boss = scene.browser();
  await signInWithToken(boss, adminToken);
  expect((await look(boss, "/approvals/version")).status).toBe(200);
});

test("filters show one state each, with links that need no script", async () => {
  const { approval: waits } = await scene.ask();
  const { approval: denied } = await scene.ask();
  const octocat = await scene.as("octocat");
  await deny(octocat, denied.id, "not on a Friday");
  const pending = await octocat.open(`${home}/approvals?state=pending`);
  expect(pending.text).toContain(waits.id);
  expect(pending.text).not.toContain(denied.id);
  const no = await octocat.open(`${home}/approvals?state=denied`);
  expect(no.text).toContain(denied.id);
  expect(no.text).not.toContain(waits.id);
  const chips = all(no.html, "a").filter(({ attributes }) => attributes.get("class") === "chip");
  expect(chips.map(textOf)).toEqual([
    "all",
    "waiting",
    "approved, not sent yet",
    "denied",
    "not approved in time",
    "approved, not valid any more",
    "not asked any more",
    "approved and sent",
  ]);
  expect(chips.find(({ attributes }) => attributes.has("aria-current"))?.attributes.get("href")).toBe(
    "/approvals?state=denied",
  );
  expect((await octocat.open(`${home}/approvals?state=maybe`)).status).toBe(404);
});
