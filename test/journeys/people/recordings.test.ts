/** What people see of recordings who signed in with GitHub: the sessions of repositories that GitHub lets them read, everything for some teams. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Repository } from "../../../server/demo/github/state.ts";
import type { Browser } from "../../standins/browser.ts";
import { all } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import { eventually, home, type PeopleScene, remembered, signIn, startPeople } from "./scene.ts";

let scene: PeopleScene;
let hidden: Repository;
/** One of the repository that people read, one of a repository that they do not. */
let [theirs, others] = ["", ""];

beforeAll(async () => {
  scene = await startPeople({ more: "signIn: { github: { admins: [acme/leads], auditors: [acme/security] } }" });
  const { accounts, repositories } = scene.github;
  for (const login of ["lead", "guard", "invited"]) accounts.add(login);
  accounts.addTeam("acme", "leads", ["lead"]);
  const security = accounts.addTeam("acme", "security", ["guard"]);
  accounts.join(security, "invited", "pending");
  hidden = repositories.add("acme/hidden");
  repositories.permit(hidden, "hubot", "read");
  theirs = (await scene.ask()).approval.session_id;
  others = (await scene.ask({ repository: hidden })).approval.session_id;
});
afterAll(async () => {
  await scene.close();
});

type Sent = { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

const look = (browser: Browser, path: string, init: Sent = {}): Promise<Response> =>
  fetch(scene.url + path, { ...init, headers: { cookie: browser.header(home), ...init.headers } });

const listed = async (browser: Browser): Promise<readonly string[]> => {
  const found = (await (await look(browser, "/v1/sessions?limit=200")).json()) as { items: readonly { id: string }[] };
  return found.items.map(({ id }) => id);
};

const surfacesOf = (id: string): readonly string[] => [
  `/v1/sessions/${id}`,
  `/v1/sessions/${id}/calls`,
  `/v1/sessions/${id}/calls/1`,
  `/v1/sessions/${id}/calls/1/request/body`,
  `/v1/sessions/${id}/calls/1/response/body`,
  `/v1/sessions/${id}/outline`,
  `/v1/sessions/${id}/export?format=har`,
  `/v1/sessions/${id}/export?format=jsonl`,
  `/v1/sessions/${id}/export?format=curl`,
  `/v1/sessions/${id}/events`,
  `/v1/sessions/${id}/undo`,
  `/sessions/${id}`,
  `/sessions/${id}/replays`,
  `/sessions/${id}/undo`,
  `/sessions/${id}/calls/1`,
  `/sessions/${id}/calls/1/response/body`,
];

test("a person is shown the sessions of repositories that GitHub lets them read", async () => {
  const browser = await scene.as("octocat");
  expect(await listed(browser)).toEqual([theirs]);
  const page = await browser.open(`${home}/sessions`);
  expect(page.status).toBe(200);
  expect(page.text).toContain(theirs);
  for (const path of surfacesOf(theirs).slice(0, 3)) expect((await look(browser, path)).status).toBe(200);
  expect((await browser.open(`${home}/sessions/${theirs}/calls/1`)).status).toBe(200);
  expect((await look(browser, "/v1/me").then((answer) => answer.json())) as object).toMatchObject({
    name: "github:octocat",
    role: "approver",
  });
});

test("of all others they are told what everybody is told of a session that is not there, on every surface", async () => {
  const browser = await scene.as("octocat");
  const nothing = "0199c3a1-5f00-7000-8000-000000000001";
  const told = async (id: string): Promise<unknown> =>
    Promise.all(
      surfacesOf(id).map(async (path) => {
        const answer = await look(browser, path);
        return [answer.status, (await answer.text()).replaceAll(id, "ID")];
      }),
    );
  const answers = (await told(others)) as [number, string][];
  expect(answers).toEqual(await told(nothing));
  expect(answers.map(([status]) => status)).toEqual(surfacesOf(others).map(() => 404));
  for (const path of ["/sessions", "/v1/sessions", "/approvals", "/v1/approvals"]) {
    const text = await (await look(browser, path)).text();
    expect(text).not.toContain(others);
    expect(text).not.toContain("acme/hidden");
  }
  // What concerns every repository is no person's with a few.
  for (const path of ["/v1/audit", `/v1/proof?session=${theirs}`, `/v1/proof?session=${others}`, "/v1/proof?all=true"])
    expect((await look(browser, path)).status).toBe(403);
  for (const path of ["/v1/masked-values/search", "/v1/masked-values/reveal"]) {
    const page = await browser.open(`${home}/approvals`);
    const form = all(page.html, "input").find(({ attributes }) => attributes.get("name") === "form");
    const answer = await look(browser, path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "sec-fetch-site": "same-origin",
        "dogwatch-form": form?.attributes.get("value") ?? "",
      },
      body: JSON.stringify(path.endsWith("search") ? { value: "x" } : { token: "dwm_x", reason: "a test" }),
    });
    expect(answer.status).toBe(403);
  }
});

test("whoever loses access sees nothing any more, in no list either", async () => {
  const { repositories } = scene.github;
  repositories.permit(scene.repository, "stranger", "read");
  const browser = await scene.as("stranger");
  expect(await listed(browser)).toEqual([theirs]);
  repositories.permit(scene.repository, "stranger", "none");
  expect(await listed(browser)).toEqual([]);
  for (const path of surfacesOf(theirs)) expect((await look(browser, path)).status).toBe(404);
});

/** Resolves with what was told when the stream has ended. */
const listen = async (browser: Browser, id: string): Promise<{ readonly whole: Promise<string> }> => {
  const answer = await look(browser, `/v1/sessions/${id}/events`);
  expect(answer.status).toBe(200);
  return { whole: answer.text() };
};

test("whoever listens to a session hears no more after signing out, and none of a repository that they lost", async () => {
  const { repositories } = scene.github;
  repositories.permit(scene.repository, "stranger", "read");
  const [leaves, stays] = [await scene.as("octocat"), await scene.as("stranger")];
  const [left, lost] = [await listen(leaves, theirs), await listen(stays, theirs)];
  await leaves.submit(await leaves.open(`${home}/sessions`), /sign-out/);
  expect(await left.whole).toMatch(/^event: call$/m);
  repositories.permit(scene.repository, "stranger", "none");
  // Their next look at it, wherever, is when GitHub is asked.
  expect((await look(stays, `/v1/sessions/${theirs}`)).status).toBe(404);
  const told = await lost.whole;
  expect(told).toMatch(/^event: call$/m);
  // The session goes on: it was not its end that they were told.
  expect(told).not.toMatch(/^event: end$/m);
});

test("when GitHub cannot be asked nobody sees anything", async () => {
  const browser = await scene.as("octocat");
  for (const operation of ["repos/get-collaborator-permission-level", "users/get-by-username"]) {
    scene.github.faults.next(operation, { kind: "status", status: 502 }, 60);
    expect((await look(browser, `/v1/sessions/${theirs}`)).status).toBe(404);
    expect(await listed(browser)).toEqual([]);
    scene.github.faults.clear();
  }
});

test.each([
  ["lead", "admin"],
  ["guard", "auditor"],
])("a member of a team that the configuration names sees everything: %s is %s", async (login, role) => {
  const browser = await scene.as(login);
  expect(await (await look(browser, "/v1/me")).json()).toMatchObject({ name: `github:${login}`, role });
  expect((await listed(browser)).toSorted()).toEqual([theirs, others].toSorted());
  expect((await look(browser, "/v1/audit")).status).toBe(200);
  const setup = await browser.open(`${home}/setup/github`);
  expect(setup.status).toBe(role === "admin" ? 200 : 403);
});

test("who was invited is no member yet, who left is none any more, and when GitHub does not say nobody is", async () => {
  const invited = await scene.as("invited");
  expect(await (await look(invited, "/v1/me")).json()).toMatchObject({ role: "approver" });
  const { faults, accounts } = scene.github;
  faults.next("teams/get-membership-for-user-in-org", { kind: "status", status: 502 }, 60);
  const unsure = await scene.as("guard");
  expect(await (await look(unsure, "/v1/me")).json()).toMatchObject({ role: "approver" });
  faults.clear();
  const team = accounts.team("acme", "security");
  if (team === null) throw new Error("no team");
  accounts.leave(team, "guard");
  const left = await scene.as("guard");
  expect(await (await look(left, "/v1/me")).json()).toMatchObject({ role: "approver" });
  await expect.poll(() => listed(left), remembered).toEqual([]);
  accounts.join(team, "guard");
});

test("an account that took a member's name is no member", async () => {
  const { accounts } = scene.github;
  const browser = await scene.as("lead");
  accounts.rename("lead", "formerly-lead");
  accounts.add("lead");
  const impostor = scene.browser();
  await signIn(impostor, scene.github, { login: "lead", to: "/approvals" });
  expect(await (await look(impostor, "/v1/me")).json()).toMatchObject({ name: "github:lead", role: "approver" });
  // Whoever signed in under the old name signs in again: whatever they change is asked about at once.
  const form = all((await browser.open(`${home}/approvals`)).html, "input").find(
    ({ attributes }) => attributes.get("name") === "form",
  );
  const fields = new URLSearchParams({ form: form?.attributes.get("value") ?? "", web: "https://github.com" });
  expect((await browser.post(`${home}/setup/github`, fields, `${home}/setup/github`)).status).toBe(403);
  const again = scene.browser();
  await signIn(again, scene.github, { login: "formerly-lead", to: "/approvals" });
  expect(await (await look(again, "/v1/me")).json()).toMatchObject({ role: "admin" });
});

test("every view is in the audit log before anything is shown: a log that cannot be written shows nothing", async () => {
  const browser = await scene.as("octocat");
  const views = surfacesOf(theirs).filter((path) => !path.includes("response/body") && !path.includes("request/body"));
  for (const path of views) {
    const before = await countViews("github:octocat");
    expect((await look(browser, path)).status).toBe(200);
    // No waiting: it was there when the answer was.
    expect(await countViews("github:octocat")).toBeGreaterThan(before);
  }
  const { database } = scene.scene;
  await database.query("ALTER TABLE audit_events RENAME TO audit_events_away");
  try {
    for (const path of [...views, "/v1/sessions", "/v1/approvals", "/sessions", "/approvals"]) {
      const answer = await look(browser, path);
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toMatch(/monitor|acme\/app|Checkout/);
    }
    const auditor = { headers: { authorization: `Bearer ${auditorToken}` } };
    const searches = ["/v1/search?q=status:200", "/v1/search/export?q=status:200"];
    for (const path of [...views.filter((each) => each.startsWith("/v1")), ...searches])
      expect((await fetch(scene.url + path, auditor)).status).toBe(503);
  } finally {
    await database.query("ALTER TABLE audit_events_away RENAME TO audit_events");
  }
  await eventually(async () => ((await look(browser, `/v1/sessions/${theirs}`)).status === 200 ? true : null));
});

const countViews = async (who: string): Promise<number> => {
  const [row] = await scene.scene.database.query<{ count: string }>(
    "SELECT count(*) FROM audit_events WHERE kind = 'recording_viewed' AND who = $1",
    [who],
  );
  return Number(row?.count);
};
