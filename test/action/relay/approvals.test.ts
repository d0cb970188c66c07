/** Calls that wait for a person: asked about once, sent again once, and never when anything is in doubt. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { connect, createServer as createSocketServer } from "node:net";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { logTo } from "../../../action/log.ts";
import { createNetwork } from "../../../action/network.ts";
import { createAuthority } from "../../../action/relay/authority.ts";
import { copyBody, createRoom, longestCopy } from "../../../action/relay/copy.ts";
import { type Relay, startRelay } from "../../../action/relay/relay.ts";
import { systemClock } from "../../../action/relay/session.ts";
import { tellInLog } from "../../../action/relay/tell.ts";
import { createWaits } from "../../../action/relay/waits.ts";
import { freePort } from "../../standins/freePort.ts";
import { hostsOfSite, type StandinGateway, startGateway } from "../../standins/gateway.ts";
import { approvalJson, preferenceOf } from "../../standins/gatewayApprovals.ts";

const placeholder = randomBytes(32).toString("hex");
const key = { "dd-api-key": placeholder };
const monitor = "/api/v1/monitor/4212";

let gateway: StandinGateway;
let relay: Relay;
let logged: string;
let token: string;
const cleanUps: (() => unknown)[] = [];

const open = async (answer?: Parameters<typeof startGateway>[0]) => {
  gateway = await startGateway(answer);
  gateway.tokens.push("dws_first", "dws_second");
  gateway.approvals.holds = ({ method }) => method !== "PATCH";
  cleanUps.push(() => gateway.close());
  relay = await relayTo(gateway.url);
};

const relayTo = async (url: string, timeout = 60_000): Promise<Relay> => {
  [logged, token] = ["", "dws_first"];
  const network = createNetwork({});
  const log = logTo({ write: (line) => (logged += line) });
  const session = { id: "0199-session", token: async () => token, stop() {} };
  const to = { url: new URL(url), network };
  const started = await startRelay({
    gateway: to,
    session,
    authority: await createAuthority(hostsOfSite, Date.now),
    placeholder,
    waits: createWaits({ gateway: to, session, clock: systemClock, timeout, log, tell: tellInLog(log, systemClock) }),
    log,
    onStop() {},
  });
  cleanUps.unshift(
    () => started.close(0),
    () => network.close(),
  );
  return started;
};

beforeEach(() => open());

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

type Sending = {
  method?: string;
  body?: Buffer;
  headers?: Record<string, string>;
  chunked?: boolean;
  agent?: Agent;
  signal?: AbortSignal;
};

/** As a client of Node sends it; `fetch` would refuse some of it. */
const send = async ({ method = "DELETE", body, headers, chunked, agent, signal }: Sending = {}) => {
  const sized = body && !chunked ? { "content-length": String(body.length) } : {};
  const request = httpRequest(`${relay.url}${monitor}`, {
    method,
    headers: { ...key, ...sized, ...headers },
    ...(agent ? { agent } : {}),
    ...(signal ? { signal } : {}),
  });
  if (chunked) request.write(body?.subarray(0, 10));
  request.end(chunked ? body?.subarray(10) : body);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const text = (await buffer(answer)).toString();
  return { status: answer.statusCode, headers: answer.headers, text, reused: request.reusedSocket };
};

const pending = (count = 1) =>
  expect.poll(() => gateway.approvals.polls.length, { timeout: 20_000 }).toBeGreaterThan(count);
const messageOf = (text: string) => (JSON.parse(text) as { errors: string[] }).errors[0];

describe("a call that a person approves", () => {
  test("is sent again as it was, once, and its answer is the client's", async () => {
    const sent = send();
    await pending();
    expect(gateway.approvals.passed).toEqual([]);
    gateway.approvals.decide("approved");
    expect(await sent).toMatchObject({ status: 200, text: "{}" });
    const [first, second, ...more] = gateway.received;
    expect(more).toEqual([]);
    expect(second).toEqual(first);
    expect(gateway.approvals.passed).toEqual([second]);
    expect(gateway.approvals.asked).toHaveLength(1);
  });

  test("the log says who is waited for, where, how long, and how it ended", async () => {
    const sent = send();
    await pending();
    const { url } = gateway.approvals.asked[0] ?? { url: "" };
    expect(logged).toContain(`waiting for approval of DeleteMonitor: ${url}, 1m left\n`);
    gateway.approvals.decide("approved");
    await sent;
    expect(logged).toMatch(/approval of DeleteMonitor: approved, it is sent now \(after \d+s\)\n/);
    expect(logged).not.toMatch(/dws_/);
  });

  test.each([
    ["GET", null, false],
    ["HEAD", null, false],
    ["POST", 300_000, false],
    ["POST", 300_000, true],
    ["PUT", 0, false],
    ["DELETE", 18, false],
  ])("%s with %s bytes, chunked: %s", async (method, size, chunked) => {
    const body = size === null ? null : randomBytes(size);
    const sent = send({ method, chunked, headers: { "x-odd-CASE": "a" }, ...(body ? { body } : {}) });
    await pending();
    gateway.approvals.decide("approved");
    expect((await sent).status).toBe(200);
    const [first, second] = gateway.received;
    expect(second).toEqual(first);
    expect(second?.body.equals(body ?? Buffer.alloc(0))).toBe(true);
    expect(second?.rawHeaders.includes("Transfer-Encoding")).toBe(chunked);
  });

  test("a session renewed meanwhile is asked and sent with its new token", async () => {
    const sent = send();
    await pending();
    token = "dws_second";
    gateway.approvals.instead = { status: 401, code: "token_expired", body: "{}" };
    gateway.approvals.decide("pending");
    await expect.poll(() => gateway.approvals.polls.at(-1)?.token, { timeout: 20_000 }).toBe("dws_second");
    gateway.approvals.instead = null;
    gateway.approvals.decide("approved");
    await sent;
    expect(gateway.approvals.passed[0]?.rawHeaders).toContain("dws_second");
  });

  test("a client's connection is used again after it waited", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sent = send({ agent });
    await pending();
    gateway.approvals.decide("approved");
    expect(await sent).toMatchObject({ status: 200, reused: false });
    expect(await send({ agent, method: "PATCH" })).toMatchObject({ status: 200, reused: true });
    agent.destroy();
  });

  test("of fifty identical requests at once, one passes; the others hear that the approval is used up", async () => {
    const all = Promise.all(Array.from({ length: 50 }, () => send()));
    await expect.poll(() => gateway.received.length, { timeout: 20_000 }).toBe(50);
    await pending();
    gateway.approvals.decide("approved");
    await expect.poll(() => gateway.approvals.passed.length).toBe(1);
    const answers = await all;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = answers.filter(({ headers }) => headers["dogwatch-error"] === "approval_required");
    expect(refused).toHaveLength(49);
    expect(gateway.approvals.asked).toHaveLength(1);
    expect(gateway.received).toHaveLength(51);
    expect(gateway.approvals.polls.length).toBeLessThan(5);
  });
});

describe("a call that nobody approves is not sent", () => {
  test.each(["denied", "expired", "stale", "cancelled"] as const)("%s: 403 in Datadog's error shape", async (state) => {
    const sent = send();
    await pending();
    gateway.approvals.decide(state, { reason: "github:ana said: not on a Friday" });
    const { status, headers, text } = await sent;
    const [{ url, call_id }] = gateway.approvals.asked as [(typeof gateway.approvals.asked)[0]];
    expect(status).toBe(403);
    expect(headers).toMatchObject({ "dogwatch-error": `approval_${state}`, "dogwatch-call": call_id });
    expect(messageOf(text)).toBe(`dogwatch: DeleteMonitor was not sent: github:ana said: not on a Friday (${url})`);
    expect(gateway.approvals.passed).toEqual([]);
    expect(gateway.received).toHaveLength(1);
    expect(logged).toContain("approval of DeleteMonitor: not sent: github:ana said: not on a Friday");
  });

  test("used by another request of the same words", async () => {
    const sent = send();
    await pending();
    gateway.approvals.decide("consumed");
    expect(await sent).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_required" } });
    expect(gateway.received).toHaveLength(1);
  });

  test("no answer within approval-timeout: the question stays, and the same request joins it", async () => {
    relay = await relayTo(gateway.url, 300);
    const late = await send();
    expect(late).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_required" } });
    expect(messageOf(late.text)).toContain("nobody answered within 0s (approval-timeout)");
    expect(gateway.approvals.asked[0]?.state).toBe("pending");
    gateway.approvals.decide("approved");
    expect((await send()).status).toBe(200);
    expect(gateway.approvals.asked).toHaveLength(1);
    expect(gateway.approvals.passed).toHaveLength(1);
  });

  test.each([
    [
      "the session is closed",
      { status: 401, code: "session_closed", body: '{"errors":["closed"]}' },
      "approval_cancelled",
    ],
    ["the approval is not known", { status: 404, code: "not_found", body: '{"errors":["none"]}' }, "approval_required"],
    ["it may not be asked about", { status: 403, code: "denied", body: "{}" }, "approval_required"],
  ])("%s", async (_, instead, code) => {
    gateway.approvals.instead = instead;
    expect(await send()).toMatchObject({ status: 403, headers: { "dogwatch-error": code } });
    expect(gateway.received).toHaveLength(1);
  });

  test.each([
    ["is a page of something else", "<html>approved</html>"],
    ["is of another approval", JSON.stringify(approvalJson("http://x.example", { state: "approved" }))],
    ["lacks what an approval has", '{"state":"approved"}'],
  ])("the answer about it %s", async (_, body) => {
    relay = await relayTo(gateway.url, 800);
    gateway.approvals.instead = { status: 200, body };
    expect(await send()).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_required" } });
    expect(gateway.received).toHaveLength(1);
    expect(gateway.approvals.polls.length).toBeLessThan(5);
  });

  test("a gateway that asks for the same approval again after it was used is not followed in a circle", async () => {
    const given = approvalJson("http://x.example", { state: "approved" });
    await open(() => ({ status: 202, headers: ["dogwatch-approval", given.id], body: "{}" }));
    gateway.approvals.holds = () => false;
    gateway.approvals.asked.push(given);
    expect(await send()).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_required" } });
    expect(gateway.received).toHaveLength(2);
  });

  test("an approval without an id is refused, and no path is made of it", async () => {
    await open(() => ({ status: 202, headers: ["dogwatch-approval", "../sessions/x/close"], body: "{}" }));
    gateway.approvals.holds = () => false;
    expect(await send()).toMatchObject({ status: 403 });
    expect(gateway.approvals.polls).toEqual([]);
    expect(gateway.closed).toEqual([]);
  });

  test("what people wrote can neither forge a line nor steer a terminal", async () => {
    const sent = send();
    await pending();
    const hostile = "no\u001b[2J\n::error::owned\r\u202eapproved\u0007";
    gateway.approvals.decide("denied", {
      reason: hostile,
      operation: `v1.X.${hostile}`,
      where: [{ kind: "comment", url: "https://github.com/o/r/pull/1" }],
    });
    const message = messageOf((await sent).text) as string;
    for (const text of [message, logged.replaceAll("\n", "")]) expect(text).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
    expect(logged.split("\n").filter((line) => !/^\d{4}-\d\d-\d\dT\S+ /.test(line))).toEqual([""]);
  });
});

describe("what is none of the relay's business", () => {
  test("a 202 of Datadog itself is the client's", async () => {
    await open(() => ({ status: 202, headers: ["content-type", "application/json"], body: '{"status":"ok"}' }));
    gateway.approvals.holds = () => false;
    expect(await send({ method: "POST", body: Buffer.from("[]") })).toMatchObject({
      status: 202,
      text: '{"status":"ok"}',
    });
    expect(gateway.approvals.polls).toEqual([]);
    expect(gateway.received).toHaveLength(1);
  });

  test.each([
    ["respond-async, wait=10", 202],
    ["return=minimal", 403],
  ])("a client that prefers %s itself gets what the gateway says", async (prefer, status) => {
    const answer = await send({ headers: { Prefer: prefer } });
    expect(answer.status).toBe(status);
    expect(preferenceOf(gateway.received[0] as (typeof gateway.received)[0])).toBe(prefer);
    expect(gateway.received).toHaveLength(1);
    expect(gateway.approvals.polls).toEqual([]);
  });

  test("post reads approvals through the relay; nobody answers one through it", async () => {
    const { id } = approvalJson("http://x.example");
    gateway.approvals.asked.push(approvalJson(gateway.url, { id }));
    const through = async (path: string, method = "GET") =>
      (await fetch(`${relay.url}/dogwatch${path}`, { method, headers: { authorization: `Bearer ${placeholder}` } }))
        .status;
    expect(await through(`/v1/approvals/${id}?wait=0`)).toBe(200);
    expect(await through(`/v1/approvals/${id}/answer`, "POST")).toBe(404);
    expect(await through(`/v1/approvals/${id}`, "POST")).toBe(404);
    expect(await through("/v1/approvals?state=pending")).toBe(404);
    expect(await through(`/v1/approvals/${id}?wait=0&x=1`)).toBe(404);
    expect(gateway.approvals.polls).toHaveLength(1);
  });
});

describe("bodies", () => {
  test("one of exactly 8 MiB can wait, one byte more is left to the gateway's own patience", async () => {
    const body = Buffer.alloc(longestCopy + 1, "x");
    expect(await send({ method: "POST", body })).toMatchObject({
      status: 403,
      headers: { "dogwatch-error": "approval_required" },
    });
    expect(preferenceOf(gateway.received[0] as (typeof gateway.received)[0])).toBe("");
    const sent = send({ method: "POST", body: body.subarray(1) });
    await pending();
    gateway.approvals.decide("approved");
    expect((await sent).status).toBe(200);
    expect(gateway.approvals.passed[0]?.body.length).toBe(longestCopy);
  });

  test("one whose length is not told, and that turns out too long, is told to come again", async () => {
    const body = Buffer.alloc(longestCopy + 1, "x");
    const refused = await send({ method: "POST", body, chunked: true });
    expect(refused).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_required" } });
    const [{ id }] = gateway.approvals.asked as [(typeof gateway.approvals.asked)[0]];
    expect(messageOf(refused.text)).toContain(
      `send the same request again once it is approved (${gateway.url}/approvals/${id})`,
    );
    gateway.approvals.decide("approved");
    expect((await send({ method: "POST", body, chunked: true })).status).toBe(200);
    expect(gateway.approvals.asked).toHaveLength(1);
  });

  test("all copies together have limited room, which is given back", async () => {
    const room = createRoom(100);
    const bodyOf = (headers: Record<string, string>) =>
      Object.assign(new PassThrough(), { headers }) as never as IncomingMessage;
    const first = copyBody(bodyOf({ "content-length": "60" }), room);
    expect(copyBody(bodyOf({ "content-length": "60" }), room)).toBeNull();
    const chunked = bodyOf({});
    const copy = copyBody(chunked, room);
    copy?.start();
    (chunked as never as PassThrough).end("x".repeat(41));
    expect(await copy?.whole()).toBeNull();
    first?.drop();
    first?.drop();
    expect(room.take(101)).toBe(false);
    expect(room.take(100)).toBe(true);
  });
});

describe("clients that do not wait", () => {
  test("a client that hangs up does not call the question off, and the same request joins it", async () => {
    const hangUp = new AbortController();
    const first = send({ signal: hangUp.signal });
    await pending();
    hangUp.abort();
    await expect(first).rejects.toThrow("aborted");
    await expect.poll(() => logged).toContain("the client hung up; the question stays open");
    const second = send();
    await expect.poll(() => gateway.received.length).toBe(2);
    await expect.poll(() => logged.match(/waiting for approval/g)?.length).toBe(2);
    gateway.approvals.decide("approved");
    expect((await second).status).toBe(200);
    expect(gateway.approvals.asked).toHaveLength(1);
    expect(gateway.approvals.passed).toHaveLength(1);
  });

  test("approved while nobody waits: nothing is sent until the client comes again", async () => {
    const hangUp = new AbortController();
    const first = send({ signal: hangUp.signal });
    await pending();
    hangUp.abort();
    await expect(first).rejects.toThrow("aborted");
    await expect.poll(() => logged).toContain("hung up");
    gateway.approvals.decide("approved");
    expect((await send()).status).toBe(200);
    expect(gateway.received).toHaveLength(2);
    expect(gateway.approvals.passed).toHaveLength(1);
  });

  test("a client of five tries with a short limit ends with one question and one effect", async () => {
    for (let tries = 1; tries <= 5; tries += 1) {
      const hangUp = new AbortController();
      const sent = send({ signal: hangUp.signal });
      await expect.poll(() => logged.match(/waiting for approval/g)?.length).toBe(tries);
      if (tries === 5) gateway.approvals.decide("approved");
      else hangUp.abort();
      const ended = await sent.catch((error: Error) => error);
      if (tries === 5) expect(ended).toMatchObject({ status: 200 });
      await expect.poll(() => logged.match(/hung up/g)?.length ?? 0).toBe(Math.min(tries, 4));
    }
    expect(gateway.approvals.asked).toHaveLength(1);
    expect(gateway.approvals.passed).toHaveLength(1);
  });

  test("one of two that wait hangs up: the other one is served", async () => {
    const hangUp = new AbortController();
    const first = send({ signal: hangUp.signal });
    await pending();
    const second = send();
    await expect.poll(() => gateway.received.length).toBe(2);
    hangUp.abort();
    await expect(first).rejects.toThrow("aborted");
    // By the time another call is through, the relay has seen it.
    await send({ method: "PATCH" });
    gateway.approvals.decide("approved");
    expect((await second).status).toBe(200);
    expect(gateway.approvals.passed.map(({ method }) => method)).toEqual(["PATCH", "DELETE"]);
  });
});

describe("when connections break", () => {
  test("asking goes on through broken connections and a gateway that cannot serve", async () => {
    gateway.approvals.breakPolls = 2;
    const sent = send();
    await pending(2);
    gateway.approvals.instead = { status: 503, body: "{}" };
    gateway.approvals.decide("pending");
    await pending(4);
    gateway.approvals.decide("approved");
    gateway.approvals.instead = null;
    expect((await sent).status).toBe(200);
    expect(gateway.received).toHaveLength(2);
    expect(logged.match(/cannot be asked about/g)?.length).toBeLessThan(3);
  });

  test("an approved call whose answer is lost is never repeated: 403 outcome_unknown", async () => {
    await open((_, request) => {
      request.socket.destroy();
      return null;
    });
    const sent = send();
    await pending();
    gateway.approvals.decide("approved");
    expect(await sent).toMatchObject({ status: 403, headers: { "dogwatch-error": "outcome_unknown" } });
    expect(gateway.approvals.passed).toHaveLength(1);
    expect(gateway.received).toHaveLength(2);
  });

  test("an approval that the gateway could not use at first is used when it can", async () => {
    let tries = 0;
    await open(() => {
      if (++tries > 2) return { status: 200, body: "{}" };
      gateway.approvals.decide("approved");
      return { status: 403, headers: ["dogwatch-error", "approval_required"], body: '{"errors":["GitHub is away"]}' };
    });
    const sent = send();
    await pending();
    gateway.approvals.decide("approved");
    expect(await sent).toMatchObject({ status: 200, text: "{}" });
    expect(tries).toBe(3);
    expect(gateway.approvals.asked).toHaveLength(1);
  });

  test("an approval that another request used in that moment is not used again", async () => {
    await open(() => ({ status: 403, headers: ["dogwatch-error", "approval_required"], body: '{"errors":["used"]}' }));
    const sent = send();
    await pending();
    gateway.approvals.decide("approved");
    expect(await sent).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_required" } });
    expect(gateway.received).toHaveLength(2);
  });

  test("an approved call that could not be sent is sent once the gateway is back", async () => {
    const front = createSocketServer((socket) => {
      const onward = connect(Number(new URL(gateway.url).port), "127.0.0.1");
      for (const side of [socket, onward]) side.on("error", () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    });
    const port = await freePort();
    front.listen(port, "127.0.0.1");
    await once(front, "listening");
    relay = await relayTo(`http://127.0.0.1:${port}`);
    // Every question has a connection of its own, so that the sending needs a new one.
    gateway.closesConnections = true;
    const sent = send();
    await pending();
    front.close();
    gateway.approvals.decide("approved");
    await expect.poll(() => logged, { timeout: 20_000 }).toContain("cannot be asked about");
    expect(gateway.approvals.passed).toEqual([]);
    front.listen(port, "127.0.0.1");
    expect((await sent).status).toBe(200);
    expect(gateway.approvals.passed).toHaveLength(1);
    front.close();
  });
});

describe("the end of the job", () => {
  test("ends waits at once, and the client hears why", async () => {
    const agent = new Agent({ keepAlive: true });
    const sent = send({ agent });
    await pending();
    const closed = relay.close(3_600_000);
    const { status, headers, text } = await sent;
    expect({ status, code: headers["dogwatch-error"] }).toEqual({ status: 403, code: "approval_cancelled" });
    expect(messageOf(text)).toContain("the job ended while it waited for approval");
    await closed;
    expect(gateway.received).toHaveLength(1);
    agent.destroy();
  });

  test("a session that is closed meanwhile ends its waits", async () => {
    const sent = send();
    await pending();
    const session = gateway.approvals.asked[0]?.session_id as string;
    await fetch(`${gateway.url}/v1/sessions/${session}/close`, {
      method: "POST",
      headers: { authorization: "Bearer dws_first" },
    });
    expect(await sent).toMatchObject({ status: 403, headers: { "dogwatch-error": "approval_cancelled" } });
  });
});
