/** What somebody with all rights on the database has a gateway seal and sign: times made up, sessions opened again, checkpoints put out of their place. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealSession } from "../../../server/journeys/seal.ts";
import type { AuditEvent } from "../../../server/model/audit.ts";
import { hasFinding } from "../../../server/stages/seal/verify/report.ts";
import { newMemory, newSealer } from "../../standins/sealing.ts";
import { named, reportOf, type Scene, startScene, verify } from "./scene.ts";

const hour = 3_600_000;

let scene: Scene;
let id: string;
/** Of the last session: an anchor that covers every earlier one. */
let summary: string;

beforeEach(async () => {
  scene = await startScene();
  await scene.session(1);
  id = await scene.session(3);
  summary = await scene.summary(await scene.session(1));
});
afterEach(() => scene.close());

const sealAs = async (session: string, at: Date): Promise<void> => {
  const { store } = scene;
  await sealSession({ sessions: store.sessions, receipts: store.receipts, seals: store.seals, now: () => at }, session);
};

/** One call is another, and no trace of the seal is left. */
const unsealed = (): string[] => [
  `UPDATE closings SET status = 418 WHERE session_id = '${id}' AND n = 2`,
  `DELETE FROM seals WHERE session_id = '${id}'`,
  `DELETE FROM sealed_digests WHERE session_id = '${id}'`,
  `UPDATE sessions SET sealed = false WHERE id = '${id}'`,
];

/** Puts in a session without calls that began then and ended a minute later. */
const putIn = async (began: Date): Promise<string> => {
  const time = began.getTime().toString(16).padStart(12, "0");
  const old = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000001`;
  await scene.tamper([
    `INSERT INTO sessions (id, connection, caller, binding, state, opened_at, closed_at, last_used_at, calls)
     SELECT $1, connection, caller, binding, 'closed', $2::timestamptz, $2::timestamptz + interval '1 minute', now(), 0 FROM sessions WHERE id = $3`,
    old,
    began.toISOString(),
    id,
  ]);
  return old;
};

test("a sealed session made open again, its seal gone, a call altered", async () => {
  await scene.tamper(...unsealed(), `UPDATE sessions SET state = 'open', closed_at = NULL WHERE id = '${id}'`);
  await scene.sealer.round();
  const trusted = { keys: scene.keys, anchors: [summary] };
  expect(named(reportOf(await verify(await scene.export([id]), { ...trusted, wanted: [id] }), id))).toEqual(["seal"]);
  expect(named(await verify(await scene.export("all"), trusted))).toEqual(["missing"]);
});

test("the day's salt deleted before its time: no body of the day has expired", async () => {
  await scene.tamper("DELETE FROM epochs");
  const report = await verify(await scene.export("all"), { keys: scene.keys, anchors: [summary] });
  expect(named(reportOf(report, id))).toEqual(["body"]);
});

describe("a seal with a time made up", () => {
  test("of a session that claims to be weeks old is late: what is before it in the log is younger", async () => {
    const began = new Date(Date.now() - 14 * 24 * hour);
    const old = await putIn(began);
    await sealAs(old, new Date(began.getTime() + 62_000));
    await scene.sealer.round();
    const report = await verify(await scene.export("all"), { keys: scene.keys, anchors: [summary] });
    expect(reportOf(report, old)).toMatchObject({ log_index: 3, findings: [{ kind: "late" }] });
    // The summary says alone when its session began, and that the log had three leaves at its end.
    const alone = await verify(await scene.export([old]), { keys: scene.keys, anchors: [summary], wanted: [old] });
    expect(reportOf(alone, old)).toMatchObject({ verdict: "unanchored", findings: [{ kind: "late" }] });
  });

  test("of a session written anew and sealed as of its first time is late by the summary of a later one", async () => {
    const began = new Date(Date.now() - 3 * hour);
    const old = await putIn(began);
    const sealed_at = new Date(began.getTime() + 62_000);
    await sealAs(old, sealed_at);
    await scene.sealer.round();
    const later = await scene.summary(await scene.session(1));
    const trusted = { keys: scene.keys, anchors: [later], wanted: [old] };
    const before = await verify(await scene.export([old]), trusted);
    expect(reportOf(before, old)).toMatchObject({ verdict: "anchored", log_index: 3, findings: [] });
    await scene.tamper(
      `UPDATE sessions SET sealed = false, caller = replace(caller::text, 'acme', 'acmf')::json WHERE id = '${old}'`,
      `DELETE FROM seals WHERE session_id = '${old}'`,
      `DELETE FROM sealed_digests WHERE session_id = '${old}'`,
    );
    await sealAs(old, sealed_at);
    await scene.sealer.round();
    expect(scene.sealer.health.consistent).toBe(true);
    const report = await verify(await scene.export([old]), trusted);
    expect(reportOf(report, old)).toMatchObject({ verdict: "unanchored", log_index: 5, findings: [{ kind: "late" }] });
  });

  test("of a session written anew within the hour leaves its first leaf without a session, and its summary with another head", async () => {
    const own = await scene.summary(id);
    const sealed_at = (await scene.store.seals.get(id))?.sealed_at ?? new Date();
    await scene.tamper(...unsealed());
    await sealAs(id, sealed_at);
    await scene.sealer.round();
    const everything = await verify(await scene.export("all"), { keys: scene.keys, anchors: [summary] });
    expect(everything.findings.map(({ message }) => message)).toEqual([
      "leaf 1 of the log is of a session that is not in the file",
    ]);
    const report = await verify(await scene.export([id]), { keys: scene.keys, anchors: [own] });
    expect(named(reportOf(report, id))).toEqual(["seal"]);
  });
});

test("an old checkpoint put in the place of the newest one is none", async () => {
  const newest = await scene.store.log.checkpoint();
  await scene.tamper(
    "INSERT INTO log_checkpoints (size, note) SELECT 1000000, note FROM log_checkpoints ORDER BY size LIMIT 1",
  );
  expect(await scene.store.log.checkpoint()).toBe(newest);
  const place = (await scene.store.seals.get(id))?.log_index ?? null;
  await scene.tamper(...unsealed());
  await sealAs(id, new Date());
  await scene.tamper(["UPDATE seals SET log_index = $1 WHERE session_id = $2", place, id]);
  await scene.sealer.round();
  const report = await verify(await scene.export("all"), { keys: scene.keys });
  expect(hasFinding(report)).toBe(true);
  expect(named(reportOf(report, id))).toEqual(["seal"]);
});

test("a gateway that signs while another one does is not told that the database was rolled back", async () => {
  const { store, keys } = scene;
  const other = newSealer({ store, keys, memory: newMemory() });
  const events: AuditEvent[] = [];
  let between = 0;
  /** Between this gateway's two questions the other one takes a seal into the log and signs. */
  const slowly =
    <T>(ask: () => Promise<T>) =>
    async (): Promise<T> => {
      const answered = await ask();
      if (between++ < 2) {
        await scene.session(1);
        await other.round();
      }
      return answered;
    };
  const log = { ...store.log, size: slowly(() => store.log.size()), checkpoint: slowly(() => store.log.checkpoint()) };
  const slow = newSealer({ store: { ...store, log }, keys, memory: newMemory(), events });
  await slow.round();
  expect(between).toBeGreaterThan(1);
  expect([slow.health.consistent, events]).toEqual([true, []]);
});
