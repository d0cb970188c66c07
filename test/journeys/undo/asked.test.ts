/** Undoing what a job did, where a rule asks people: they are asked in the pull request of that job, although it is over, and on the page. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApprovalJson, TokenAnswer, UndoJson } from "../../../server/contract.ts";
import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { Pull } from "../../../server/demo/github/state.ts";
import type { Browser } from "../../standins/browser.ts";
import { eventually, home, openRun, type PeopleScene, startPeople } from "../people/scene.ts";
import { aDashboard, aDowntime, adminToken, alike, aMonitor, anSlo, startUndo, stepFor, undoing } from "./scene.ts";

let sandbox: ListeningSandbox;
let scene: Omit<PeopleScene, "ask"> & ReturnType<typeof undoing>;
beforeAll(async () => {
  sandbox = await createSandbox({ clock: () => new Date() }).listen();
  const people = await startPeople({
    endpoint: sandbox.url,
    rules: `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: jobs, effect: allow, when: 'caller.issuer_name == "github"' }
    - { name: people-undo, effect: approve, when: 'caller.issuer == "urn:dogwatch:people" && operation.access != "read"', approvers: { permission: write } }`,
  });
  scene = { ...people, ...undoing(people.url, sandbox.url) };
});
afterAll(async () => {
  await scene?.close();
  await sandbox?.close();
});

/** What octocat's job did before it ended. */
async function job(doing: (session: TokenAnswer) => Promise<void>): Promise<{ session: TokenAnswer; pull: Pull }> {
  const { github, repository } = scene;
  const pull = github.pulls.open(repository, { author: "octocat", files: ["README.md"] });
  const run = github.runs.start(repository, { actor: "octocat", pull });
  const session = await openRun(github, scene.url, run);
  await doing(session);
  await fetch(`${scene.url}/v1/sessions/${session.session_id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${session.access_token}` },
  });
  github.runs.end(run, "success");
  return { session, pull };
}

const asPerson = async (browser: Browser, path: string, body?: object): Promise<Response> => {
  const cookie = browser.header(home);
  const me = (await (await fetch(`${scene.url}/v1/me`, { headers: { cookie } })).json()) as { form: string };
  return fetch(scene.url + path, {
    method: "POST",
    headers: {
      cookie,
      origin: home,
      "sec-fetch-site": "same-origin",
      "dogwatch-form": me.form,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
};

const undoAs = async (browser: Browser, id: string): Promise<UndoJson> => {
  const answer = await asPerson(browser, `/v1/sessions/${id}/undo`);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as UndoJson;
};

const shownOnGitHub = (id: string): Promise<ApprovalJson> =>
  eventually(async () => {
    const approval = await scene.approval(id);
    return approval.where.some(({ kind }) => kind === "review_comment") ? approval : null;
  });

test("a monitor, a dashboard, a downtime and an SLO come back after approval, and nobody approves what they started", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const slo = (await scene.datadog("POST", "/api/v1/slo", anSlo(monitor.id))).data[0];
  const dashboard = await scene.datadog("POST", "/api/v1/dashboard", aDashboard);
  const downtime = (await scene.datadog("POST", "/api/v2/downtime", aDowntime)).data;
  const paths = [
    `/api/v1/dashboard/${dashboard.id}`,
    `/api/v1/slo/${slo.id}`,
    `/api/v1/monitor/${monitor.id}`,
    `/api/v2/downtime/${downtime.id}`,
  ];
  const { session, pull } = await job(async (token) => {
    for (const path of paths) await scene.call(token, "GET", path);
    for (const path of paths) await scene.call(token, "DELETE", path);
  });
  const mona = await scene.as("mona");
  const first = await undoAs(mona, session.session_id);
  expect(first.steps.map(({ n, state }) => [n, state])).toEqual([
    [8, "waiting"],
    [7, "waiting"],
    [6, "blocked"],
    [5, "waiting"],
  ]);
  expect(await scene.datadog("GET", `/api/v1/monitor/${monitor.id}`)).toHaveProperty("errors");

  const again = await undoAs(mona, session.session_id);
  expect(again.steps.map(({ approval }) => approval?.id)).toEqual(first.steps.map(({ approval }) => approval?.id));
  expect(await scene.plan(session.session_id)).toMatchObject({ steps: [{ state: "waiting" }, {}, {}, {}] });

  // Somebody else is told whose it is.
  const other = await scene.ask("POST", session.session_id, adminToken);
  expect(other).toMatchObject({ status: 409, text: expect.stringContaining("github:mona undoes session") });

  const asked = first.steps.flatMap(({ approval }) => (approval === null ? [] : [approval.id]));
  const inPull = await shownOnGitHub(asked[0] ?? "");
  expect(inPull.where.map(({ url }) => url).join()).toContain(`/pull/${pull.number}`);
  const own = await asPerson(mona, `/v1/approvals/${asked[0]}/answer`, { verdict: "approve" });
  expect(own.status).toBe(403);
  expect(await own.text()).toContain("Nobody answers for their own run");
  const hubot = await scene.as("hubot");
  for (const id of asked)
    expect((await asPerson(hubot, `/v1/approvals/${id}/answer`, { verdict: "approve" })).status).toBe(200);

  const second = await undoAs(mona, session.session_id);
  expect(second.session?.id).toBe(first.session?.id);
  expect(second.steps.map(({ n, state }) => [n, state])).toEqual([
    [8, "done"],
    [7, "done"],
    [6, "waiting"],
    [5, "done"],
  ]);
  const last = stepFor(second, 6).approval?.id ?? "";
  expect((await asPerson(hubot, `/v1/approvals/${last}/answer`, { verdict: "approve" })).status).toBe(200);
  const third = await undoAs(mona, session.session_id);
  expect(third.steps.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);

  const newMonitor = await scene.datadog("GET", `/api/v1/monitor/${stepFor(third, 7).new_id}`);
  expect(alike(newMonitor)).toEqual(alike(monitor));
  expect(await scene.datadog("GET", `/api/v1/dashboard/${dashboard.id}`)).toEqual(dashboard);
  const newSlo = (await scene.datadog("GET", `/api/v1/slo/${stepFor(third, 6).new_id}`)).data;
  expect(alike(newSlo)).toEqual(alike({ ...slo, monitor_ids: [newMonitor.id] }));
  const newDowntime = (await scene.datadog("GET", `/api/v2/downtime/${stepFor(third, 8).new_id}`)).data;
  expect(alike(newDowntime.attributes)).toEqual(alike(downtime.attributes));

  const recorded = await scene.endedCalls(third.session?.id ?? "");
  const let_pass = recorded.filter(
    ({ method, state, approval_id }) => method !== "GET" && state === "closed" && approval_id,
  );
  expect(let_pass).toHaveLength(4);
  expect(await scene.session(third.session?.id ?? "")).toMatchObject({
    state: "closed",
    approved: 4,
    caller: { subject: "github:mona", undo_of: session.session_id },
  });
}, 120_000);

test("a denial is told, and nothing is sent; asked again, people are asked again", async () => {
  const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
  const path = `/api/v1/monitor/${monitor.id}`;
  const { session } = await job(async (token) => {
    await scene.call(token, "GET", path);
    await scene.call(token, "PUT", path, { name: "Changed" });
  });
  const mona = await scene.as("mona");
  const first = await undoAs(mona, session.session_id);
  const id = stepFor(first, 2).approval?.id ?? "";
  const question = await scene.approval(id);
  expect(question.title).toContain(`monitor ${monitor.id}`);
  const hubot = await scene.as("hubot");
  expect((await asPerson(hubot, `/v1/approvals/${id}/answer`, { verdict: "deny", reason: "not today" })).status).toBe(
    200,
  );
  expect(stepFor(await scene.plan(session.session_id), 2)).toMatchObject({ state: "denied", approval: { id } });
  const second = await undoAs(mona, session.session_id);
  expect(stepFor(second, 2)).toMatchObject({ state: "denied", result: "denied by github:hubot: not today" });
  expect(await scene.session(second.session?.id ?? "")).toMatchObject({ state: "closed" });
  const third = await undoAs(mona, session.session_id);
  expect(stepFor(third, 2)).toMatchObject({ state: "waiting" });
  expect(stepFor(third, 2).approval?.id).not.toBe(id);
  expect((await scene.datadog("GET", path)).name).toBe("Changed");
}, 120_000);

test("whoever may not see the session gets no plan and undoes nothing, as if there were none", async () => {
  const { session } = await job(async (token) => {
    await scene.call(token, "POST", "/api/v1/monitor", aMonitor);
  });
  const stranger = await scene.as("stranger");
  const cookie = stranger.header(home);
  const plan = await fetch(`${scene.url}/v1/sessions/${session.session_id}/undo`, { headers: { cookie } });
  expect(plan.status).toBe(404);
  expect((await asPerson(stranger, `/v1/sessions/${session.session_id}/undo`)).status).toBe(404);
  // Whoever may only read the repository sees the plan, and does nothing.
  const reader = await scene.as("reader");
  const read = await fetch(`${scene.url}/v1/sessions/${session.session_id}/undo`, {
    headers: { cookie: reader.header(home) },
  });
  expect(read.status).toBe(200);
  const refused = await asPerson(reader, `/v1/sessions/${session.session_id}/undo`);
  expect([refused.status, await refused.text()]).toEqual([
    403,
    expect.stringContaining("may not write to the repository"),
  ]);
  const without = await fetch(`${scene.url}/v1/sessions/${session.session_id}/undo`, {
    method: "POST",
    headers: { cookie: (await scene.as("mona")).header(home) },
  });
  expect(without.status).toBe(403);
}, 120_000);

test("without a GitHub App the page asks, and only where a rule names groups", async () => {
  const rule = (more: string): string => `
    - { name: jobs, effect: allow, when: 'operation.access == "read" || caller.issuer_name == "github"' }
    - { name: people-undo, effect: approve, when: 'caller.issuer_name == "dogwatch:people" && operation.access != "read"'${more} }`;
  for (const [more, state] of [
    ["", "failed"],
    [", groups: [sre]", "waiting"],
  ] as const) {
    const world = await startUndo({ rules: rule(more) });
    try {
      const session = await world.openSession();
      const made = await world.call(session, "POST", "/api/v1/monitor", aMonitor);
      const undone = await world.apply(session.session_id);
      expect(stepFor(undone, 1)).toMatchObject({ state });
      expect(await world.datadog("GET", `/api/v1/monitor/${made.id}`)).toMatchObject({ id: made.id });
      if (state === "failed") expect(stepFor(undone, 1).result).toContain("needs `groups`");
      else expect(stepFor(undone, 1).approval?.url).toContain("http://gateway.test/approvals/");
    } finally {
      await world.close();
    }
  }
}, 120_000);
