/** Policies at work in a whole gateway: limits that several jobs and replicas share, answers that are withheld, rules that receipts lead to. */

import { writeFileSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isReplicated } from "../standins/replicas.ts";
import { startGateway } from "../../server/app.ts";
import { startWorld, type World } from "../standins/world.ts";

const rules = `
    - { name: two-a-session, effect: allow, operations: [GetMonitor], limit: 2/session }
    - { name: two-an-hour, effect: allow, operations: [ListMonitors], limit: 2/hour }
    - { name: five-an-hour, effect: allow, operations: [ListMonitors], limit: 5/hour }
    - { name: dashboards, effect: allow, operations: [DashboardsApi] }
    - { name: users, effect: allow, operations: [UsersApi] }
    - { name: notebooks, effect: allow, operations: [NotebooksApi] }
    - { name: no-emails, effect: deny, phase: response, operations: [UsersApi], when: 'response.body.data.exists(u, u.attributes.email.endsWith("@acme.example"))' }
    - { name: no-errors, effect: deny, phase: response, operations: [NotebooksApi], when: response.status >= 500 }
    - { name: trial, effect: deny, phase: response, observe: true, operations: [DashboardsApi], when: 'response.body.title == "secret"' }
    - { name: no-html, effect: deny, phase: response, operations: [DashboardsApi], when: 'response.headers["content-type"] == "text/html"' }
`;

const answers = new Map<string, { status: number; headers: [string, string][]; body: Buffer }>();
const json = (value: unknown, headers: [string, string][] = []) => ({
  status: 200,
  headers: [["content-type", "application/json"], ...headers] as [string, string][],
  body: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});

let world: World;
beforeAll(async () => {
  world = await startWorld(
    (request) => {
      const { status, headers, body } = answers.get(request.url.split("?")[0] ?? "") ?? json({});
      return { status, headers: [...headers, ["content-length", String(body.length)]], body };
    },
    { rules, more: "limits: { inspect: 64KiB }" },
  );
});
afterAll(() => world.close());

const send = (token: string, path: string, init: RequestInit = {}, url = world.url) =>
  fetch(url + path, { ...init, headers: [["authorization", `Bearer ${token}`], ...new Headers(init.headers)] });

describe("limits", () => {
  test("calls that come together cannot get more than there is", async () => {
    const { access_token, session_id } = await world.openSession();
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await send(access_token, "/api/v1/monitor/7")).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    expect(statuses.filter((status) => status === 403)).toHaveLength(10);
    const calls = await world.calls(session_id);
    const refused = calls.find(({ state }) => state === "refused");
    expect(refused?.decision).toMatchObject({
      effect: "deny",
      rules: [],
      near: [{ name: "two-a-session", effect: "allow", clause: "limit: 2/session is used up" }],
    });
    expect(refused?.error).toBe(
      "GetMonitor is denied: no rule allows it; nearest is rule two-a-session, which would allow it but for limit: 2/session is used up",
    );
  });

  test("two gateways on one database count together", async () => {
    const other = await startGateway({ file: world.file, env: {}, log: pino({ level: "silent" }) });
    try {
      const { access_token } = await world.openSession();
      const statuses = await Promise.all(
        Array.from(
          { length: 12 },
          async (_, i) =>
            (await send(access_token, "/api/v1/monitor/7", {}, i % 2 === 0 ? world.url : other.url)).status,
        ),
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    } finally {
      await other.close();
    }
  });

  test("another session has its own", async () => {
    const { access_token } = await world.openSession();
    expect((await send(access_token, "/api/v1/monitor/7")).status).toBe(200);
  });

  test("when one rule's limit is used up the next one gives", async () => {
    const { access_token, session_id } = await world.openSession();
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) statuses.push((await send(access_token, "/api/v1/monitor")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 403]);
    const [first] = await world.calls(session_id);
    expect(first?.decision.rules.map(({ name }) => name)).toEqual(["five-an-hour", "two-an-hour"]);
  });

  test("what was used an hour ago counts no more", async () => {
    const { access_token, session_id } = await world.openSession();
    for (let i = 0; i < 7; i++) await send(access_token, "/api/v1/monitor");
    expect((await send(access_token, "/api/v1/monitor")).status).toBe(403);
    await world.database.query(
      `UPDATE rule_uses SET uses = (SELECT array_agg(t - interval '61 minutes') FROM unnest(uses) t) WHERE session_id = $1`,
      [session_id],
    );
    expect((await send(access_token, "/api/v1/monitor")).status).toBe(200);
  });

  test("a refused call takes nothing", async () => {
    const { access_token, session_id } = await world.openSession();
    await send(access_token, "/api/v1/monitor/7", { method: "DELETE" });
    expect(await world.database.query("SELECT 1 FROM rule_uses WHERE session_id = $1", [session_id])).toEqual([]);
  });
});

describe("rules on answers", () => {
  const user = (email: string) => ({ data: [{ attributes: { email } }] });

  test("an answer that a rule denies is withheld, and its receipt says why", async () => {
    answers.set("/api/v2/users", json(user("ann@acme.example")));
    const { access_token, session_id } = await world.openSession();
    const response = await send(access_token, "/api/v2/users");
    expect(response.status).toBe(403);
    expect(response.headers.get("dogwatch-error")).toBe("response_blocked");
    const text = await response.text();
    expect(text).toContain("the answer to ListUsers is withheld by rule no-emails");
    expect(text).not.toContain("ann@");
    const [call] = await world.calls(session_id);
    expect(call).toMatchObject({
      state: "closed",
      status: 403,
      error_code: "response_blocked",
      decision: { effect: "allow" },
      response_decision: { effect: "deny", rules: [{ name: "no-emails", effect: "deny" }] },
    });
    expect(JSON.stringify(call)).not.toContain("ann@");
    expect((await world.session(session_id)).denied).toBe(1);
  });

  test("an answer that no rule denies passes byte for byte, compressed as it came", async () => {
    const body = gzipSync('{ "data":[ {"attributes":{"email":"x@other.example"}}],"big":9007199254740993 }');
    answers.set("/api/v2/users", {
      status: 200,
      headers: [
        ["content-type", "application/json"],
        ["content-encoding", "gzip"],
      ],
      body,
    });
    const { access_token, session_id } = await world.openSession();
    const response = await send(access_token, "/api/v2/users");
    expect(await response.text()).toContain('"big":9007199254740993');
    const [call] = await world.calls(session_id);
    expect(call).toMatchObject({
      status: 200,
      response_decision: null,
      response: { body: { size: body.length, encoding: "gzip" } },
    });
  });

  test.for<[string, { status: number; headers: [string, string][]; body: Buffer }]>([
    ["no JSON", json("<html>")],
    ["the same key twice", json('{"data":[],"data":[{"attributes":{"email":"ann@acme.example"}}]}')],
    ["broken gzip", json("{}", [["content-encoding", "gzip"]])],
    ["an unknown coding", json('{"data":[]}', [["content-encoding", "br"]])],
    ["a missing field", json({ data: [{ attributes: {} }] })],
    ["a bomb", { status: 200, headers: [["content-encoding", "gzip"]], body: gzipSync(Buffer.alloc(2_000_000, " ")) }],
    ["more than limits.inspect", json({ data: [], more: "x".repeat(70_000) })],
  ])("an answer that cannot be judged is withheld: %s", async ([, answer]) => {
    answers.set("/api/v2/users", answer);
    const { access_token } = await world.openSession();
    const response = await send(access_token, "/api/v2/users");
    expect([response.status, response.headers.get("dogwatch-error")]).toEqual([403, "response_blocked"]);
  });

  test("a call that changed something says that it was made", async () => {
    answers.set("/api/v1/notebooks", { ...json({}), status: 503 });
    const { access_token } = await world.openSession();
    const response = await send(access_token, "/api/v1/notebooks", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("the call was made, and Datadog answered 503");
  });

  test("a rule that only observes lets the answer pass, and the receipt says that it would not have", async () => {
    answers.set("/api/v1/dashboard/abc", json({ title: "secret" }));
    const { access_token, session_id } = await world.openSession();
    const response = await send(access_token, "/api/v1/dashboard/abc");
    expect([response.status, await response.json()]).toEqual([200, { title: "secret" }]);
    expect((await world.calls(session_id))[0]?.response_decision).toMatchObject({
      effect: "observe",
      rules: [{ name: "trial" }],
    });
  });

  test("an answer whose rules need no body streams through, however large", async () => {
    answers.set("/api/v1/notebooks", json({ data: "x".repeat(500_000) }));
    const { access_token } = await world.openSession();
    const response = await send(access_token, "/api/v1/notebooks");
    expect([response.status, (await response.text()).length]).toEqual([200, 500_011]);
  });

  test("an answer without a body is judged as null", async () => {
    const { access_token } = await world.openSession();
    const response = await send(access_token, "/api/v2/users", { method: "HEAD" });
    expect(response.status).toBe(403);
  });
});

describe("the rules that decided", () => {
  test("a receipt leads to their text, also after they changed", async ({ skip }) => {
    skip(isReplicated, "each gateway reads its file for itself, one of them a moment later");
    const { access_token, session_id } = await world.openSession();
    await send(access_token, "/api/v1/dashboard");
    const digest = (await world.calls(session_id))[0]?.decision.policy;
    const before = readFileSync(world.file, "utf8");
    writeFileSync(world.file, before.replace("name: dashboards,", "name: boards,"));
    const loaded = async () => (await world.audit()).filter(({ kind }) => kind === "configuration_loaded");
    await expect.poll(async () => (await loaded()).some(({ reason }) => reason !== `policy ${digest}`)).toBe(true);
    await send(access_token, "/api/v1/dashboard");
    const [, second] = await world.calls(session_id);
    expect(second?.decision.policy).not.toBe(digest);
    expect(second?.decision.rules[0]?.name).toBe("boards");
    const names = async (which: string | undefined) => {
      const found = (await (await world.read(`/v1/policies/${which}`)).json()) as { rules: { name: string }[] };
      return found.rules.map(({ name }) => name);
    };
    expect(await names(digest)).toContain("dashboards");
    expect(await names(second?.decision.policy)).toContain("boards");
  });

  test("sessions and strangers do not see them", async () => {
    const { access_token } = await world.openSession();
    const path = `/v1/policies/${"0".repeat(64)}`;
    expect((await send(access_token, path)).status).toBe(403);
    expect((await fetch(world.url + path)).status).toBe(401);
    expect((await world.read(path)).status).toBe(404);
    expect((await world.read("/v1/policies/nope")).status).toBe(400);
  });

  test("a person finds them from the page of a call", async () => {
    const { access_token, session_id } = await world.openSession();
    await send(access_token, "/api/v1/monitor/7", { method: "DELETE" });
    const signedIn = await fetch(world.url + world.gateway.invite("tests", `/sessions/${session_id}/calls/1`), {
      redirect: "manual",
    });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((one) => one.split(";")[0])
      .join("; ");
    const page = async (path: string) => (await fetch(world.url + path, { headers: { cookie } })).text();
    const [link = ""] = /\/policies\/[0-9a-f]{64}/.exec(await page(`/sessions/${session_id}/calls/1`)) ?? [];
    const shown = await page(link);
    expect(shown).toContain("no-emails");
    expect(shown).toContain("endsWith(&quot;@acme.example&quot;)");
    expect(await page(`/policies/${"0".repeat(64)}`)).toContain("was ever in force");
    expect((await fetch(world.url + link)).status).toBe(401);
  });

  test("what was kept cannot be changed", async () => {
    await expect(world.database.query("UPDATE policies SET source = '{}'")).rejects.toThrow("append-only");
    await expect(world.database.query("DELETE FROM policies")).rejects.toThrow("append-only");
  });
});
