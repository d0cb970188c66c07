/** An export that goes on for as long as its reader reads ends when they may not see it any more. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiRefusal, isApiRefusal, refuseApi } from "../../server/errors.ts";
import { exportSearch, exportSession, type ExportParts } from "../../server/journeys/export.ts";
import type { Reader } from "../../server/journeys/history.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { recordCall } from "../http/recordCall.ts";
import { keyLine, keysOf } from "../stages/mask/setting.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../standins/database.ts";
import { newSession } from "../store/specimens.ts";

const calls = 120;

let database: FreshDatabase;
let store: Store;
let parts: ExportParts;
let id = "";
/** What GitHub says of the person, and what monotonic clocks say. */
const world = { reads: true, ms: 0 };

beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
  const claims = { repository_id: "70", repository: "acme/app" };
  const opened = await store.sessions.open(newSession({ caller: { ...newSession().caller, claims } }));
  ({ id } = opened);
  for (let n = 0; n < calls; n++)
    await recordCall(store, id, { request: { bytes: Buffer.from(`{"n":${n}}`) }, response: null });
  await store.indexer.catchUp();
  const sees = async () => world.reads;
  parts = {
    sessions: store.sessions,
    receipts: store.receipts,
    auditLog: store.audit,
    auditFirst: (event) => store.audit.write(event),
    callSearch: store.callSearch,
    maskKeys: keysOf(keyLine("k")),
    now: () => new Date(),
    monotonic: () => world.ms,
    visible: {
      sees,
      seesLately: sees,
      seenOf: async (_person, found) => (world.reads ? found : []),
      list: async () => ({ items: [], next_cursor: null }),
      scope: async () => [`${opened.caller.issuer} 70`],
    },
  };
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const person: Reader = {
  kind: "person",
  person: { name: "github:ann", provider: "github", login: "ann", account_id: 1, groups: [], role: "viewer" },
};
const auditor: Reader = { kind: "access", name: "ops", role: "auditor" };
const signedOut = refuseApi("token_missing", "signed out");

/** How many calls are given after `lose` was done at the tenth; whether it ended as it should. */
const taken = async (
  reader: Reader,
  what: "session" | "search",
  lose: () => { readonly now: Reader | ApiRefusal },
): Promise<{ readonly given: number; readonly whole: boolean }> => {
  world.reads = true;
  let now: Reader | ApiRefusal = reader;
  const readerNow = async () => now;
  const found =
    what === "session"
      ? await exportSession(parts, reader, { id, readerNow })
      : await exportSearch(parts, reader, { q: "createmonitor", readerNow });
  if (isApiRefusal(found)) throw new Error(found.message);
  let given = 0;
  try {
    for await (const _ of found) if (++given === 10) ({ now } = lose());
    return { given, whole: true };
  } catch {
    return { given, whole: false };
  }
};

test("whoever may see it gets all of it", async () => {
  for (const what of ["session", "search"] as const)
    for (const reader of [person, auditor])
      expect(await taken(reader, what, () => ({ now: reader }))).toEqual({ given: calls, whole: true });
});

test("signing out, a lost role and a lost repository end it, and what was given by then does not pass for all", async () => {
  const viewer: Reader = { kind: "access", name: "ops", role: "viewer" };
  for (const what of ["session", "search"] as const)
    for (const [reader, now] of [
      [auditor, signedOut],
      [auditor, viewer],
      [person, signedOut],
    ] as const)
      expect(await taken(reader, what, () => ({ now }))).toEqual({ given: 50, whole: false });
  const lost = () => {
    world.reads = false;
    return { now: person };
  };
  expect(await taken(person, "session", lost)).toEqual({ given: 50, whole: false });
  // Of what a search finds, what they still see is given.
  expect(await taken(person, "search", lost)).toEqual({ given: 50, whole: true });
});

test("a slow reader is asked about again before the next call", async () => {
  const slow = () => {
    world.ms += 5_000;
    return { now: signedOut };
  };
  expect(await taken(auditor, "session", slow)).toEqual({ given: 10, whole: false });
});
