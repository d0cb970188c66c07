/** The database goes away, or falls silent, at every step of a call: callers are told the truth in time, and no call stays open. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { RawConnection } from "../standins/rawSocket.ts";
import { send } from "../standins/send.ts";
import { type World, startWorld } from "../standins/world.ts";

const MiB = 1024 * 1024;
const rules = `
    - { name: no-secrets, effect: deny, when: 'operation.name == "SubmitLog" && request.body.exists(one, one.message == "secret")' }
    - { name: everything, effect: allow, when: 'true' }`;

let world: World;
let line: DatabaseLine;
let token: string;
let session: string;
let before: number;
/** Called when the upstream has the whole request, before it answers. */
let meanwhile: () => void = () => undefined;

beforeAll(async () => {
  world = await startWorld(
    ({ url }) => {
      meanwhile();
      return url.includes("large")
        ? { status: 200, body: Buffer.alloc(MiB, "a") }
        : { status: 200, headers: [["Content-Length", "12"]], body: '{"secret":1}' };
    },
    {
      rules,
      databaseThrough: async (connectionString) => {
        line = await DatabaseLine.to(connectionString);
        return line.connectionString;
      },
    },
  );
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(async () => {
  await world.close();
  await line.close();
});
beforeEach(async () => {
  // The token is known and the sink is fresh, whatever the test before did to the database.
  while ((await ask("GET", "/api/v1/validate")).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  before = world.upstream.requests.length;
});
afterEach(() => {
  meanwhile = () => undefined;
  line.thaw();
  line.mend();
});

const ask = (method: string, target: string, body?: Buffer) =>
  send(world.url, {
    method,
    target,
    headers: [
      ["DD-API-KEY", token],
      ["Content-Type", "application/json"],
    ],
    ...(body === undefined ? {} : { body }),
  });

const said = (answer: { status: number; header(name: string): string | null }): string =>
  `${answer.status} ${answer.header("dogwatch-error")}`;

/** How the call with this query ended, once the database is back. */
const stateOf = async (query: string): Promise<string | undefined> =>
  (await world.endedCalls(session)).find((call) => call.query === query)?.state;

test("a token that cannot be looked up gets 503, and nothing is sent", async () => {
  const { access_token: unknown } = await world.openSession({ jti: "not-yet-seen" });
  line.cut();
  const answer = await send(world.url, { target: "/api/v1/monitor", headers: [["DD-API-KEY", unknown]] });
  expect(said(answer)).toBe("503 recording_unavailable");
  expect(answer.errors?.[0]).toMatch(/^dogwatch: .*nothing was sent/);
  expect(world.upstream.requests.length).toBe(before);
});

test("a write whose opening cannot be made durable gets 503 in time, and is not sent", async () => {
  line.freeze();
  const answer = await ask("POST", "/api/v1/monitor?opening", Buffer.from("{}"));
  expect(said(answer)).toBe("503 recording_unavailable");
  line.thaw();
  expect([undefined, "indeterminate"]).toContain(await stateOf("opening"));
  expect(world.upstream.requests.length).toBe(before);
});

test("a large body that rules have read, and that cannot be stored, gets 503", async () => {
  line.cut();
  const logs = Buffer.from(JSON.stringify([{ message: "a".repeat(MiB) }]));
  const answer = await ask("POST", "/proxy/http-intake.logs.datadoghq.com/api/v2/logs", logs);
  expect(said(answer)).toBe("503 recording_unavailable");
  expect(world.upstream.requests.length).toBe(before);
});

test("a refusal that cannot be recorded is a refusal all the same, and does not hang", async () => {
  line.cut();
  const answer = await ask(
    "POST",
    "/proxy/http-intake.logs.datadoghq.com/api/v2/logs",
    Buffer.from('[{"message":"secret"}]'),
  );
  expect(said(answer)).toBe("503 recording_unavailable");
  expect(world.upstream.requests.length).toBe(before);
});

test("a write whose closing cannot be made durable has an unknown outcome, for its caller and for good", async () => {
  meanwhile = () => line.freeze();
  const answer = await ask("POST", "/api/v1/monitor?closing", Buffer.from("{}"));
  expect(said(answer)).toBe("403 outcome_unknown");
  expect(answer.header("dogwatch-call")).toMatch(new RegExp(`^${session}/`));
  line.thaw();
  expect(["indeterminate", "closed"]).toContain(await stateOf("closing"));
  expect(world.upstream.requests.length).toBe(before + 1);
});

test("a read whose receipt cannot be written is withheld", async () => {
  meanwhile = () => line.cut();
  const answer = await ask("GET", "/api/v1/monitor?read");
  expect(said(answer)).toBe("503 recording_unavailable");
  expect(answer.body.toString()).not.toContain("secret");
});

test("an answer that is on its way when the database goes never ends properly", async () => {
  meanwhile = () => line.cut();
  const connection = new RawConnection(world.url);
  await connection.write(
    `POST /api/v1/monitor?large HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\nContent-Length: 2\r\n\r\n{}`,
  );
  await connection.over;
  expect(connection.text).not.toMatch(/\r\n0\r\n\r\n$/);
  line.mend();
  expect(["indeterminate", "closed"]).toContain(await stateOf("large"));
});

test("an upload that can no longer be recorded is cut off, and its call ends", async () => {
  const connection = new RawConnection(world.url);
  await connection.write(
    `POST /api/v2/series?upload HTTP/1.1\r\nHost: h\r\nDD-API-KEY: ${token}\r\nContent-Length: ${8 * MiB}\r\n\r\n`,
  );
  await connection.write(Buffer.alloc(MiB, "a"));
  while (!(await world.calls(session)).some(({ query, state }) => query === "upload" && state === "open"));
  line.cut();
  await connection.write(Buffer.alloc(7 * MiB, "b"));
  await connection.until(/\r\n\r\n.*}$/s);
  expect(connection.text).toContain("outcome_unknown");
  connection.destroy();
  line.mend();
  expect(["indeterminate", "closed"]).toContain(await stateOf("upload"));
  expect(world.upstream.requests.length).toBe(before);
});

test("a session that is closed in the middle of a write has that write's receipt all the same", async () => {
  const { access_token, session_id } = await world.openSession({ jti: "closing-in-the-middle" });
  let closed: Promise<Response> | undefined;
  meanwhile = () => {
    closed = fetch(`${world.url}/v1/sessions/${session_id}/close`, {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}` },
    });
  };
  const answer = await send(world.url, {
    method: "POST",
    target: "/api/v1/monitor",
    headers: [["DD-API-KEY", access_token]],
  });
  expect(answer.status).toBe(200);
  expect((await closed)?.status).toBe(200);
  expect(await world.endedCalls(session_id)).toMatchObject([{ n: 1, state: "closed", status: 200 }]);
  meanwhile = () => undefined;
  const late = await send(world.url, { target: "/api/v1/monitor", headers: [["DD-API-KEY", access_token]] });
  expect(said(late)).toBe("401 session_closed");
});

test("nothing of all that was a surprise", () => {
  expect(world.log.filter((entry) => entry.includes("nobody foresaw"))).toEqual([]);
});
