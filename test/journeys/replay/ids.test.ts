/** What a recorded session created gets other ids in the sandbox: later calls speak of those, by type, and nothing else changes. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { CallJson, ReplayedCallJson, TokenAnswer } from "../../../server/contract.ts";
import { startUpstream, type Answerer, type Upstream } from "../../standins/upstream.ts";
import { type ReplayScene, type SceneCall, startReplayScene } from "./scene.ts";

/** Two Datadogs of which a test says what they answer; the second one is the sandbox. */
let live: Upstream;
let lab: Upstream;
let scene: ReplayScene;
let answerLive: Answerer;
let answerLab: Answerer;
let before = 0;

beforeAll(async () => {
  [live, lab] = await Promise.all([
    startUpstream((request) => answerLive(request)),
    startUpstream((request) => answerLab(request)),
  ]);
  scene = await startReplayScene({ endpoints: { live: live.url, lab: lab.url } });
});
afterAll(async () => {
  await scene.close();
  await Promise.all([live.close(), lab.close()]);
});
beforeEach(() => {
  [answerLive, answerLab] = [say({}), say({})];
  before = lab.requests.length;
});

/** By method and path; what is not among them is answered 200 and `{}`. */
function say(answers: Readonly<Record<string, string | readonly [status: number, text: string]>>): Answerer {
  return ({ method, url }) => {
    const said = answers[`${method} ${url.split("?")[0]}`] ?? "{}";
    const [status, body] = typeof said === "string" ? [200, said] : said;
    return { status, headers: [["content-type", "application/json"]], body };
  };
}

const record = async (calls: readonly SceneCall[]): Promise<string> => {
  const session: TokenAnswer = await scene.open();
  for (const call of calls) await scene.call(session, call);
  return session.session_id;
};

type Replayed = { readonly calls: readonly ReplayedCallJson[]; readonly sent: readonly CallJson[] };

const replay = async (calls: readonly SceneCall[]): Promise<Replayed> => {
  const ended = await scene.replay(await record(calls));
  expect(ended.state, ended.reason).toBe("done");
  return { calls: await scene.replayed(ended.id), sent: await scene.calls(ended.replay_session_id ?? "") };
};

/** As it arrived at the sandbox. */
const arrived = (): readonly string[] =>
  lab.requests
    .slice(before)
    .map(({ method, url, body }) => `${method} ${url}${body.length === 0 ? "" : ` ${body.toString()}`}`);

const outcomes = (calls: readonly ReplayedCallJson[]): readonly string[] => calls.map(({ outcome }) => outcome);

test("in paths, queries and bodies, as numbers and as texts, and in lists", async () => {
  answerLive = say({ "POST /api/v1/monitor": '{"id":1001,"name":"a"}' });
  answerLab = say({ "POST /api/v1/monitor": '{"id":777,"name":"a"}' });
  const { calls } = await replay([
    { path: "/api/v1/monitor", body: '{"name":"a"}' },
    { path: "/api/v1/monitor/1001?group_states=all" },
    { path: "/api/v1/monitor/can_delete?monitor_ids=1001,5" },
    { path: "/api/v1/slo", body: '{ "monitor_ids" : [1001, 2002],  "name":"s" }' },
    { path: "/api/v2/downtime", body: '{"data":{"attributes":{"monitor_identifier":{"monitor_id":"1001"}}}}' },
    { method: "DELETE", path: "/api/v1/monitor/1001" },
  ]);
  expect(arrived()).toEqual([
    'POST /api/v1/monitor {"name":"a"}',
    "GET /api/v1/monitor/777?group_states=all",
    "GET /api/v1/monitor/can_delete?monitor_ids=777,5",
    'POST /api/v1/slo { "monitor_ids" : [777, 2002],  "name":"s" }',
    'POST /api/v2/downtime {"data":{"attributes":{"monitor_identifier":{"monitor_id":"777"}}}}',
    "DELETE /api/v1/monitor/777",
  ]);
  expect(new Set(outcomes(calls))).toEqual(new Set(["same"]));
});

test("no digit of a number above 2^53 is lost: not of an id, not of a number beside it", async () => {
  const [one, other] = ["9007199254740993", "9223372036854775807"];
  answerLive = say({ "POST /api/v1/monitor": `{"id":${one},"n":18446744073709551617}` });
  answerLab = say({ "POST /api/v1/monitor": `{"id":${other},"n":18446744073709551617}` });
  const { calls } = await replay([
    { path: "/api/v1/monitor", body: '{"name":"a"}' },
    {
      method: "PUT",
      path: `/api/v1/monitor/${one}`,
      body: `{"id":${one},"near":9007199254740992,"exact":1.0,"big":1e3}`,
    },
    { path: "/api/v1/slo", body: `{"monitor_ids":[9007199254740992,${one}]}` },
  ]);
  expect(arrived().slice(1)).toEqual([
    `PUT /api/v1/monitor/${other} {"id":${other},"near":9007199254740992,"exact":1.0,"big":1e3}`,
    `POST /api/v1/slo {"monitor_ids":[9007199254740992,${other}]}`,
  ]);
  expect(outcomes(calls)).toEqual(["same", "same", "same"]);
});

test("a number that differs in its last digit beyond 2^53 differs", async () => {
  answerLive = say({ "GET /api/v1/org": '{"n":9007199254740993}' });
  answerLab = say({ "GET /api/v1/org": '{"n":9007199254740992}' });
  const { calls } = await replay([{ path: "/api/v1/org" }]);
  expect(calls[0]?.differences).toEqual([
    { path: "body.n", recorded: "9007199254740993", replayed: "9007199254740992" },
  ]);
});

test("an id that is also a word is not replaced in texts, nor where it is something else", async () => {
  answerLive = say({
    "POST /api/v1/dashboard": '{"id":"abc-def-ghi","title":"abc-def-ghi"}',
    "POST /api/v1/monitor": '{"id":5}',
  });
  answerLab = say({
    "POST /api/v1/dashboard": '{"id":"xyz-uvw-rst","title":"abc-def-ghi"}',
    "POST /api/v1/monitor": '{"id":6}',
  });
  const { calls } = await replay([
    { path: "/api/v1/dashboard", body: '{"title":"abc-def-ghi"}' },
    { path: "/api/v1/monitor", body: '{"name":"5 of 5"}' },
    {
      method: "PUT",
      path: "/api/v1/monitor/5",
      body: '{"id":5,"message":"see abc-def-ghi, 5 times","priority":5,"tags":["abc-def-ghi","5"],"query":"avg(last_5m):x{*} > 5","type":"query alert"}',
    },
    { path: "/api/v1/dashboard/abc-def-ghi?title=abc-def-ghi" },
  ]);
  expect(arrived().slice(2)).toEqual([
    'PUT /api/v1/monitor/6 {"id":6,"message":"see abc-def-ghi, 5 times","priority":5,"tags":["abc-def-ghi","5"],"query":"avg(last_5m):x{*} > 5","type":"query alert"}',
    "GET /api/v1/dashboard/xyz-uvw-rst?title=abc-def-ghi",
  ]);
  expect(outcomes(calls)).toEqual(["same", "same", "same", "same"]);
});

test("the same digits as ids of two things are kept apart", async () => {
  answerLive = say({
    "POST /api/v1/monitor": '{"id":4242}',
    "POST /api/v1/notebooks": '{"data":{"type":"notebooks","id":4242}}',
  });
  answerLab = say({
    "POST /api/v1/monitor": '{"id":11}',
    "POST /api/v1/notebooks": '{"data":{"type":"notebooks","id":22}}',
  });
  await replay([
    { path: "/api/v1/monitor", body: "{}" },
    { path: "/api/v1/notebooks", body: "{}" },
    { path: "/api/v1/monitor/4242" },
    { path: "/api/v1/notebooks/4242" },
    { path: "/api/v1/slo", body: '{"monitor_ids":[4242],"notebook_id":4242,"dashboard_list_id":4242}' },
  ]);
  expect(arrived().slice(2)).toEqual([
    "GET /api/v1/monitor/11",
    "GET /api/v1/notebooks/22",
    'POST /api/v1/slo {"monitor_ids":[11],"notebook_id":22,"dashboard_list_id":4242}',
  ]);
});

test("another thing's counterpart in an answer is a difference, though its digits were the same", async () => {
  answerLive = say({
    "POST /api/v1/monitor": '{"id":4242}',
    "POST /api/v1/notebooks": '{"data":{"id":4242}}',
    "GET /api/v1/slo": '{"monitor_id":4242}',
  });
  answerLab = say({
    "POST /api/v1/monitor": '{"id":11}',
    "POST /api/v1/notebooks": '{"data":{"id":22}}',
    "GET /api/v1/slo": '{"monitor_id":22}',
  });
  const { calls } = await replay([
    { path: "/api/v1/monitor", body: "{}" },
    { path: "/api/v1/notebooks", body: "{}" },
    { path: "/api/v1/slo" },
  ]);
  expect(calls[2]).toMatchObject({
    outcome: "different",
    differences: [{ path: "body.monitor_id", recorded: "4242", replayed: "22" }],
  });
});

test("ids inside a thing, UUIDs, JSON:API's relations, composed ids, composite monitors, searches and members that are ids", async () => {
  const [team, there] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
  answerLive = say({
    "POST /api/v1/dashboard": '{"id":"abc-def-ghi","widgets":[{"id":31,"definition":{"type":"note"}}]}',
    "POST /api/v2/team": `{"data":{"type":"team","id":"${team}"}}`,
    "POST /api/v1/monitor": '{"id":1234567}',
    "POST /api/v1/slo": '{"data":[{"id":"aaaaaaaaaaaaaaaa"}]}',
  });
  answerLab = say({
    "POST /api/v1/dashboard": '{"id":"xyz-uvw-rst","widgets":[{"id":32,"definition":{"type":"note"}}]}',
    "POST /api/v2/team": `{"data":{"type":"team","id":"${there}"}}`,
    "POST /api/v1/monitor": '{"id":7654321}',
    "POST /api/v1/slo": '{"data":[{"id":"bbbbbbbbbbbbbbbb"}]}',
  });
  const { calls } = await replay([
    { path: "/api/v1/dashboard", body: "{}" },
    { path: "/api/v2/team", body: "{}" },
    { path: "/api/v1/monitor", body: "{}" },
    { path: "/api/v1/slo", body: "{}" },
    {
      method: "PUT",
      path: "/api/v1/dashboard/abc-def-ghi",
      body: '{"widgets":[{"id":31,"definition":{"type":"alert_graph","alert_id":"1234567"}}]}',
    },
    {
      path: "/api/v2/team-hierarchy-links",
      body: `{"data":{"relationships":{"parent_team":{"data":{"type":"team","id":"${team}"}}}}}`,
    },
    { method: "POST", path: "/api/v2/restriction_policy/dashboard:abc-def-ghi", body: "{}" },
    { path: "/api/v1/monitor", body: '{"type":"composite","query":"1234567 && !99 || 1234567","name":"1234567"}' },
    { path: "/api/v1/slo/bulk_delete", body: '{"aaaaaaaaaaaaaaaa":["7d"]}' },
    { path: "/api/v1/monitor/search?query=id:1234567%20OR%20title:1234567" },
  ]);
  expect(arrived().slice(4)).toEqual([
    'PUT /api/v1/dashboard/xyz-uvw-rst {"widgets":[{"id":32,"definition":{"type":"alert_graph","alert_id":"7654321"}}]}',
    `POST /api/v2/team-hierarchy-links {"data":{"relationships":{"parent_team":{"data":{"type":"team","id":"${there}"}}}}}`,
    "POST /api/v2/restriction_policy/dashboard:xyz-uvw-rst {}",
    'POST /api/v1/monitor {"type":"composite","query":"7654321 && !99 || 7654321","name":"1234567"}',
    'POST /api/v1/slo/bulk_delete {"bbbbbbbbbbbbbbbb":["7d"]}',
    "GET /api/v1/monitor/search?query=id%3A7654321%20OR%20title%3A1234567",
  ]);
  expect(outcomes(calls).every((outcome) => outcome === "same")).toBe(true);
});

test("what was created then and could not be created here is an error wherever it is named, and never a guess", async () => {
  answerLive = say({ "POST /api/v1/monitor": '{"id":1001}' });
  answerLab = say({ "POST /api/v1/monitor": [400, '{"errors":["no"]}'] });
  const { calls } = await replay([
    { path: "/api/v1/monitor", body: "{}" },
    { path: "/api/v1/monitor/1001" },
    { path: "/api/v1/slo", body: '{"monitor_ids":[1001]}' },
    { path: "/api/v1/monitor/can_delete?monitor_ids=1001" },
    { method: "DELETE", path: "/api/v1/monitor/1001" },
    { path: "/api/v1/org" },
  ]);
  expect(arrived()).toEqual(["POST /api/v1/monitor {}", "GET /api/v1/org"]);
  expect(outcomes(calls)).toEqual(["different", "failed", "failed", "failed", "failed", "same"]);
  expect(calls[0]?.differences).toEqual([{ path: "status", recorded: "200", replayed: "400" }]);
  expect(calls[4]?.reason).toBe(
    'monitor_id "1001" was created by call 1, which was answered 400 here: there is no counterpart here',
  );
});

test("what nothing in the session created is not deleted, not changed and not read in another's place", async () => {
  answerLive = say({ "GET /api/v1/monitor/12": [404, '{"errors":["Monitor not found"]}'] });
  answerLab = say({ "GET /api/v1/monitor/12": [404, '{"errors":["Monitor not found"]}'] });
  const { calls } = await replay([
    { method: "DELETE", path: "/api/v1/monitor/9" },
    { method: "PUT", path: "/api/v1/monitor/10", body: "{}" },
    { path: "/api/v1/monitor/11" },
    // There was none then, and it is asked whether there is one here.
    { path: "/api/v1/monitor/12" },
    // Names are the callers' own.
    { method: "DELETE", path: "/api/v1/integration/webhooks/configuration/webhooks/mine" },
  ]);
  expect(arrived()).toEqual([
    "GET /api/v1/monitor/12",
    "DELETE /api/v1/integration/webhooks/configuration/webhooks/mine",
  ]);
  expect(outcomes(calls)).toEqual(["skipped", "skipped", "skipped", "same", "same"]);
  expect(calls[0]?.reason).toBe(
    'monitor_id "9" was not created in this session: nothing here is known to be its counterpart',
  );
});

test("what a change names beside its thing, and nothing in the session created, is sent as it was and said", async () => {
  answerLive = say({ "POST /api/v1/monitor": '{"id":1001}', "POST /api/v1/slo": '{"data":[{"id":"a1"}]}' });
  answerLab = say({ "POST /api/v1/monitor": '{"id":2002}', "POST /api/v1/slo": '{"data":[{"id":"b2"}]}' });
  const { calls } = await replay([
    { path: "/api/v1/monitor", body: '{"name":"known"}' },
    { path: "/api/v1/slo", body: '{"name":"uptime","monitor_ids":[1001,77,78,79,80]}' },
    { path: "/api/v1/slo", body: '{"name":"uptime","monitor_ids":[1001]}' },
  ]);
  expect(arrived()[1]).toBe('POST /api/v1/slo {"name":"uptime","monitor_ids":[2002,77,78,79,80]}');
  expect(outcomes(calls)).toEqual(["same", "same", "same"]);
  expect(calls.map(({ reason }) => reason)).toEqual([
    "",
    'its body names monitor_id "77", monitor_id "78", monitor_id "79" and 1 more, which no call of the session created: sent as it was',
    "",
  ]);
});

test("what was refused then is not sent, and says what refused it", async () => {
  const session = await scene.open();
  await scene.call(session, { path: "/api/v1/%zz" });
  await scene.call(session, { path: "/proxy/evil.example/api/v1/monitor" });
  const ended = await scene.replay(session.session_id);
  const calls = await scene.replayed(ended.id);
  expect(arrived()).toEqual([]);
  expect(outcomes(calls)).toEqual(["skipped", "skipped"]);
  expect(calls[1]?.reason).toMatch(/evil\.example is no host of Datadog's|it was not sent then/);
});

test("a planted difference is found at its place, and what is volatile has only to be there", async () => {
  const then = {
    id: 1,
    created: "2026-01-01T00:00:00Z",
    options: { thresholds: { critical: 4.5, warning: 2 } },
    tags: ["a", "b"],
  };
  const now = {
    id: 2,
    created: "2026-02-02T00:00:00Z",
    options: { thresholds: { critical: 4.6, warning: 2.0 } },
    tags: ["a"],
    extra: null,
  };
  answerLive = say({ "POST /api/v1/monitor": JSON.stringify(then), "GET /api/v1/org": '{"modified":1}' });
  answerLab = say({ "POST /api/v1/monitor": JSON.stringify(now), "GET /api/v1/org": '{"modified":2}' });
  const { calls } = await replay([{ path: "/api/v1/monitor", body: "{}" }, { path: "/api/v1/org" }]);
  expect(calls[0]?.differences).toEqual([
    { path: "body.options.thresholds.critical", recorded: "4.5", replayed: "4.6" },
    { path: "body.tags[1]", recorded: '"b"', replayed: null },
    { path: "body.extra", recorded: null, replayed: "null" },
  ]);
  // Another operation's field of that name is no volatile one.
  expect(calls[1]?.outcome).toBe("different");
  const { created: _, ...without } = now;
  answerLab = say({ "POST /api/v1/monitor": JSON.stringify({ ...without, ...then, created: undefined }) });
  const again = await replay([{ path: "/api/v1/monitor", body: "{}" }]);
  expect(again.calls[0]?.differences?.[0]).toMatchObject({ path: "body.created", replayed: null });
});

test("more differences than anybody reads are cut, and long values too", async () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`f${n}`, "x".repeat(2_000)]));
  answerLive = say({ "GET /api/v1/org": JSON.stringify(many) });
  answerLab = say({ "GET /api/v1/org": "{}" });
  const { calls } = await replay([{ path: "/api/v1/org" }]);
  expect(calls[0]?.differences).toHaveLength(50);
  expect(calls[0]?.differences?.[0]?.recorded?.length).toBeLessThanOrEqual(500);
});
