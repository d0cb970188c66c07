/** What somebody with all rights on the database, or on the export, can alter: each is found offline with an export, the public key and one earlier job summary, and named. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealSession } from "../../../server/journeys/seal.ts";
import { named, reportOf, type Scene, startScene, verify } from "./scene.ts";
import { newMemory, newSealer } from "../../standins/sealing.ts";

let scene: Scene;
let first: string;
let id: string;
let last: string;
/** From the job of the second session: the last one came later. */
let summary: string;

beforeEach(async () => {
  scene = await startScene();
  first = await scene.session(2);
  id = await scene.session(6);
  summary = await scene.summary(id);
  last = await scene.session(1);
});
afterEach(() => scene.close());

const trusted = () => ({ keys: scene.keys, anchors: [summary] });
const check = async (wanted: "all" | readonly string[] = "all") => verify(await scene.export(wanted), trusted());

/** Whoever swaps, deletes or changes rows changes both halves of a receipt. */
const bothTables = (statement: (table: string) => string): string[] => ["calls", "closings"].map(statement);

/** Decisions and header fields are kept once a week for all calls that say the same: one call is given words of its own. */
const rephrase = (n: number, from: string, to: string): string[] => [
  `INSERT INTO phrases (week, digest, value) SELECT p.week, decode(repeat('0${n}', 20), 'hex'), replace(p.value::text, '${from}', '${to}')::json
   FROM phrases p JOIN calls c ON c.phrase = p.digest WHERE c.session_id = '${id}' AND c.n = ${n}`,
  `UPDATE calls SET phrase = decode(repeat('0${n}', 20), 'hex') WHERE session_id = '${id}' AND n = ${n}`,
];

test("what nobody touched is anchored where the anchor covers it, and unanchored where it came later", async () => {
  const report = await check();
  expect(report.findings).toEqual([]);
  expect(report.sessions.map(({ session_id, verdict, findings }) => [session_id, verdict, findings])).toEqual([
    [first, "anchored", []],
    [id, "anchored", []],
    [last, "unanchored", []],
  ]);
  expect(report.anchors).toEqual([{ name: "anchor 1", size: 2, consistent: true }]);
});

test("without an anchor everything is unanchored, and nothing is wrong", async () => {
  const report = await verify(await scene.export([id, last]), { keys: scene.keys });
  expect(report.findings).toEqual([]);
  expect(report.sessions.map(({ verdict }) => verdict)).toEqual(["unanchored", "unanchored"]);
});

describe("one bit", () => {
  test("of a body", async () => {
    await scene.tamper([
      `UPDATE bodies SET bytes = set_bit(bytes, 3, 1 - get_bit(bytes, 3)) WHERE digest = (SELECT request_digest FROM calls WHERE session_id = $1 AND n = 3)`,
      id,
    ]);
    const report = await check();
    // Contents are stored once a day: other sessions of the day that sent the same have it altered too.
    expect(reportOf(report, id)).toMatchObject({ verdict: "altered" });
    expect(named(reportOf(report, id))).toEqual(["body 3"]);
    expect(named(report)).toEqual([]);
  });

  test("of a large body, which is compressed", async () => {
    await scene.tamper([
      `UPDATE bodies SET coding = 'identity', bytes = convert_to('{"id":2}', 'UTF8') WHERE digest = (SELECT response_digest FROM closings WHERE session_id = $1 AND n = 1)`,
      id,
    ]);
    expect(named(reportOf(await check(), id))).toEqual(["body 1"]);
  });

  test("of a header", async () => {
    await scene.tamper(...rephrase(4, '["Content-Type","application/json"]', '["Content-Type","application/jsoo"]'));
    const report = reportOf(await check(), id);
    expect(report.verdict).toBe("altered");
    expect(report.findings).toEqual([
      { kind: "header", n: 4, message: "call 4: request headers altered since it was sealed" },
    ]);
  });

  test("of a header that many calls share is found in each of them", async () => {
    await scene.tamper("UPDATE phrases SET value = replace(value::text, 'Content-Type', 'Content-Typo')::json");
    const report = await check();
    expect(report.sessions.map(({ verdict }) => verdict)).toEqual(["altered", "altered", "altered"]);
    expect(new Set(named(reportOf(report, id)))).toEqual(new Set([1, 2, 3, 4, 5, 6].map((n) => `header ${n}`)));
  });

  test("of a decision", async () => {
    await scene.tamper(...rephrase(5, "it matched", "it natched"));
    const report = reportOf(await check(), id);
    expect([report.verdict, named(report)]).toEqual(["altered", ["decision 5"]]);
  });

  test("of a status, of a time and of who called", async () => {
    await scene.tamper(
      ["UPDATE closings SET status = 201 WHERE session_id = $1 AND n = 2", id],
      ["UPDATE calls SET received_at = received_at + interval '1 ms' WHERE session_id = $1 AND n = 6", id],
      ["UPDATE sessions SET caller = replace(caller::text, 'acme', 'acmf')::json WHERE id = $1", id],
    );
    expect(named(reportOf(await check(), id))).toEqual(["session", "outcome 2", "times 6"]);
  });
});

test("a call that was made unreadable is named, and the others are checked", async () => {
  await scene.tamper(
    ...rephrase(2, '"effect":"allow"', '"effect":"sure"'),
    ["UPDATE calls SET phrase = decode(repeat('ff', 20), 'hex') WHERE session_id = $1 AND n = 3", id],
    ["UPDATE calls SET received_at = 'infinity' WHERE session_id = $1 AND n = 4", id],
    ["UPDATE closings SET status = 500 WHERE session_id = $1 AND n = 5", id],
  );
  const report = await check();
  expect(named(reportOf(report, id))).toEqual(["chain 2", "chain 3", "chain 4", "outcome 5"]);
  expect(reportOf(report, first).verdict).toBe("anchored");
});

test("a call deleted is a gap with its number", async () => {
  await scene.tamper(...bothTables((table) => `DELETE FROM ${table} WHERE session_id = '${id}' AND n = 3`));
  const report = reportOf(await check(), id);
  expect([report.verdict, named(report)]).toEqual(["altered", ["gap 3"]]);
});

test("a call deleted and the later ones moved up are named by what they were", async () => {
  await scene.tamper(
    ...bothTables((table) => `DELETE FROM ${table} WHERE session_id = '${id}' AND n = 3`),
    ...[4, 5, 6].flatMap((n) =>
      bothTables((table) => `UPDATE ${table} SET n = ${n - 1} WHERE session_id = '${id}' AND n = ${n}`),
    ),
    `UPDATE sessions SET calls = 5 WHERE id = '${id}'`,
  );
  const report = reportOf(await check(), id);
  expect(report.verdict).toBe("altered");
  expect(report.findings.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      "call 3 is what was sealed as call 4",
      "call 4 is what was sealed as call 5",
      "call 5 is what was sealed as call 6",
      "call 6 is missing at the end",
      expect.stringMatching(/^what is recorded of the session itself/),
    ]),
  );
});

test("two calls swapped are both named", async () => {
  await scene.tamper(
    ...[
      [2, 100],
      [4, 2],
      [100, 4],
    ].flatMap(([from, to]) =>
      bothTables((table) => `UPDATE ${table} SET n = ${to} WHERE session_id = '${id}' AND n = ${from}`),
    ),
  );
  const report = reportOf(await check(), id);
  expect(report.verdict).toBe("altered");
  expect(report.findings).toEqual([{ kind: "order", n: 2, message: "calls 2 and 4 were exchanged" }]);
});

test("the tail cut is named with its numbers, also when the session's own count is cut with it", async () => {
  await scene.tamper(...bothTables((table) => `DELETE FROM ${table} WHERE session_id = '${id}' AND n > 4`));
  expect(named(reportOf(await check(), id))).toEqual(["tail 5"]);
  await scene.tamper(
    `UPDATE sessions SET calls = 4 WHERE id = '${id}'`,
    `UPDATE seals SET calls = 4 WHERE session_id = '${id}'`,
  );
  const report = reportOf(await check(), id);
  expect([report.verdict, named(report)]).toEqual(["altered", expect.arrayContaining(["seal"])]);
});

describe("a session dropped", () => {
  const dropped = () => [
    ...bothTables((table) => `DELETE FROM ${table} WHERE session_id = '${id}'`),
    `DELETE FROM sealed_digests WHERE session_id = '${id}'`,
    `DELETE FROM sessions WHERE id = '${id}'`,
  ];

  test("is missing, with what its seal says", async () => {
    await scene.tamper(...dropped());
    const report = await check();
    expect(reportOf(report, id)).toMatchObject({ verdict: "missing", log_index: 1 });
    expect(reportOf(report, id).findings[0]?.message).toMatch(/not there any more: it was sealed .* with 6 calls/);
    expect(reportOf(report, first).verdict).toBe("anchored");
  });

  test("with its seal: its leaf has no session, and the job summary says whose it was", async () => {
    await scene.tamper(...dropped(), `DELETE FROM seals WHERE session_id = '${id}'`);
    const report = await check();
    expect(report.findings.map(({ message }) => message)).toEqual([
      "leaf 1 of the log is of a session that is not in the file",
    ]);
    expect(reportOf(report, id).verdict).toBe("missing");
    expect(reportOf(await check([id]), id).verdict).toBe("missing");
  });
});

describe("a session rewritten with a recomputed chain", () => {
  /** Whoever has the code can do what the gateway does, but for signing. */
  const rewrite = async (): Promise<void> => {
    await scene.tamper(
      `UPDATE closings SET status = 204 WHERE session_id = '${id}' AND n = 2`,
      `DELETE FROM seals WHERE session_id = '${id}'`,
      `DELETE FROM sealed_digests WHERE session_id = '${id}'`,
      `UPDATE sessions SET sealed = false WHERE id = '${id}'`,
    );
    const { store } = scene;
    const old = (await store.sessions.get(first))?.seal?.sealed_at ?? new Date();
    await sealSession({ sessions: store.sessions, receipts: store.receipts, seals: store.seals, now: () => old }, id);
  };

  test("has a seal that is not in the log, with and without the anchor", async () => {
    await rewrite();
    await scene.tamper(`UPDATE seals SET log_index = 1 WHERE session_id = '${id}'`);
    for (const report of [await check(), await verify(await scene.export([id]), { keys: scene.keys })]) {
      expect(reportOf(report, id).verdict).toBe("altered");
      expect(named(reportOf(report, id))).toContain("seal");
    }
  });

  test("left without its place in the log is told by the job summary, and by its leaf", async () => {
    await rewrite();
    const everything = await check();
    // It only just ended, and is left out as one whose seal is on its way: its leaf and its summary are not.
    expect(reportOf(everything, id).verdict).toBe("missing");
    expect(everything.findings.map(({ kind }) => kind)).toEqual(["missing"]);
    const report = reportOf(await check([id]), id);
    expect([report.verdict, named(report)]).toEqual(["altered", ["seal", "seal"]]);
  });

  test("and a log rebuilt around it does not have the root that was signed", async () => {
    await rewrite();
    await scene.tamper(
      `UPDATE seals SET log_index = NULL WHERE log_index IS NOT NULL`,
      "DELETE FROM log_tiles",
      "UPDATE log_size SET size = 0",
      "DELETE FROM log_checkpoints WHERE size > 3",
    );
    // A gateway is asked to sign it, and refuses: it was signed otherwise.
    await scene.sealer.round();
    expect(scene.sealer.health.consistent).toBe(false);
    expect(await scene.store.log.size()).toBe(0);
  });
});

describe("a log forked for two readers", () => {
  test("by whoever has the key: the anchor of one is no beginning of the other's log", async () => {
    // Everything that was signed is forgotten, in the database and beside it, and another history is signed.
    await scene.tamper(
      `UPDATE closings SET status = 204 WHERE session_id = '${id}' AND n = 2`,
      "DELETE FROM log_tiles",
      "UPDATE log_size SET size = 0",
      "DELETE FROM log_checkpoints",
      "DELETE FROM seals",
      "DELETE FROM sealed_digests",
      "UPDATE sessions SET sealed = false",
    );
    const forger = newSealer({ store: scene.store, keys: scene.keys, memory: newMemory() });
    await forger.round();
    expect(forger.health).toMatchObject({ consistent: true, size: 3 });
    const lines = await scene.export("all");
    // Nothing in the export contradicts itself: only who has an anchor can tell.
    expect((await verify(lines, { keys: scene.keys })).sessions.map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 3 }, () => "unanchored"),
    );
    const report = await verify(lines, trusted());
    expect(report.findings).toEqual([
      { kind: "anchor", n: null, message: expect.stringContaining("the log was forked: its first 2 leaves") },
    ]);
    expect(report.anchors).toEqual([{ name: "anchor 1", size: 2, consistent: false }]);
    expect(report.sessions.map(({ verdict }) => verdict)).not.toContain("anchored");
    expect(reportOf(report, id)).toMatchObject({ verdict: "altered" });
  });

  test("a log that was cut back is shorter than the anchor", async () => {
    const lines = await scene.export([first]);
    const later = await scene.summary(await scene.session(1));
    expect((await verify(lines, { keys: scene.keys, anchors: [later] })).findings).toEqual([
      { kind: "anchor", n: null, message: expect.stringContaining("the log was cut back, or the export is older") },
    ]);
  });
});

describe("a back-dated insert", () => {
  test("of a call into a session that was sealed is one more than was sealed", async () => {
    await scene.tamper(
      ...bothTables(
        (table) => `CREATE TABLE copy_of_${table} AS SELECT * FROM ${table} WHERE session_id = '${id}' AND n = 2`,
      ),
      ...bothTables((table) => `UPDATE copy_of_${table} SET n = 7`),
      ...bothTables((table) => `INSERT INTO ${table} SELECT * FROM copy_of_${table}`),
    );
    const report = reportOf(await check(), id);
    expect([report.verdict, named(report)]).toEqual(["altered", ["added 7"]]);
  });

  test("of a whole session, which a gateway then seals as it finds it, is late", async () => {
    const old = "00000000-0000-7000-8000-000000000001".replace(
      "00000000-0000",
      (Date.now() - 5 * 3_600_000)
        .toString(16)
        .padStart(12, "0")
        .replace(/^(.{8})(.{4})$/, "$1-$2"),
    );
    await scene.tamper(
      `INSERT INTO sessions (id, connection, caller, binding, state, opened_at, closed_at, last_used_at, calls)
       SELECT '${old}', connection, caller, binding, 'closed', now() - interval '5 hours', now() - interval '4 hours', now(), 0 FROM sessions WHERE id = '${first}'`,
    );
    await scene.sealer.round();
    const report = await check();
    expect(reportOf(report, old)).toMatchObject({ verdict: "unanchored", log_index: 3, findings: [{ kind: "late" }] });
  });

  test("of a session with a seal that was never signed is altered", async () => {
    const old = (await scene.store.sessions.get(first))?.id.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")) ?? "";
    await scene.tamper(
      `INSERT INTO sessions (id, connection, caller, binding, state, opened_at, closed_at, last_used_at, calls, sealed)
       SELECT '${old}', connection, caller, binding, 'closed', opened_at, closed_at, now(), 0, true FROM sessions WHERE id = '${first}'`,
      `INSERT INTO seals (session_id, calls, head, state, sealed_at, log_index)
       SELECT '${old}', 0, head, state, sealed_at, NULL FROM seals WHERE session_id = '${first}'`,
    );
    expect(reportOf(await check([old]), old)).toMatchObject({
      verdict: "altered",
      findings: [{ kind: "chain" }, { kind: "seal" }],
    });
    await scene.tamper(
      `UPDATE seals SET log_index = NULL WHERE session_id = '${first}'`,
      `UPDATE seals SET log_index = 0 WHERE session_id = '${old}'`,
    );
    expect(named(reportOf(await check([old]), old))).toContain("seal");
  });
});
