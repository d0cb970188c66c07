/** Sessions: who they are, when they end, and that identity tokens are used once. */

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { closing, newSession, opening, openSession } from "./specimens.ts";

let database: FreshDatabase;
let line: DatabaseLine;
let store: Store;
let other: Store;

beforeAll(async () => {
  database = await freshDatabase();
  line = await DatabaseLine.to(database.connectionString);
  const open = (connectionString: string) => openStore({ connectionString, log: quietLog, clock: () => new Date() });
  [store, other] = await Promise.all([open(database.connectionString), open(line.connectionString)]);
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await line.close();
  await database.drop();
});

test("a caller comes back exactly as it was, whatever is in its claims", async () => {
  const claims = { nul: "a\0b", __proto__: undefined, big: 1e300, nested: [{ deep: null }], "": "empty" };
  const caller = { ...newSession().caller, claims: JSON.parse(JSON.stringify({ ...claims, ["__proto__x"]: 1 })) };
  const session = await store.sessions.open(newSession({ caller }));
  expect(session).toMatchObject({ caller, state: "open", calls: 0, closed_at: null });
  expect(await other.sessions.get(session.id)).toEqual(session);
});

test.each(["", "x", "00000000-0000-7000-8000-000000000000", "' OR true --"])("there is no session %j", async (id) => {
  expect(await store.sessions.get(id)).toBeNull();
});

test("a token is found by its digest at every gateway, a second one beside the first", async () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const expires_at = new Date(Date.now() + 1_000_000);
  const { id, caller } = await store.sessions.open(newSession({ token_digest: first, expires_at }));
  await store.sessions.addToken(id, second, expires_at);
  for (const digest of [first, second])
    expect(await other.sessions.findByToken(digest)).toEqual({
      session_id: id,
      connection: "prod",
      caller,
      expires_at,
      state: "open",
    });
  expect(await store.sessions.findByToken(randomBytes(32))).toBeNull();
});

test("a session that has ended takes no further token, and ends once", async () => {
  const { id } = await openSession(store.sessions);
  const closed = await store.sessions.close(id, "closed");
  expect(closed.state).toBe("closed");
  expect(await other.sessions.close(id, "expired")).toEqual(closed);
  await expect(store.sessions.addToken(id, randomBytes(32), new Date())).rejects.toMatchObject({
    code: "session_closed",
  });
});

test("an identity token is used once, by whichever of many gateways asks first", async () => {
  const expires = new Date(Date.now() + 60_000);
  const uses = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? store : other).sessions.useTokenId("https://issuer", "jti-1", expires),
    ),
  );
  expect(uses.filter(Boolean)).toHaveLength(1);
  expect(await store.sessions.useTokenId("https://another", "jti-1", expires)).toBe(true);
});

test("idle sessions expire; a call on its way keeps its session", async () => {
  const [idle, busy] = await Promise.all([openSession(store.sessions), openSession(store.sessions)]);
  const call = await store.sink.open(opening(busy.id));
  const later = new Date(Date.now() + 60_000);
  expect(await store.sessions.closeIdle(new Date(Date.now() - 60_000))).not.toContain(idle.id);
  const closed = await store.sessions.closeIdle(later);
  expect(closed).toContain(idle.id);
  expect(closed).not.toContain(busy.id);
  expect((await store.sessions.get(idle.id))?.state).toBe("expired");
  await store.sink.close(call, closing());
  expect(await store.sessions.closeIdle(later)).toContain(busy.id);
});

test("an idle session that the database does not let end keeps no other one open", async () => {
  const [bad, idle] = [await openSession(store.sessions), await openSession(store.sessions)];
  await database.query(
    `ALTER TABLE sessions ADD CONSTRAINT not_this_one CHECK (id <> '${bad.id}' OR state = 'open') NOT VALID`,
  );
  const later = new Date(Date.now() + 60_000);
  expect(await store.sessions.closeIdle(later)).toContain(idle.id);
  await expect(store.sessions.closeIdle(later)).rejects.toMatchObject({ code: "recording_unavailable" });
  await database.query("ALTER TABLE sessions DROP CONSTRAINT not_this_one");
  expect(await store.sessions.closeIdle(later)).toEqual([bad.id]);
});

test("the end of a session is heard at every gateway, also of one that was cut off meanwhile", async () => {
  const heard: string[] = [];
  other.sessions.onClosed((id) => heard.push(id));
  const [first, second] = await Promise.all([openSession(store.sessions), openSession(store.sessions)]);
  await store.sessions.close(first.id, "closed");
  await expect.poll(() => heard).toContain(first.id);
  line.cut();
  await store.sessions.close(second.id, "closed");
  line.mend();
  await expect.poll(() => heard).toContain(second.id);
});

test("pages of sessions, newest first, end to end; a cursor that is none is refused", async () => {
  const connection = "paged";
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push((await store.sessions.open(newSession({ connection }))).id);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.sessions.list({ limit: 3, cursor, connection });
    if (!("items" in page)) throw new Error(page.message);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(ids.toReversed());
  const foreign = Buffer.from('["calls",3]').toString("base64url");
  for (const bad of ["", "%%%", foreign, Buffer.from('["sessions","x"]').toString("base64url")])
    expect(await store.sessions.list({ limit: 3, cursor: bad })).toMatchObject({ code: "request_malformed" });
});

test("a database that does not answer is an error that says so, within seconds", async () => {
  line.freeze();
  const started = performance.now();
  await expect(other.sessions.get("00000000-0000-7000-8000-000000000000")).rejects.toMatchObject({
    code: "recording_unavailable",
  });
  expect(performance.now() - started).toBeLessThan(50_000);
  line.thaw();
});
