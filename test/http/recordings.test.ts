/** Who may read what of the recordings, and how they look. */

import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { auditEvent, call, closeAnswer, page, session } from "../../server/contract.ts";
import { accessTokens, audience, startGateway, type TestGateway } from "./gateway.ts";
import { recordCall } from "./recordCall.ts";

const { auditor, admin, viewer, approver } = accessTokens;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.events.length = 0;
});

/** A session with three calls: JSON, a large answer, and gzip. */
const large = Buffer.alloc(40_000, "x");
const gzipped = Buffer.from("1f8b080000000000000300", "hex");
const recorded = async (): Promise<{ id: string; token: string }> => {
  const { session_id = "", access_token = "" } = await gateway.open();
  await recordCall(gateway.store, session_id, {
    request: { bytes: Buffer.from('{"a":1}') },
    response: { bytes: Buffer.from('{"b":"é"}') },
  });
  await recordCall(gateway.store, session_id, { request: null, response: { bytes: large } });
  await recordCall(gateway.store, session_id, {
    request: { bytes: gzipped, encoding: "gzip" },
    response: { bytes: Buffer.from([0xff, 0xfe]), content_type: "text/html\r\nx-evil: 1" },
  });
  gateway.events.length = 0;
  return { id: session_id, token: access_token };
};

describe("an auditor", () => {
  test("sees the session and its calls as the contract shapes them", async () => {
    const { id } = await recorded();
    const shown = await gateway.get(`/v1/sessions/${id}`, auditor);
    expect(shown.json).toEqual(session.parse(shown.json));
    expect(shown.json).toMatchObject({
      id,
      url: `${audience}/sessions/${id}`,
      connection: "prod",
      caller: {
        issuer: gateway.issuer.url,
        subject: "repo:acme/app:ref:refs/heads/main",
        repository_id: "70",
        run_id: "9001",
      },
      state: "open",
      closed_at: null,
      seal: null,
    });
    const calls = await gateway.get(`/v1/sessions/${id}/calls`, auditor);
    expect(calls.json).toEqual(page(call).parse(calls.json));
    expect(calls.json.items.map((item: { n: number }) => item.n)).toEqual([1, 2, 3]);
    expect(calls.json.items[0]).toMatchObject({
      id: `${id}/1`,
      session_id: id,
      url: `${audience}/sessions/${id}/calls/1`,
      operation: "v1.MonitorsApi.CreateMonitor",
      state: "closed",
      status: 200,
      received_at: "2026-05-04T03:02:01.000Z",
      request: {
        headers: [["Content-Type", "application/json"]],
        body: { size: 7, text: '{"a":1}', truncated: false },
      },
      response: { body: { size: 10, text: '{"b":"é"}' } },
    });
    const sha256 = createHash("sha256").update('{"a":1}').digest("hex");
    expect(calls.json.items[0].request.body.sha256).toBe(sha256);
  });

  test("gets bodies over 32 KiB with the one call and not in the list, and what is no text as base64", async () => {
    const { id } = await recorded();
    const [, second, third] = (await gateway.get(`/v1/sessions/${id}/calls`, auditor)).json.items;
    expect(second.request.body).toBeNull();
    expect(second.response.body).toMatchObject({ size: 40_000 });
    expect(second.response.body).not.toHaveProperty("text");
    expect(second.response.body).not.toHaveProperty("base64");
    expect((await gateway.get(`/v1/sessions/${id}/calls/2`, auditor)).json.response.body.text).toBe(large.toString());
    expect(third.request.body).toMatchObject({ encoding: "gzip", base64: gzipped.toString("base64") });
    expect(third.response.body).toMatchObject({ base64: "//4=" });
  });

  test("gets raw bodies byte for byte, in a way no browser runs them", async () => {
    const { id } = await recorded();
    const response = await fetch(`${gateway.url}/v1/sessions/${id}/calls/3/request/body`, {
      headers: { authorization: `Bearer ${auditor}` },
    });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(gzipped);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${id}-3-request"`,
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "dogwatch-content-encoding": "gzip",
      "dogwatch-truncated": "false",
    });
    expect(response.headers.get("content-encoding")).toBeNull();
    const odd = await gateway.get(`/v1/sessions/${id}/calls/3/response/body`, auditor);
    expect(odd.status).toBe(200);
    expect(odd.headers.get("x-evil")).toBeNull();
    const none = await gateway.get(`/v1/sessions/${id}/calls/2/request/body`, auditor);
    expect([none.status, none.headers.get("dogwatch-error")]).toEqual([404, "not_found"]);
  });

  test("is told of a body that has expired, as JSON, as bytes, and on every list, and its receipt is still there", async () => {
    const { id } = await recorded();
    await gateway.store.retain({ bodies: 0, receipts: 400 * 86_400_000 });
    // The day is not over: nothing of it is old enough.
    expect((await gateway.get(`/v1/sessions/${id}/calls/1`, auditor)).json.request.body.expired).toBe(false);
    await gateway.database.query("SELECT drop_bodies(epoch_of($1))", [id]);

    const gone = { size: 7, sha256: null, expired: true, content_type: "application/json", truncated: false };
    const one = await gateway.get(`/v1/sessions/${id}/calls/1`, auditor);
    expect(one.json).toEqual(call.parse(one.json));
    expect(one.json).toMatchObject({ state: "closed", status: 200, request: { body: gone } });
    expect(one.json.request.body).not.toHaveProperty("text");
    expect(one.json.request.body).not.toHaveProperty("base64");
    const list = await gateway.get(`/v1/sessions/${id}/calls`, auditor);
    expect(list.json.items.map((item: { response: { body: unknown } }) => item.response.body)).toMatchObject([
      { size: 10, expired: true },
      { size: 40_000, expired: true },
      { size: 2, expired: true },
    ]);
    for (const side of ["request", "response"]) {
      const raw = await gateway.get(`/v1/sessions/${id}/calls/1/${side}/body`, auditor);
      expect([raw.status, raw.headers.get("dogwatch-error")]).toEqual([410, "expired"]);
      expect(raw.json.errors[0]).toContain("retention.bodies");
    }
    const none = await gateway.get(`/v1/sessions/${id}/calls/2/request/body`, auditor);
    expect(none.status).toBe(404);
  });

  test("lists all sessions, newest first, page by page", async () => {
    const opened = [await gateway.open(), await gateway.open(), await gateway.open()].map(
      ({ session_id }) => session_id,
    );
    const first = await gateway.get("/v1/sessions?limit=2", auditor);
    expect(first.json).toEqual(page(session).parse(first.json));
    const second = await gateway.get(
      `/v1/sessions?limit=2&cursor=${encodeURIComponent(first.json.next_cursor)}`,
      auditor,
    );
    const ids = [...first.json.items, ...second.json.items].map((item: { id: string }) => item.id);
    expect(ids.slice(0, 3)).toEqual(opened.toReversed());
  });

  test("reads calls page by page, to the end", async () => {
    const { id } = await recorded();
    const first = await gateway.get(`/v1/sessions/${id}/calls?limit=2`, auditor);
    const second = await gateway.get(
      `/v1/sessions/${id}/calls?limit=2&cursor=${encodeURIComponent(first.json.next_cursor)}`,
      auditor,
    );
    expect([...first.json.items, ...second.json.items].map((item: { n: number }) => item.n)).toEqual([1, 2, 3]);
    expect(second.json.next_cursor).toBeNull();
  });

  test("reads in the audit log what was refused, newest first, page by page", async () => {
    await gateway.exchange({ subject_token: await gateway.identity({ aud: "elsewhere" }) });
    await gateway.get("/v1/sessions");
    // Events are written within moments; nothing promises when.
    const log = await vi.waitFor(
      async () => {
        const answer = await gateway.get("/v1/audit?limit=2", auditor);
        expect(answer.json.items.map((event: { kind: string }) => event.kind)).toEqual([
          "request_refused",
          "token_refused",
        ]);
        return answer;
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(log.json).toEqual(page(auditEvent).parse(log.json));
    expect(log.json.items[0]).toMatchObject({
      what: "GET /v1/sessions",
      reason: expect.stringMatching(/^token_missing: /),
    });
    expect(log.json.items[1]).toMatchObject({
      who: expect.stringMatching(/^claimed sub/),
      reason: expect.stringMatching(/^audience_mismatch: aud is/),
    });
    const next = await gateway.get(`/v1/audit?limit=2&cursor=${encodeURIComponent(log.json.next_cursor)}`, auditor);
    expect(next.json.items.map((event: { id: string }) => event.id)).not.toContain(log.json.items[1].id);
  });

  test("leaves a trace of every view", async () => {
    const { id } = await recorded();
    const paths = ["", "/calls", "/calls/1", "/calls/1/request/body"];
    for (const path of paths) expect((await gateway.get(`/v1/sessions/${id}${path}`, auditor)).status).toBe(200);
    expect(gateway.events).toMatchObject([
      { kind: "recording_viewed", who: "ops-auditor (auditor)", what: `session ${id}` },
      { kind: "recording_viewed", what: `session ${id}, 3 calls` },
      { kind: "recording_viewed", what: `call ${id}/1` },
      { kind: "recording_viewed", what: `call ${id}/1, request body` },
    ]);
  });

  test("may not close a session", async () => {
    const { id } = await recorded();
    const answer = await gateway.post(`/v1/sessions/${id}/close`, auditor);
    expect([answer.status, answer.headers.get("dogwatch-error")]).toEqual([403, "forbidden"]);
    expect((await gateway.get(`/v1/sessions/${id}`, auditor)).json.state).toBe("open");
  });
});

describe("a session token", () => {
  test("reads its own session and calls, without the bodies", async () => {
    const { id, token } = await recorded();
    expect((await gateway.get(`/v1/sessions/${id}`, token)).json.id).toBe(id);
    for (const answer of [
      (await gateway.get(`/v1/sessions/${id}/calls`, token)).json.items[0],
      (await gateway.get(`/v1/sessions/${id}/calls/1`, token)).json,
    ]) {
      expect(answer.request.body).toMatchObject({ size: 7, content_type: "application/json" });
      expect(Object.keys(answer.request.body)).not.toContain("text");
      expect(Object.keys(answer.response.body)).not.toContain("base64");
    }
    const raw = await gateway.get(`/v1/sessions/${id}/calls/1/request/body`, token);
    expect([raw.status, raw.headers.get("dogwatch-error")]).toEqual([403, "forbidden"]);
    expect(gateway.events.filter((event) => event.kind === "recording_viewed")).toEqual([]);
  });

  test("cannot tell another session from one that does not exist", async () => {
    const other = await recorded();
    const { token } = await recorded();
    const absent = "019b0000-0000-7000-8000-000000000001";
    for (const path of ["", "/calls", "/calls/1", "/calls/1/request/body", "/calls/99/response/body", "/outline"]) {
      const theirs = await gateway.get(`/v1/sessions/${other.id}${path}`, token);
      const none = await gateway.get(`/v1/sessions/${absent}${path}`, token);
      expect([theirs.status, theirs.headers.get("dogwatch-error")]).toEqual([404, "not_found"]);
      expect(theirs.text.replaceAll(other.id, absent)).toBe(none.text);
    }
    const closing = await gateway.post(`/v1/sessions/${other.id}/close`, token);
    expect(closing.status).toBe(404);
    expect((await gateway.get(`/v1/sessions/${other.id}`, auditor)).json.state).toBe("open");
  });

  test("lists no sessions and no audit events", async () => {
    const { token } = await recorded();
    for (const path of ["/v1/sessions", "/v1/audit"]) expect((await gateway.get(path, token)).status).toBe(403);
    expect(gateway.events.map((event) => event.kind)).toEqual(["request_refused", "request_refused"]);
  });

  test.each(["application/json", "application/x-www-form-urlencoded"])(
    "closes its session with an empty body that is called %s, as some clients call every body",
    async (type) => {
      const { id, token } = await recorded();
      const headers = { authorization: `Bearer ${token}`, "content-type": type };
      const close = (body: string) =>
        fetch(`${gateway.url}/v1/sessions/${id}/close`, { method: "POST", headers, body });
      expect((await close("{")).status).toBe(400);
      expect((await close("")).status).toBe(200);
    },
  );

  test("closes its session, twice with one answer and one event, and may still read it", async () => {
    const { id, token } = await recorded();
    const closed = await gateway.post(`/v1/sessions/${id}/close`, token);
    expect(closed.json).toEqual(closeAnswer.parse(closed.json));
    expect(closed.json).toMatchObject({
      calls: 3,
      denied: 0,
      approved: 0,
      masked: 0,
      seal: {
        session_id: id,
        calls: 3,
        head: expect.stringMatching(/^[0-9a-f]{64}$/),
        state: "closed",
        log_index: expect.any(Number),
        checkpoint: expect.stringMatching(/^dogwatch\.example\.com\/v1\/log\n/),
      },
      url: `${audience}/sessions/${id}`,
    });
    const again = await gateway.post(`/v1/sessions/${id}/close`, token);
    expect([again.status, again.json]).toEqual([200, closed.json]);
    expect(gateway.events.filter((event) => event.kind === "session_closed")).toMatchObject([
      { who: "github repo:acme/app:ref:refs/heads/main", what: `session ${id}`, reason: "3 calls, 0 denied" },
    ]);
    expect((await gateway.get(`/v1/sessions/${id}`, token)).json).toMatchObject({
      state: "closed",
      closed_at: expect.any(String),
    });
    expect((await gateway.get(`/v1/sessions/${id}/calls`, token)).json.items).toHaveLength(3);
  });
});

describe("nobody else gets in:", () => {
  test("no token, an invented one, a Datadog key", async () => {
    const { id } = await recorded();
    const cases = [
      [undefined, "token_missing"],
      [`dws_${"x".repeat(43)}`, "token_invalid"],
      ["0123456789abcdef0123456789abcdef", "token_invalid"],
      [auditor.slice(0, -1), "token_invalid"],
    ] as const;
    for (const path of ["/v1/sessions", `/v1/sessions/${id}`, "/v1/sessions/not-a-uuid?limit=banana", "/v1/audit"])
      for (const [token, code] of cases) {
        const answer = await gateway.get(path, token);
        expect([answer.status, answer.headers.get("dogwatch-error")]).toEqual([401, code]);
        expect(answer.headers.get("www-authenticate")).toBe("Bearer");
        expect(answer.json.errors[0]).toMatch(/^dogwatch: /);
        expect(answer.text + JSON.stringify(gateway.events)).not.toContain(token ?? auditor);
      }
    expect(gateway.events).toHaveLength(16);
    expect(gateway.events[0]).toMatchObject({
      kind: "request_refused",
      who: "somebody unknown from 127.0.0.1",
      what: "GET /v1/sessions",
    });
  });

  test("viewer and approver tokens, which have no repositories to see the sessions of", async () => {
    const { id } = await recorded();
    for (const token of [viewer, approver])
      for (const path of ["/v1/sessions", `/v1/sessions/${id}`, `/v1/sessions/${id}/calls/1`, "/v1/audit"])
        expect((await gateway.get(path, token)).status).toBe(403);
    for (const path of ["/v1/sessions", `/v1/sessions/${id}`, "/v1/audit"])
      expect((await gateway.get(path, admin)).status).toBe(200);
  });

  test("a browser that is signed in reads, and acts for nobody", async () => {
    const { id } = await recorded();
    const headers = { cookie: "signed-in" };
    expect((await fetch(`${gateway.url}/v1/sessions/${id}`, { headers })).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/sessions/${id}/close`, { method: "POST", headers })).status).toBe(403);
    const ours = { ...headers, "dogwatch-form": "form-of-signed-in" };
    expect((await fetch(`${gateway.url}/v1/sessions/${id}/close`, { method: "POST", headers: ours })).status).toBe(403);
  });
});

describe("bad input is answered with the place and what was expected:", () => {
  const cases = [
    ["/v1/sessions?limit=201", /limit: .*200/],
    ["/v1/sessions?limit=0", /limit/],
    ["/v1/sessions?limit=1&limit=2", /limit/],
    ["/v1/sessions?limmit=1", /limmit/],
    ["/v1/sessions?cursor=%00%27", /cursor/],
    ["/v1/sessions/42", /id/],
    ["/v1/sessions/019b0000-0000-7000-8000-000000000001/calls/0", /n/],
    ["/v1/sessions/019b0000-0000-7000-8000-000000000001/calls/9999999999", /n/],
  ] as const;
  test.each(cases)("%s", async (path, complaint) => {
    const answer = await gateway.get(path, auditor);
    expect([answer.status, answer.headers.get("dogwatch-error")]).toEqual([400, "request_malformed"]);
    expect(answer.json.errors[0]).toMatch(complaint);
  });

  test.each(["/v1/sessions?limit=&cursor=", "/v1/audit?cursor=", "/v1/approvals?state=", "/v1/search?q=&cursor="])(
    "%s asks for the first page of all: a parameter without a value is omitted",
    async (path) => {
      const bare = await gateway.get(path.split("?")[0] as string, auditor);
      const answer = await gateway.get(path, auditor);
      expect(answer.status).toBe(200);
      if (!path.includes("audit")) expect(answer.json).toEqual(bare.json);
    },
  );

  test("an address that is none", async () => {
    const answer = await gateway.get("/v1/nothing", auditor);
    expect([answer.status, answer.json.errors[0]]).toEqual([404, "dogwatch: there is no GET /v1/nothing"]);
  });

  test("a call or a session that is none", async () => {
    const { id } = await recorded();
    expect((await gateway.get(`/v1/sessions/${id}/calls/4`, auditor)).status).toBe(404);
    expect((await gateway.get("/v1/sessions/019b0000-0000-7000-8000-000000000001/calls", auditor)).status).toBe(404);
  });
});

test("/v1/openapi.json describes every route, with the contract's schemas by name", async () => {
  const { status, json } = await gateway.get("/v1/openapi.json");
  expect(status).toBe(200);
  expect(json.openapi).toBe("3.1.0");
  const routes = Object.entries<Record<string, object>>(json.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.toSorted()).toEqual([
    "DELETE /v1/sessions/{id}/hold",
    "GET /v1/approvals",
    "GET /v1/approvals/{id}",
    "GET /v1/audit",
    "GET /v1/log/checkpoint",
    "GET /v1/log/key",
    "GET /v1/log/tile/entries/{*}",
    "GET /v1/log/tile/{*}",
    "GET /v1/me",
    "GET /v1/policies/{digest}",
    "GET /v1/proof",
    "GET /v1/replays/{id}",
    "GET /v1/replays/{id}/calls",
    "GET /v1/search",
    "GET /v1/search/export",
    "GET /v1/sessions",
    "GET /v1/sessions/{id}",
    "GET /v1/sessions/{id}/calls",
    "GET /v1/sessions/{id}/calls/{n}",
    "GET /v1/sessions/{id}/calls/{n}/request/body",
    "GET /v1/sessions/{id}/calls/{n}/response/body",
    "GET /v1/sessions/{id}/events",
    "GET /v1/sessions/{id}/export",
    "GET /v1/sessions/{id}/outline",
    "GET /v1/sessions/{id}/replays",
    "GET /v1/sessions/{id}/undo",
    "POST /v1/approvals/{id}/answer",
    "POST /v1/masked-values/reveal",
    "POST /v1/masked-values/search",
    "POST /v1/policies/backtest",
    "POST /v1/replays/{id}/cleanup",
    "POST /v1/replays/{id}/stop",
    "POST /v1/sessions/{id}/close",
    "POST /v1/sessions/{id}/hold",
    "POST /v1/sessions/{id}/replays",
    "POST /v1/sessions/{id}/undo",
    "POST /v1/token",
  ]);
  expect(Object.keys(json.components.schemas)).toEqual(
    expect.arrayContaining(["Session", "Call", "TokenAnswer", "TokenError", "Error"]),
  );
  expect(json.paths["/v1/sessions/{id}"].get.responses["200"].content["application/json"].schema).toEqual({
    $ref: "#/components/schemas/Session",
  });
  const consumed = json.paths["/v1/token"].post.requestBody.content["application/x-www-form-urlencoded"].schema;
  expect(consumed.required).toEqual(["grant_type", "subject_token", "subject_token_type"]);
  expect(JSON.stringify(json)).not.toContain('"$ref":"#/components/schemas/undefined');
});
