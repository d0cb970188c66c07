/** A grant of some minutes ends when either clock says so, the database's or the gateway's: setting one back does not make it last. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Using } from "../../../server/journeys/approval/use.ts";
import type { Grant } from "../../../server/model/approval.ts";
import { openStore, type Store } from "../../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../../standins/database.ts";
import { question, yes } from "../../store/questions.ts";
import { opening, openSession } from "../../store/specimens.ts";

let database: FreshDatabase;
let store: Store;
beforeAll(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
});
afterAll(async () => {
  await store?.close();
  await database?.drop();
});

/** Of half an hour from now, by the database's clock, and a further call in flight that it would let pass. */
const granted = async () => {
  const { id: session_id } = await openSession(store.sessions);
  const { approval } = await store.approvals.ask(
    question(session_id, { grants: { session: true, longest: 3_600_000 } }),
  );
  const call = await store.sink.open(opening(session_id, { access: "destructive", approval_id: approval.id }));
  await store.approvals.answer(approval.id, { key: "comment:1", answer: yes("github:ana") });
  const sought = { operation: approval.operation, rule: approval.terms.rule, policy: approval.binding.policy };
  await store.approvals.consume(approval.id, { call, grant: { ...sought, by: "github:ana", lasts: 1_800_000 } });
  const grant = await store.approvals.findGrant({ session_id, ...sought });
  if (grant === null) throw new Error("there is no grant");
  const next = await store.sink.open(opening(session_id, { access: "destructive", approval_id: approval.id }));
  return { grant, leaving: { call: next, policy: () => sought.policy, look: async () => null } };
};

const usingAt = (now: () => Date): Using =>
  new Using({
    store: store.approvals,
    directory: null,
    key: Buffer.alloc(32),
    publicUrl: "https://dogwatch.example.com",
    issues: false,
    show: () => undefined,
    audit: () => undefined,
    log: quietLog,
    now,
    chance: (bytes) => Buffer.alloc(bytes),
  });

const departures = (grant: Grant) => database.query("SELECT FROM departures WHERE grant_id = $1 AND n > 1", [grant.id]);

test("by the gateway's clock, where the database's was set back", async () => {
  const { grant, leaving } = await granted();
  const refusal = await usingAt(() => new Date(grant.expires_at ?? 0)).useGrant(grant, leaving);
  expect(refusal).toMatchObject({ code: "approval_required", message: expect.stringContaining("its time is over") });
  expect(await departures(grant)).toEqual([]);
});

test("by the database's clock, where the gateway's was set back", async () => {
  const { grant, leaving } = await granted();
  await database.query(`
    SET session_replication_role = replica; UPDATE grants SET expires_at = made_at; RESET session_replication_role`);
  const refusal = await usingAt(() => new Date(0)).useGrant(grant, leaving);
  expect(refusal).toMatchObject({ code: "approval_required", message: expect.stringContaining("it has ended") });
  expect(await departures(grant)).toEqual([]);
});

test("while both say that it lasts, it lets the call pass", async () => {
  const { grant, leaving } = await granted();
  expect(await usingAt(() => new Date()).useGrant(grant, leaving)).toBeNull();
  expect(await departures(grant)).toHaveLength(1);
});
