/** Recordings and sandboxes that were made by somebody who wants a replay to hit, to show or to send something else. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ReplayedCallJson } from "../../../server/contract.ts";
import { startUpstream, type Answerer, type Upstream } from "../../standins/upstream.ts";
import { type ReplayScene, type SceneCall, startReplayScene } from "./scene.ts";

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
  scene = await startReplayScene({
    endpoints: { live: live.url, lab: lab.url },
    more: "  masks: [{ name: hooks, fields: ['$.secret'], where: [reply, recording] }]",
  });
});
afterAll(async () => {
  await scene?.close();
  await Promise.all([live.close(), lab.close()]);
});
beforeEach(() => {
  [answerLive, answerLab] = [say({}), say({})];
  before = lab.requests.length;
});

const say =
  (answers: Readonly<Record<string, string>>): Answerer =>
  ({ method, url }) => ({
    status: 200,
    headers: [["content-type", "application/json"]],
    body: answers[`${method} ${url.split("?")[0]}`] ?? "{}",
  });

const record = async (calls: readonly SceneCall[]): Promise<string> => {
  const session = await scene.open();
  for (const call of calls) await scene.call(session, call);
  return session.session_id;
};

const replay = async (calls: readonly SceneCall[], options = {}): Promise<readonly ReplayedCallJson[]> => {
  const ended = await scene.replay(await record(calls), options);
  expect(ended.state, ended.reason).toBe("done");
  return scene.replayed(ended.id);
};

const arrived = (): readonly string[] =>
  lab.requests
    .slice(before)
    .map(({ method, url, body }) => `${method} ${url}${body.length === 0 ? "" : ` ${body.toString()}`}`);

const cleaned = async (id: string) => {
  before = lab.requests.length;
  expect((await scene.ask("POST", `/v1/replays/${id}/cleanup`)).status).toBe(200);
  return scene.ended(id);
};

describe("ids of the sandbox's that are no part of a path", () => {
  test.each([
    ["half of a letter", '"\\ud800"'],
    ["a step upwards", '".."'],
  ])("%s: the call has failed, and those behind it are sent", async (_, id) => {
    answerLive = say({ "POST /api/v1/dashboard": '{"id":"abc-def-ghi"}' });
    answerLab = say({ "POST /api/v1/dashboard": `{"id":${id}}` });
    const calls = await replay([
      { path: "/api/v1/dashboard", body: "{}" },
      { path: "/api/v1/dashboard/abc-def-ghi" },
      { path: "/api/v2/reports?dashboard_id=abc-def-ghi" },
      { path: "/api/v1/org" },
    ]);
    expect(arrived()).not.toContain("GET /api/v1/dashboard");
    expect(arrived()).not.toContain("GET /api/v1/");
    expect(calls.map(({ outcome }) => outcome).filter((_, n) => n !== 2)).toEqual(["same", "failed", "same"]);
  });

  test.each(["dwm_x/../../user", "dwm_secret-field_AAAAAAAAAAAA?force=true", "dwm_a%2F..", "dwm_b#"])(
    "what is cleaned up is named by one segment, also when it looks like a masked value: %s",
    async (id) => {
      [answerLive, answerLab] = [
        say({ "POST /api/v1/monitor": '{"id":1}' }),
        say({ "POST /api/v1/monitor": JSON.stringify({ id }) }),
      ];
      const ended = await scene.replay(await record([{ path: "/api/v1/monitor", body: "{}" }]));
      await cleaned(ended.id);
      // What two servers could read differently does not pass the gateway's own door.
      for (const sent of arrived()) expect(sent).toBe(`DELETE /api/v1/monitor/${encodeURIComponent(id)}`);
    },
  );
});

describe("what nothing in the session created", () => {
  const notHere = /was not created in this session: nothing here is known to be its counterpart/;

  test.each([
    ["DELETE", "/api/v1/dashboard", '{"data":[{"id":"abc-def-ghi","type":"dashboard"}]}'],
    ["PATCH", "/api/v1/dashboard", '{"data":[{"id":"abc-def-ghi","type":"dashboard"}]}'],
    ["POST", "/api/v1/synthetics/tests/delete", '{"public_ids":["abc-def-ghi"]}'],
    ["POST", "/api/v1/slo/bulk_delete", '{"0123456789abcdef0123456789abcdef":["7d"]}'],
  ])("is not hit by %s %s, which names it in its body", async (method, path, body) => {
    const [call] = await replay([{ method, path, body }]);
    expect(arrived()).toEqual([]);
    expect(call).toMatchObject({ outcome: "skipped", reason: expect.stringMatching(notHere) });
  });

  test("is not cleaned up: a host's tags that were there, which adding one does not make the replay's", async () => {
    const ended = await scene.replay(
      await record([{ path: "/api/v1/tags/hosts/web-1", body: '{"host":"web-1","tags":["a"]}' }]),
    );
    expect(arrived()).toHaveLength(1);
    const { cleanup } = await cleaned(ended.id);
    expect(arrived()).toEqual([]);
    expect(cleanup).toMatchObject({ state: "done", deleted: 0 });
  });
});

describe("masked values", () => {
  const secret = "the-key-of-somebody-else";

  test("one that a caller wrote where no mask would have put it is not restored: then its token was sent, and nobody sees the value", async () => {
    answerLive = say({
      "GET /api/v1/integration/webhooks/configuration/webhooks/w": `{"name":"w","secret":"${secret}"}`,
    });
    const session = await scene.open();
    const read = await scene.call(session, { path: "/api/v1/integration/webhooks/configuration/webhooks/w" });
    const token: string = JSON.parse(read.body.toString()).secret;
    expect(token).toMatch(/^dwm_/);
    await scene.call(session, { path: "/api/v1/monitor", body: { name: "x", message: token } });
    await scene.call(session, { path: "/api/v1/monitor", body: { name: "x" }, headers: [["X-Note", token]] });
    await scene.call(session, { path: `/api/v1/monitor/search?query=${token}` });
    await scene.call(session, { path: "/api/v1/monitor", body: { name: "y", secret: "its own" } });
    before = lab.requests.length;
    const ended = await scene.replay(session.session_id, { masked: "restore" });
    expect(ended.state, ended.reason).toBe("done");
    const sent = lab.requests.slice(before);
    expect(JSON.stringify(sent.map(({ url, rawHeaders, body }) => [url, rawHeaders, body.toString()]))).not.toContain(
      secret,
    );
    // What a mask itself took out comes back.
    expect(arrived()).toContain('POST /api/v1/monitor {"name":"y","secret":"its own"}');
    expect(JSON.stringify(await scene.calls(ended.replay_session_id ?? ""))).not.toContain(secret);
  });

  test.each(["7", "42", "!?", "***", "Ж", "—", "😀", " "])("nothing that stands for %s is it", async (value) => {
    const sent: string[] = [];
    for (const n of [1, 2, 3]) {
      const body = { name: `${value}${n}`, secret: value };
      await replay([{ path: "/api/v1/monitor", body }]);
      sent.push(JSON.parse(lab.requests.at(-1)?.body.toString() ?? "{}").secret);
    }
    expect(sent).not.toContain(value);
  });
});

test("what is named by a secret of the sandbox's own is cleaned up by that, and a token that a sandbox answers opens nothing", async () => {
  const key = "0123456789abcdef0123456789abcdef";
  answerLive = say({
    "POST /api/v1/api_key": `{"api_key":{"key":"${key.toUpperCase()}","name":"a"}}`,
    "GET /api/v1/org": '{"secret":"of another one"}',
  });
  answerLab = say({ "POST /api/v1/api_key": `{"api_key":{"key":"${key}","name":"a"}}` });
  const session = await scene.open();
  await scene.call(session, { path: "/api/v1/api_key", body: { name: "a" } });
  const read = await scene.call(session, { path: "/api/v1/org" });
  const token: string = JSON.parse(read.body.toString()).secret;
  const ended = await scene.replay(session.session_id);
  expect(JSON.stringify(await scene.calls(ended.replay_session_id ?? ""))).not.toContain(key);
  await cleaned(ended.id);
  expect(arrived()).toEqual([`DELETE /api/v1/api_key/${key}`]);

  answerLab = say({ "POST /api/v1/api_key": `{"api_key":{"key":"${token}","name":"a"}}` });
  const other = await scene.replay(session.session_id);
  await cleaned(other.id);
  // To the sandbox its own id goes back, as it said it.
  expect(arrived()).toEqual([`DELETE /api/v1/api_key/${encodeURIComponent(token)}`]);
});

test("no more replays begin together than a gateway may be at", async () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const session = await record([{ path: "/api/v1/org" }]);
  answerLab = async () => {
    await opened;
    return { status: 200, body: "{}" };
  };
  const asked = await Promise.all(
    Array.from({ length: 40 }, () =>
      scene.ask("POST", `/v1/sessions/${session}/replays`, { body: { connection: "lab" } }),
    ),
  );
  const begun = asked.filter(({ status }) => status === 201);
  expect(asked.filter(({ status }) => status === 503)).toHaveLength(40 - begun.length);
  open();
  for (const { json } of begun) await scene.ended(json.id);
  // Two gateways may be at as many each.
  expect(begun.length).toBeLessThanOrEqual(16);
  // What the tests before began may not have left yet.
  expect(begun.length).toBeGreaterThan(0);
});
