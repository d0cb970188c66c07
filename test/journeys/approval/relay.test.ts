/** The relay before a real gateway: a client that knows nothing of approvals waits for one, and what passed is on record. */

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Client } from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createNetwork, type Network } from "../../../action/network.ts";
import { openRelay, type OpenRelay } from "../../../action/relay/open.ts";
import { systemClock } from "../../../action/relay/session.ts";
import { tellInLog } from "../../../action/relay/tell.ts";
import { type Gateway, startGateway } from "../../../server/app.ts";
import type { ApprovalJson, CallJson, TokenAnswer } from "../../../server/contract.ts";
import { exchange, type Scene, startScene, type Visit, visit } from "../../standins/world.ts";
import { headerOf } from "../../standins/upstream.ts";

const rules = `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: humans, effect: approve, when: 'operation.access != "read"', approvers: { groups: [sre] }, via: [page] }`;

let scene: Scene;
let gateway: Gateway;
let visitor: Visit;
let network: Network;
let database: Client;

beforeAll(async () => {
  scene = await startScene(
    ({ method }) => ({ status: 200, headers: [["content-type", "application/json"]], body: `{"was":"${method}"}` }),
    { rules },
  );
  // A caller that is no GitHub job is answered on the page alone.
  const text = readFileSync(scene.file, "utf8");
  const plain = text.replace("kind: github, ", "").replace(/allow: '[^']*'/, "allow: 'true'");
  writeFileSync(scene.file, plain);
  gateway = await startGateway({ file: scene.file, env: {}, log: pino({ level: "silent" }), patience: 1_000 });
  visitor = visit(gateway.url, scene.issuer);
  network = createNetwork({});
  database = new Client({ connectionString: scene.database.connectionString });
  await database.connect();
});

afterAll(async () => {
  network?.close();
  await database?.end();
  await gateway?.close();
  await scene?.close();
});

let opened: TokenAnswer;
let relay: OpenRelay;
let logged: string[];
const placeholder = randomBytes(32).toString("hex");

beforeEach(async () => {
  opened = await exchange(gateway.url, await scene.issuer.sign({ sub: "agent", aud: "http://gateway.test" }));
  logged = [];
  const log = (line: string) => void logged.push(line);
  relay = await openRelay({
    gateway: { url: new URL(gateway.url), network },
    opened,
    renew: () => Promise.reject(new Error("no renewal here")),
    placeholder,
    intercept: "off",
    clock: systemClock,
    log,
    approvalTimeout: 60_000,
    tell: tellInLog(log, systemClock),
    onStop() {},
  });
  return () => relay.close(0);
});

const send = async (id: string, method = "DELETE") => {
  const answer = await fetch(`${relay.url}/api/v1/monitor/${id}`, { method, headers: { "dd-api-key": placeholder } });
  return { status: answer.status, code: answer.headers.get("dogwatch-error"), text: await answer.text() };
};

const asked = async (): Promise<ApprovalJson> => {
  await expect.poll(() => logged.join("\n")).toContain("waiting for approval of DeleteMonitor");
  const own = { headers: { authorization: `Bearer ${opened.access_token}` } };
  const { items } = (await (await fetch(`${gateway.url}/v1/approvals`, own)).json()) as { items: ApprovalJson[] };
  return items[0] as ApprovalJson;
};

/** As the page writes it down. */
const answer = async (id: string, verdict: "approve" | "deny") => {
  await database.query(
    `INSERT INTO approval_answers (approval_id, key, verdict, by, via, accepted, reason) VALUES ($1, 'page:1', $2, 'okta:ana', 'page', true, '')`,
    [id, verdict],
  );
  const state = verdict === "approve" ? "approved" : "denied";
  await database.query(
    `UPDATE approvals SET state = $2, decided_at = clock_timestamp(), reason = 'by okta:ana' WHERE id = $1`,
    [id, state],
  );
};

const sentTo = (id: string, method = "DELETE") =>
  scene.upstream.requests.filter((request) => request.method === method && request.url.includes(`/monitor/${id}`));

const ownCalls = async (): Promise<readonly CallJson[]> => visitor.endedCalls(opened.session_id);

test("approved, it passes once, and Datadog does not see how the relay asked", async () => {
  const sent = send("1");
  const { id, call_id } = await asked();
  expect(sentTo("1")).toEqual([]);
  await answer(id, "approve");
  expect(await sent).toMatchObject({ status: 200, text: '{"was":"DELETE"}' });
  expect(sentTo("1")).toHaveLength(1);
  for (const request of scene.upstream.requests) expect(headerOf(request, "prefer")).toBeUndefined();
  const calls = (await ownCalls()).filter(({ method }) => method === "DELETE");
  expect(call_id).toBe(calls[0]?.id);
  expect(calls.map(({ state, status, approval_id }) => ({ state, status, approval_id }))).toEqual([
    { state: "refused", status: 202, approval_id: id },
    { state: "closed", status: 200, approval_id: id },
  ]);
});

test("denied, it is not sent", async () => {
  const sent = send("2");
  await answer((await asked()).id, "deny");
  expect(await sent).toMatchObject({ status: 403, code: "approval_denied" });
  expect(sentTo("2")).toEqual([]);
});

test("twenty at once ask one question, and one passes", async () => {
  const all = Promise.all(Array.from({ length: 20 }, () => send("3")));
  const { id } = await asked();
  await expect
    .poll(async () => (await visitor.calls(opened.session_id)).filter(({ status }) => status === 202).length)
    .toBe(20);
  await answer(id, "approve");
  const answers = await all;
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ code }) => code === "approval_required")).toHaveLength(19);
  expect(sentTo("3")).toHaveLength(1);
});

test("the session's end calls it off, and nothing is sent", async () => {
  const sent = send("4");
  await asked();
  const own = { authorization: `Bearer ${opened.access_token}` };
  await fetch(`${gateway.url}/v1/sessions/${opened.session_id}/close`, { method: "POST", headers: own });
  expect(await sent).toMatchObject({ status: 403, code: "approval_cancelled" });
  expect(sentTo("4")).toEqual([]);
});

test("what needs nobody passes as ever", async () => {
  expect(await send("5", "GET")).toMatchObject({ status: 200, text: '{"was":"GET"}' });
  expect(await ownCalls()).toHaveLength(1);
});
