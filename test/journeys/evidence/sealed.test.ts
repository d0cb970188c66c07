/** How seals come about: once, after everything of a session is known, by whichever gateway; and what is refused to be signed. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { growLog, type SignKeys } from "../../../server/journeys/seal/grow.ts";
import { sealSession } from "../../../server/journeys/seal.ts";
import type { AuditEvent } from "../../../server/model/audit.ts";
import { openCheckpoint } from "../../../server/stages/seal/checkpoint.ts";
import { openStore, type Store } from "../../../server/store/database.ts";
import { recordCall } from "../../http/recordCall.ts";
import { quietLog } from "../../standins/database.ts";
import { newMemory, newSealer, newSignKeys } from "../../standins/sealing.ts";
import { startChild } from "../../store/child.ts";
import { closing, opening, openSession } from "../../store/specimens.ts";
import { named, reportOf, type Scene, startScene, verify } from "./scene.ts";

let scene: Scene;
let other: Store;

beforeEach(async () => {
  scene = await startScene();
  other = await openStore({
    connectionString: scene.database.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
});
afterEach(async () => {
  await other.close();
  await scene.close();
});

const none = { request: null, response: null };

const ended = async (calls: number): Promise<string> => {
  const { id } = await openSession(scene.store.sessions);
  for (let n = 0; n < calls; n++) await recordCall(scene.store, id, none);
  await scene.store.sessions.close(id, "closed");
  return id;
};

const leaves = async (): Promise<unknown[]> =>
  (await scene.database.query("SELECT session_id, log_index FROM seals ORDER BY log_index")).map(
    ({ log_index }) => log_index,
  );

describe("a seal", () => {
  test("has its place and a checkpoint, is shown with its session, and stays what it is", async () => {
    const id = await ended(3);
    const seal = await scene.sealer.seal(id);
    expect(seal).toMatchObject({ session_id: id, calls: 3, state: "closed", log_index: 0 });
    expect(openCheckpoint(seal?.checkpoint ?? "", scene.keys.known)).toMatchObject({ size: 1 });
    await scene.session(1);
    expect(await scene.sealer.seal(id)).toEqual(seal);
    expect((await scene.store.sessions.get(id))?.seal).toEqual(seal);
    const listed = await scene.store.sessions.list({ limit: 10 });
    expect("items" in listed ? listed.items.find((session) => session.id === id)?.seal : null).toEqual(seal);
  });

  test("of two gateways that seal the same sessions at once is one, and has one leaf", async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => ended(i % 3)));
    const theirs = newSealer({ store: other, keys: scene.keys });
    const seals = await Promise.all(ids.flatMap((id) => [scene.sealer.seal(id), theirs.seal(id)]));
    await Promise.all([scene.sealer.round(), theirs.round()]);
    for (const id of ids)
      expect(new Set(seals.flatMap((seal) => (seal?.session_id === id ? [seal.head] : []))).size).toBe(1);
    expect(await leaves()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await scene.store.log.size()).toBe(8);
    const report = await verify(await scene.export("all"), { keys: scene.keys });
    expect([report.findings, report.sessions.map(({ verdict }) => verdict)]).toEqual([[], ids.map(() => "unanchored")]);
  });

  test("waits for calls in flight, and holds what they became", async () => {
    const { id } = await openSession(scene.store.sessions);
    const call = await scene.store.sink.open(opening(id));
    await scene.store.sessions.close(id, "closed");
    await scene.sealer.round();
    expect(await scene.store.seals.get(id)).toBeNull();
    const waiting = scene.sealer.seal(id);
    await sleep(0);
    await scene.store.sink.close(call, closing({ status: 418 }));
    expect(await waiting).toMatchObject({ calls: 1, log_index: 0 });
    expect(reportOf(await verify(await scene.export([id]), { keys: scene.keys }), id).verdict).toBe("unanchored");
  });

  test("of a session whose gateway was killed comes after its calls have become indeterminate", async () => {
    const killed = await startChild(["database", scene.database.connectionString]);
    await killed.end("SIGKILL");
    const id = killed.said.session ?? "";
    await scene.store.sessions.close(id, "expired");
    expect(await scene.store.seals.get(id)).toBeNull();
    await expect
      .poll(
        async () => {
          await scene.store.recover();
          await scene.sealer.round();
          return (await scene.store.seals.get(id))?.log_index ?? null;
        },
        { interval: 200 },
      )
      .toBe(0);
    const lines = (await scene.export([id])).map((line) => JSON.parse(line) as { receipt?: { state: string } });
    expect(new Set(lines.flatMap(({ receipt }) => receipt?.state ?? []))).toEqual(new Set(["indeterminate"]));
    expect(await scene.store.seals.get(id)).toMatchObject({ state: "expired", calls: 20 });
  });

  test("comes to sessions that expired, from whichever gateway's round comes first", async () => {
    const { id } = await openSession(scene.store.sessions);
    await recordCall(scene.store, id, none);
    await scene.store.sessions.closeIdle(new Date(Date.now() + 60_000));
    await newSealer({ store: other, keys: scene.keys }).round();
    expect(await scene.store.seals.get(id)).toMatchObject({ state: "expired", calls: 1, log_index: 0 });
  });

  test("whose gateway died before the log took it gets its place from the next one", async () => {
    const id = await ended(2);
    const { sessions, receipts, seals } = scene.store;
    const seal = await sealSession({ sessions, receipts, seals, now: () => new Date() }, id);
    expect(seal).toMatchObject({ log_index: null, checkpoint: null });
    await newSealer({ store: other, keys: scene.keys }).round();
    expect(await scene.store.seals.get(id)).toMatchObject({ head: seal?.head, log_index: 0 });
  });

  test("whose leaf was taken and not signed is signed by the next one", async () => {
    const id = await ended(1);
    const [signer] = scene.keys.signers;
    const breaks: SignKeys = {
      signers: [{ ...signer, sign: () => Promise.reject(new Error("the power is gone")) }],
      known: scene.keys.known,
    };
    expect(await newSealer({ store: other, keys: breaks }).seal(id)).toMatchObject({ log_index: 0, checkpoint: null });
    await scene.sealer.round();
    expect(openCheckpoint((await scene.store.seals.get(id))?.checkpoint ?? "", scene.keys.known)).toMatchObject({
      size: 1,
    });
  });

  test("is not given to a session whose calls have a gap: it is told loudly, once", async () => {
    const id = await ended(3);
    await scene.tamper(`DELETE FROM calls WHERE session_id = '${id}' AND n = 2`);
    const events: AuditEvent[] = [];
    const sealer = newSealer({ store: other, keys: scene.keys, events });
    await sealer.round();
    await sealer.round();
    expect(await scene.store.seals.get(id)).toBeNull();
    expect(sealer.health.unsealable).toBe(1);
    expect(events).toEqual([
      {
        kind: "session_unsealable",
        who: "gateway",
        what: `session ${id}`,
        reason: expect.stringContaining("call 3 is not where it should be"),
      },
    ]);
  });

  test.each([
    ["is not stored as a whole", "DELETE FROM phrases p USING calls c WHERE c.phrase = p.digest AND c.session_id = $1"],
    ["is not what any gateway writes", "UPDATE calls SET access = 'perhaps' WHERE session_id = $1 AND n = 2"],
  ])("comes to sessions after one of which a call %s: that one is told loudly, once", async (_, altering) => {
    const { id: bad } = await openSession(scene.store.sessions);
    await scene.store.sink.record(opening(bad), () => closing());
    await scene.store.sink.record(opening(bad, { client: `nobody else's ${bad}` }), () => closing());
    await scene.store.sessions.close(bad, "closed");
    await scene.tamper([altering.replace("c.session_id = $1", "c.session_id = $1 AND c.n = 2"), bad]);
    const good = await ended(1);
    const [events, said]: [AuditEvent[], string[]] = [[], []];
    const log = { ...quietLog, warn: (_fields: object, text: string) => void said.push(text) };
    const sealer = newSealer({ store: other, keys: scene.keys, events, log });
    await sealer.round();
    await sealer.round();
    expect(await scene.store.seals.get(good)).toMatchObject({ session_id: good, log_index: 0 });
    expect(await scene.store.seals.get(bad)).toBeNull();
    expect(sealer.health.unsealable).toBe(1);
    expect(events).toMatchObject([{ kind: "session_unsealable", what: `session ${bad}` }]);
    expect(said).toEqual([]);
  });

  test("comes to sessions after one that the database does not let have its own", async () => {
    const bad = await ended(1);
    const good = await ended(1);
    await scene.database.query(
      `ALTER TABLE seals ADD CONSTRAINT not_this_one CHECK (session_id <> '${bad}') NOT VALID`,
    );
    const [events, said]: [AuditEvent[], object[]] = [[], []];
    const log = { ...quietLog, warn: (fields: object) => void said.push(fields) };
    const sealer = newSealer({ store: other, keys: scene.keys, events, log });
    for (let round = 0; round < 3; round++) await sealer.round();
    expect(await scene.store.seals.get(good)).toMatchObject({ session_id: good, log_index: 0 });
    expect([sealer.health.unsealable, events]).toEqual([0, []]);
    expect(said).toMatchObject([{ session: bad, sessions: 1 }]);
    await scene.database.query("ALTER TABLE seals DROP CONSTRAINT not_this_one");
    await sealer.round();
    expect(await scene.store.seals.get(bad)).toMatchObject({ session_id: bad, log_index: 1 });
  });
});

describe("after the seal", () => {
  test("nothing is added to the session, and neither it nor its seal changes", async () => {
    const id = await scene.session(2);
    const refused = (text: string) =>
      expect(scene.database.query(text)).rejects.toThrow(/sealed|does not change|never changes|append-only|only grows/);
    await scene.database.query(`CREATE TABLE one_call AS SELECT * FROM calls WHERE session_id = '${id}' AND n = 2`);
    await scene.database.query("UPDATE one_call SET n = 3");
    await refused("INSERT INTO calls SELECT * FROM one_call");
    await refused(`UPDATE sessions SET state = 'open', closed_at = NULL WHERE id = '${id}'`);
    await refused(`UPDATE sessions SET calls = 3 WHERE id = '${id}'`);
    await refused(`UPDATE seals SET calls = 1 WHERE session_id = '${id}'`);
    await refused(`UPDATE seals SET log_index = 7 WHERE session_id = '${id}'`);
    await refused("DELETE FROM seals");
    await refused("UPDATE log_tiles SET hashes = decode(repeat('00', 32), 'hex')");
    await refused("DELETE FROM log_checkpoints");
    await expect(scene.store.sink.open(opening(id))).rejects.toMatchObject({ code: "session_closed" });
  });
});

describe("is not signed", () => {
  test("a database that was rolled back: this gateway remembers what it signed", async () => {
    await scene.session(1);
    await scene.session(1);
    await scene.tamper(
      "DELETE FROM log_checkpoints WHERE size > 1",
      "DELETE FROM seals WHERE log_index >= 1",
      "UPDATE log_tiles SET hashes = substring(hashes FOR 32)",
      "UPDATE log_size SET size = 1",
      "UPDATE sessions SET sealed = false WHERE NOT EXISTS (SELECT FROM seals WHERE session_id = sessions.id)",
    );
    const events: AuditEvent[] = [];
    const sealer = newSealer({ store: other, keys: scene.keys, memory: scene.memory, events });
    await sealer.round();
    await sealer.round();
    expect(sealer.health).toMatchObject({ consistent: false });
    expect(await scene.store.log.size()).toBe(1);
    expect(events).toEqual([
      {
        kind: "log_refused",
        who: "gateway",
        what: "log of seals",
        reason: expect.stringMatching(/log of 1 seals, and 2 were signed: it was rolled back/),
      },
    ]);
    // The seal itself is there: it waits.
    expect((await scene.database.query("SELECT FROM seals WHERE log_index IS NULL")).length).toBe(1);
  });

  test("a database in which a leaf was replaced", async () => {
    await scene.session(1);
    await scene.tamper("UPDATE log_tiles SET hashes = set_bit(hashes, 9, 1 - get_bit(hashes, 9))");
    const id = await ended(1);
    expect(await scene.sealer.seal(id)).toMatchObject({ log_index: null, checkpoint: null });
    expect(scene.sealer.health.consistent).toBe(false);
  });

  test("a log that another key signs: of two gateways with a key each, the second signs nothing", async () => {
    await scene.session(1);
    const stranger = newSealer({ store: other, keys: newSignKeys() });
    expect(await stranger.seal(await ended(1))).toMatchObject({ log_index: null });
    expect(stranger.health.consistent).toBe(false);
    await scene.sealer.round();
    expect(await leaves()).toEqual([0, 1]);
  });

  test("with a signer whose key is not the one that is configured", async () => {
    const [mine, wrong] = [scene.keys.signers[0], newSignKeys().signers[0]];
    const keys: SignKeys = { signers: [{ ...mine, sign: wrong.sign }], known: [mine] };
    const id = await ended(1);
    expect(await newSealer({ store: other, keys }).seal(id)).toMatchObject({ checkpoint: null });
    const checkpoints = await scene.database.query("SELECT size FROM log_checkpoints");
    expect(checkpoints).toEqual([{ size: 0 }]);
  });
});

test("keys rotate: for a while both sign, and what either signed is verified", async () => {
  const first = await scene.session(1);
  const old = await scene.summary(first);
  const [oldSigner] = scene.keys.signers;
  const [newSigner] = newSignKeys(oldSigner.name).signers;
  const both: SignKeys = { signers: [newSigner, oldSigner], known: [newSigner, oldSigner] };
  const during = newSealer({ store: other, keys: both, memory: scene.memory });
  const second = await ended(1);
  expect(await during.seal(second)).toMatchObject({ log_index: 1, checkpoint: expect.any(String) });
  const summary = await scene.summary(second);
  // The old key alone cannot go on: its gateway would not know who signed last, had the new one signed alone.
  const after = newSealer({
    store: other,
    keys: { signers: [newSigner], known: [newSigner, oldSigner] },
    memory: scene.memory,
  });
  await after.seal(await ended(1));
  expect(after.health.consistent).toBe(true);
  const lines = await scene.export("all");
  const newOnly = await verify(lines, { keys: { signers: [newSigner], known: [newSigner] }, anchors: [summary] });
  expect(newOnly.findings).toEqual([]);
  expect(reportOf(newOnly, first).verdict).toBe("anchored");
  const withBoth = await verify(lines, { keys: both, anchors: [old, summary] });
  expect(withBoth.findings).toEqual([]);
  const oldOnly = await verify(lines, { keys: scene.keys, anchors: [old] });
  expect(named(oldOnly)).toContain("log");
});

test("many seals share one signature", async () => {
  const ids = await Promise.all(Array.from({ length: 30 }, () => ended(0)));
  let signed = 0;
  const [signer] = scene.keys.signers;
  const counting: SignKeys = {
    signers: [
      {
        ...signer,
        sign: (message) => {
          signed += 1;
          return signer.sign(message);
        },
      },
    ],
    known: scene.keys.known,
  };
  const sealer = newSealer({ store: other, keys: counting });
  await Promise.all(ids.map((id) => sealer.seal(id)));
  expect(await scene.store.log.size()).toBe(30);
  expect(signed).toBeLessThan(30);
});

test("gateways that grow the log at once leave one log that each of them may sign", async () => {
  const parts = (store: Store) => ({ sealLog: store.log, keys: scene.keys, memory: newMemory(), log: quietLog });
  const sealAll = async (store: Store): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      const id = await ended(0);
      await sealSession(
        { sessions: store.sessions, receipts: store.receipts, seals: store.seals, now: () => new Date() },
        id,
      );
      await growLog(parts(store));
    }
  };
  await Promise.all([sealAll(scene.store), sealAll(other)]);
  expect(await leaves()).toEqual(Array.from({ length: 20 }, (_, i) => i));
  const report = await verify(await scene.export("all"), { keys: scene.keys });
  expect(report).toMatchObject({ findings: [], checkpoint: { size: 20 } });
});
