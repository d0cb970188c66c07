/** The token endpoint over HTTP: every refusal with its own code and message, and in the audit log. */

import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { tokenAnswer, tokenError } from "../../server/contract.ts";
import { newKey, type TestClaims } from "../standins/issuer.ts";
import { type Answer, audience, exchangeForm, startGateway, type TestGateway } from "./gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.events.length = 0;
  gateway.connections.splice(0, gateway.connections.length, { name: "prod", site: "datadoghq.com" });
});

/** One refusal: RFC 6749 in shape, ours in code, and exactly one audit event that names it and holds no token. */
const expectRefused = (answer: Answer, code: string, description: RegExp): void => {
  expect(answer.json).toEqual(tokenError.parse(answer.json));
  expect(answer.json).toMatchObject({ code, error_description: expect.stringMatching(description) });
  expect(answer.status).toBe(400);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(gateway.events).toHaveLength(1);
  expect(gateway.events[0]).toMatchObject({ kind: "token_refused", what: "POST /v1/token" });
  expect(gateway.events[0]?.reason).toContain(`${code}: ${answer.json.error_description}`);
  expect(gateway.events[0]?.who).toContain("127.0.0.1");
  expect(JSON.stringify(gateway.events)).not.toMatch(/eyJ|dws_/);
  gateway.events.length = 0;
};

describe("a token exchange", () => {
  test("opens a session and says everything the caller needs to use it", async () => {
    const answer = await gateway.exchange({ subject_token: await gateway.identity(), connection: "prod" });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual(tokenAnswer.parse(answer.json));
    expect(answer.json).toMatchObject({
      access_token: expect.stringMatching(/^dws_[\w-]{43}$/),
      token_type: "Bearer",
      expires_in: 900,
      connection: "prod",
      session_url: `${audience}/sessions/${answer.json.session_id}`,
      hosts: ["api.datadoghq.com", "http-intake.logs.datadoghq.com"],
    });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(gateway.events).toEqual([
      {
        kind: "session_opened",
        who: "github repo:acme/app:ref:refs/heads/main",
        what: `session ${answer.json.session_id}`,
        reason: "connection prod, from 127.0.0.1",
      },
    ]);
  });

  test("accepts both types an identity token goes by", async () => {
    const subject_token_type = "urn:ietf:params:oauth:token-type:jwt";
    expect((await gateway.exchange({ subject_token: await gateway.identity(), subject_token_type })).status).toBe(200);
  });

  test("stores digests, and neither of the tokens", async () => {
    const subject_token = await gateway.identity();
    const { access_token } = (await gateway.exchange({ subject_token })).json;
    const tables = ["sessions", "session_tokens", "used_token_ids", "audit_events"];
    const rows = await Promise.all(tables.map((table) => gateway.database.query(`SELECT t::text FROM ${table} t`)));
    const stored = JSON.stringify(rows);
    const digest = createHash("sha256").update(access_token).digest("hex");
    expect(stored).toContain(digest);
    expect(stored).not.toContain(access_token.slice(4));
    expect(stored).not.toContain(Buffer.from(access_token).toString("hex"));
    expect(stored).not.toContain(subject_token.split(".")[2]);
  });

  test("keeps every claim, to be read back as it came", async () => {
    const { session_id = "", access_token } = await gateway.open({
      brand_new: { list: [1, "ü", null] },
      __proto__x: 1,
    });
    const { json } = await gateway.get(`/v1/sessions/${session_id}`, access_token);
    expect(json.caller).toMatchObject({ brand_new: { list: [1, "ü", null] }, __proto__x: 1, run_id: "9001" });
  });
});

describe("an identity token is refused, with its own code, message and audit event, when", () => {
  const cases: readonly (readonly [string, string, RegExp, () => Promise<string> | string])[] = [
    [
      "its issuer is unknown",
      "issuer_unknown",
      /^iss is 'https:\/\/evil/,
      () => gateway.identity({ iss: "https://evil.example" }),
    ],
    [
      "its audience is another",
      "audience_mismatch",
      /^aud is 'x', expected 'https:/,
      () => gateway.identity({ aud: "x" }),
    ],
    ["its audience is a list", "audience_mismatch", /^aud is the list/, () => gateway.identity({ aud: [audience] })],
    ["it is unsigned", "algorithm_refused", /^alg is 'none'/, () => gateway.issuer.unsigned({ aud: audience })],
    [
      "it is HMACed with the public key",
      "algorithm_refused",
      /^alg is 'HS256'/,
      () => gateway.issuer.confused({ aud: audience }),
    ],
    [
      "its signature is a stranger's",
      "signature_invalid",
      /^the signature/,
      async () => {
        const kid = gateway.issuer.published[0]?.kid ?? "";
        return gateway.issuer.signWith({ ...(await newKey()), kid }, { aud: audience });
      },
    ],
    [
      "its key is unknown",
      "key_unknown",
      /^kid 'invented'/,
      () => gateway.issuer.sign({ aud: audience }, { kid: "invented" }),
    ],
    [
      "it has expired",
      "token_expired",
      /^exp was 60 s ago/,
      () => gateway.identity({ exp: gateway.clock.now / 1000 - 60 }),
    ],
    [
      "it is not valid yet",
      "token_early",
      /^nbf is 60 s in the future/,
      () => gateway.identity({ nbf: gateway.clock.now / 1000 + 60 }),
    ],
    [
      "its event is dangerous",
      "event_refused",
      /^event_name is 'pull_request_target'/,
      () => gateway.identity({ event_name: "pull_request_target" }),
    ],
    [
      "its repository only has the name",
      "caller_not_allowed",
      /repository_id '71'/,
      () => gateway.identity({ repository_id: "71" }),
    ],
    ["it is no token", "token_malformed", /^subject_token is not a signed JWT/, () => "hello"],
  ];
  test.each(cases)("%s", async (_, code, description, token) => {
    expectRefused(await gateway.exchange({ subject_token: await token() }), code, description);
  });

  test("it was exchanged before, by the same or by anybody else at the same time", async () => {
    const subject_token = await gateway.identity();
    const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.exchange({ subject_token })));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    const replays = answers.filter((answer) => answer.json.code === "token_replayed");
    expect(replays).toHaveLength(7);
    expect(gateway.events.filter((event) => event.kind === "token_refused")).toHaveLength(7);
    gateway.events.length = 0;
    expectRefused(await gateway.exchange({ subject_token }), "token_replayed", /^jti '.*' was used before/);
  });

  test("whoever it claims to be is recorded as a claim", async () => {
    await gateway.exchange({ subject_token: await gateway.identity({ aud: "x" }) });
    expect(gateway.events[0]?.who).toBe(
      `claimed sub 'repo:acme/app:ref:refs/heads/main' of iss '${gateway.issuer.url}' from 127.0.0.1`,
    );
  });
});

describe("the connection", () => {
  const notThisOne = (): { reason: string } => ({ reason: "is false" });

  test("must be named when several allow the caller, and only then", async () => {
    gateway.connections.push(
      { name: "sandbox", site: "datadoghq.eu" },
      { name: "other", site: "datadoghq.eu", allow: notThisOne },
    );
    const subject_token = await gateway.identity();
    const answer = await gateway.exchange({ subject_token });
    expectRefused(answer, "request_invalid", /^connection is missing.*name one of prod, sandbox$/);
    const named = await gateway.exchange({ subject_token, connection: "sandbox" });
    expect(named.json).toMatchObject({
      connection: "sandbox",
      hosts: ["api.datadoghq.eu", "http-intake.logs.datadoghq.eu"],
    });
  });

  test("that does not exist and one that does not allow the caller are refused alike", async () => {
    gateway.connections.push({ name: "secret", site: "datadoghq.com", allow: notThisOne });
    const answers: Answer[] = [];
    for (const connection of ["secret", "absent"]) {
      const answer = await gateway.exchange({ subject_token: await gateway.identity(), connection });
      expect(answer.json.error).toBe("invalid_target");
      answers.push(answer);
      expectRefused(
        answer,
        "connection_not_allowed",
        /^connection '\w+' does not exist or does not allow this caller$/,
      );
    }
    expect(answers[0]?.text.replace("secret", "absent")).toBe(answers[1]?.text);
  });

  test("that is the only one is refused with the reason in the audit log only", async () => {
    gateway.connections.splice(0, 1, { name: "secret", site: "datadoghq.com", allow: notThisOne });
    const answer = await gateway.exchange({ subject_token: await gateway.identity() });
    expect(answer.text).not.toContain("secret");
    expect(gateway.events[0]?.reason).toContain("(connection secret: is false)");
  });
});

describe("a renewal", () => {
  test("gives a new token for the same session, and the old one lives on until it expires", async () => {
    const first = await gateway.open();
    const session = first["session_id"] ?? "";
    gateway.clock.now += 600_000;
    const answer = await gateway.exchange({ subject_token: await gateway.identity(), session });
    expect(answer.json).toMatchObject({ session_id: session, connection: "prod", expires_in: 900 });
    expect(answer.json.access_token).not.toBe(first["access_token"]);
    expect(gateway.events.at(-1)).toMatchObject({ kind: "session_renewed", what: `session ${session}` });
    expect((await gateway.get(`/v1/sessions/${session}`, first["access_token"])).status).toBe(200);
    gateway.clock.now += 300_000;
    const late = await gateway.get(`/v1/sessions/${session}`, first["access_token"]);
    expect([late.status, late.headers.get("dogwatch-error")]).toEqual([401, "token_expired"]);
    expect((await gateway.get(`/v1/sessions/${session}`, answer.json.access_token)).status).toBe(200);
  });

  const others: readonly (readonly [string, TestClaims])[] = [
    ["run_id", { run_id: "9002" }],
    ["run_attempt", { run_attempt: "2" }],
    ["check_run_id", { check_run_id: "556" }],
    ["check_run_id", { check_run_id: undefined }],
  ];
  test.each(others)("by another job of the repository is refused, naming %s and no value", async (claim, changes) => {
    const { session_id = "" } = await gateway.open();
    gateway.events.length = 0;
    const answer = await gateway.exchange({ subject_token: await gateway.identity(changes), session: session_id });
    expectRefused(answer, "session_mismatch", new RegExp(`^${claim} is not the one that session`));
    // Of the session's own id any three digits may be part.
    expect(answer.json.error_description?.replace(session_id, "")).not.toMatch(/9001|555/);
  });

  test("of another subject's session is refused like one of a session that does not exist", async () => {
    const { session_id = "" } = await gateway.open();
    gateway.events.length = 0;
    const absent = "019b0000-0000-7000-8000-000000000001";
    const other = await gateway.exchange({
      subject_token: await gateway.identity({ sub: "repo:acme/app:pull_request" }),
      session: session_id,
    });
    expectRefused(other, "session_mismatch", /^there is no session/);
    const none = await gateway.exchange({ subject_token: await gateway.identity(), session: absent });
    expectRefused(none, "session_mismatch", /^there is no session/);
    expect(other.text.replace(session_id, absent)).toBe(none.text);
  });

  test("of a closed session, on another connection, or with no id is refused", async () => {
    gateway.connections.push({ name: "sandbox", site: "datadoghq.com" });
    const opened = await gateway.exchange({ subject_token: await gateway.identity(), connection: "prod" });
    const { session_id, access_token } = opened.json;
    gateway.events.length = 0;
    const moved = await gateway.exchange({
      subject_token: await gateway.identity(),
      session: session_id,
      connection: "sandbox",
    });
    expectRefused(moved, "session_mismatch", /^connection is 'sandbox'/);
    const odd = await gateway.exchange({ subject_token: await gateway.identity(), session: "x'; DROP TABLE sessions" });
    expectRefused(odd, "session_mismatch", /^there is no session/);
    await gateway.post(`/v1/sessions/${session_id}/close`, access_token);
    gateway.events.length = 0;
    const closed = await gateway.exchange({ subject_token: await gateway.identity(), session: session_id });
    expectRefused(closed, "session_mismatch", /is closed; leave session out/);
  });

  test("needs a fresh identity token", async () => {
    const subject_token = await gateway.identity();
    const { session_id } = (await gateway.exchange({ subject_token })).json;
    gateway.events.length = 0;
    expectRefused(await gateway.exchange({ subject_token, session: session_id }), "token_replayed", /was used before/);
  });

  test("is refused once the connection no longer allows the caller", async () => {
    const { session_id = "" } = await gateway.open();
    gateway.events.length = 0;
    gateway.connections.splice(0, 1, { name: "prod", site: "datadoghq.com", allow: () => ({ reason: "is false" }) });
    const answer = await gateway.exchange({ subject_token: await gateway.identity(), session: session_id });
    expectRefused(answer, "connection_not_allowed", /does not allow this caller/);
  });
});

describe("a request that is no token exchange is refused, and recorded:", () => {
  const send = async (body: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${gateway.url}/v1/token`, { method: "POST", body, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
  };
  const form = "application/x-www-form-urlencoded";

  test("another grant type", async () => {
    const answer = await gateway.exchange({ subject_token: "x", grant_type: "client_credentials" });
    expect(answer.json.error).toBe("unsupported_grant_type");
    expectRefused(answer, "request_invalid", /^grant_type must be urn:ietf/);
  });

  test("another token type", async () => {
    const answer = await gateway.exchange({
      subject_token: "x",
      subject_token_type: "urn:ietf:params:oauth:token-type:saml2",
    });
    expectRefused(answer, "request_invalid", /^subject_token_type must be/);
  });

  test("a parameter that is missing, empty or sent twice", async () => {
    const base = new URLSearchParams(exchangeForm).toString();
    expectRefused(await send(base, { "content-type": form }), "request_invalid", /subject_token/);
    expectRefused(await send(`${base}&subject_token=`, { "content-type": form }), "request_invalid", /subject_token/);
    expectRefused(
      await send(`${base}&subject_token=a&connection=b&connection=c`, { "content-type": form }),
      "request_invalid",
      /connection/,
    );
  });

  test("JSON, or nothing", async () => {
    expectRefused(
      await send("{}", { "content-type": "application/json" }),
      "request_invalid",
      /^content-type is not application.x-www-form/,
    );
    expectRefused(await send(""), "request_invalid", /./);
  });

  test("more than anybody needs to say", async () => {
    const answer = await send(`subject_token=${"x".repeat(100_000)}`, { "content-type": form });
    expect(answer.status).toBe(413);
    expect(answer.json.code).toBe("request_invalid");
  });
});

describe("a breakage is told as one, and not as a refusal:", () => {
  let own: TestGateway;
  beforeAll(async () => {
    own = await startGateway();
  });
  afterAll(() => own.close());

  test("the issuer is down", async () => {
    own.issuer.answerWith((_, response) => {
      response.writeHead(500).end();
      return true;
    });
    const answer = await own.exchange({ subject_token: await own.identity() });
    expect([answer.status, answer.json.code, answer.json.error]).toEqual([
      503,
      "issuer_unreachable",
      "temporarily_unavailable",
    ]);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(own.events[0]?.reason).toContain("answered 500");
    own.issuer.answerWith(null);
    own.clock.now += 5_000;
  });

  test("the database takes no sessions", async () => {
    await own.database.query("ALTER TABLE sessions RENAME TO elsewhere");
    const answer = await own.exchange({ subject_token: await own.identity() });
    await own.database.query("ALTER TABLE elsewhere RENAME TO sessions");
    expect(answer.json).toEqual(tokenError.parse(answer.json));
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.text).not.toContain("sessions");
    const after = await own.exchange({ subject_token: await own.identity() });
    expect(after.status).toBe(200);
  });

  test("the database is gone", async () => {
    const subject_token = await own.identity();
    await own.loseDatabase();
    const answer = await own.exchange({ subject_token });
    expect([answer.status, answer.json.code, answer.json.error]).toEqual([
      503,
      "recording_unavailable",
      "temporarily_unavailable",
    ]);
    expect(answer.headers.get("retry-after")).toBe("5");
  });
});

test("an address that asks too often is told to slow down, in the same shape", async () => {
  const own = await startGateway({ token: 3, all: 1000 });
  try {
    const answers: Answer[] = [];
    for (let i = 0; i < 4; i++) answers.push(await own.exchange({ subject_token: "x" }));
    expect(answers.map((answer) => answer.status)).toEqual([400, 400, 400, 429]);
    expect(answers[3]?.json).toEqual(tokenError.parse(answers[3]?.json));
    expect(answers[3]?.json.code).toBe("rate_limited");
    expect(answers[3]?.headers.get("retry-after")).toBe("60");
    expect(own.events).toHaveLength(3);
  } finally {
    await own.close();
  }
});
