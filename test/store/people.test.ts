/** Sign-ins and round trips in the database: found by digest, ended for good, used once whoever comes first. */

import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GatewayError } from "../../server/errors.ts";
import type { Identity } from "../../server/model/person.ts";
import type { SignIn } from "../../server/store/people.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { sweep } from "../../server/store/recover.ts";
import { openRows } from "../../server/store/rows.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";

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

const digest = (): Buffer => createHash("sha256").update(randomBytes(32)).digest();
const octocat: Identity = {
  provider: "github",
  issuer: "https://github.com",
  subject: "583231",
  login: "octocat",
  groups: [],
};
const day = 86_400_000;
const terms = digest();
const signedIn: SignIn = { ...octocat, terms };

test("who signed in is known at every gateway, by the digest alone", async () => {
  const cookie = digest();
  await store.people.signIn(octocat, { digest: cookie, before: null, terms }, day);
  expect(await other.people.signedIn(cookie, day)).toEqual(signedIn);
  expect(await other.people.signedIn(digest(), day)).toBeNull();
});

test("numbers of accounts beyond what a number can tell apart come back whole, and so do groups", async () => {
  const cookie = digest();
  const late = { ...octocat, subject: "9007199254740993", groups: ["a", "b c"] };
  await store.people.signIn(late, { digest: cookie, before: null, terms }, day);
  expect(await store.people.signedIn(cookie, day)).toEqual({ ...late, terms });
});

test("a sign-in ends the one before it in the same commit", async () => {
  const [first, second] = [digest(), digest()];
  await store.people.signIn(octocat, { digest: first, before: null, terms }, day);
  await store.people.signIn(octocat, { digest: second, before: first, terms }, day);
  expect(await store.people.signedIn(first, day)).toBeNull();
  expect(await store.people.signedIn(second, day)).toEqual(signedIn);
});

test("it ends when its time is over, or when it was idle too long; use is noted", async () => {
  const [over, idle, used] = [digest(), digest(), digest()];
  await store.people.signIn(octocat, { digest: over, before: null, terms }, 0);
  expect(await store.people.signedIn(over, day)).toBeNull();
  for (const cookie of [idle, used]) await store.people.signIn(octocat, { digest: cookie, before: null, terms }, day);
  await database.query("UPDATE sign_ins SET used_at = now() - interval '2 hours' WHERE digest = ANY($1)", [
    [idle, used],
  ]);
  expect(await store.people.signedIn(idle, 3_600_000)).toBeNull();
  expect(await store.people.signedIn(used, 3 * 3_600_000)).toEqual(signedIn);
  expect(await store.people.signedIn(used, 3_600_000)).toEqual(signedIn);
});

test("signing out says who it was, once", async () => {
  const cookie = digest();
  await store.people.signIn(octocat, { digest: cookie, before: null, terms }, day);
  expect(await other.people.signOut(cookie)).toEqual(octocat);
  expect(await store.people.signOut(cookie)).toBeNull();
  expect(await store.people.signedIn(cookie, day)).toBeNull();
});

test("signing out everywhere ends every sign-in of the same account of the same server, and nobody else's", async () => {
  const [here, there, other, elsewhere] = [digest(), digest(), digest(), digest()];
  await store.people.signIn(octocat, { digest: here, before: null, terms }, day);
  // The name is no matter.
  await store.people.signIn({ ...octocat, login: "renamed" }, { digest: there, before: null, terms }, day);
  await store.people.signIn({ ...octocat, subject: "7" }, { digest: other, before: null, terms }, day);
  await store.people.signIn({ ...octocat, issuer: "https://x" }, { digest: elsewhere, before: null, terms }, day);
  expect(await store.people.signOutEverywhere(here)).toMatchObject({ subject: octocat.subject });
  for (const cookie of [here, there]) expect(await store.people.signedIn(cookie, day)).toBeNull();
  for (const cookie of [other, elsewhere]) expect(await store.people.signedIn(cookie, day)).not.toBeNull();
  expect(await store.people.signOutEverywhere(here)).toBeNull();
});

test("of many that come back at once, at two gateways, one arrives", async () => {
  const trip = { purpose: "sign_in", state: digest(), browser: digest() } as const;
  await store.people.depart(trip, { to: "/approvals" }, day);
  const arrivals = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).people.arrive(trip)),
  );
  expect(arrivals.filter((carried) => carried !== null)).toEqual([{ to: "/approvals" }]);
});

test("only the same browser for the same purpose arrives, and in time", async () => {
  const trip = { purpose: "sign_in", state: digest(), browser: digest() } as const;
  await store.people.depart(trip, {}, day);
  expect(await store.people.arrive({ ...trip, browser: digest() })).toBeNull();
  expect(await store.people.arrive({ ...trip, purpose: "github_app" })).toBeNull();
  expect(await store.people.arrive({ ...trip, state: digest() })).toBeNull();
  expect(await store.people.arrive(trip)).toEqual({});
  const late = { ...trip, state: digest() };
  await store.people.depart(late, {}, 0);
  expect(await store.people.arrive(late)).toBeNull();
});

test("what is over is swept away, and the rest stays", async () => {
  const cookie = digest();
  await store.people.signIn(octocat, { digest: cookie, before: null, terms }, day);
  await store.people.signIn(octocat, { digest: digest(), before: null, terms }, 0);
  await store.people.depart({ purpose: "sign_in", state: digest(), browser: digest() }, {}, 0);
  const rows = await openRows(database.connectionString);
  await sweep(rows);
  await rows.close();
  const [{ over } = { over: null }] = await database.query<{ over: number | null }>(
    "SELECT ((SELECT count(*) FROM sign_ins WHERE expires_at < now()) + (SELECT count(*) FROM round_trips WHERE expires_at < now()))::int AS over",
  );
  expect(over).toBe(0);
  expect(await store.people.signedIn(cookie, day)).toEqual(signedIn);
});

test("while the database is away nobody is taken for anybody", async () => {
  const cookie = digest();
  await store.people.signIn(octocat, { digest: cookie, before: null, terms }, day);
  line.cut();
  try {
    await expect(other.people.signedIn(cookie, day)).rejects.toThrow(GatewayError);
    await expect(other.people.arrive({ purpose: "sign_in", state: digest(), browser: digest() })).rejects.toThrow(
      GatewayError,
    );
  } finally {
    line.mend();
  }
});
