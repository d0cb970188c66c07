/**
 * How fast a long session is sealed, exported with its proof and verified, and with how much memory: `node test/bench/evidence.ts [CALLS] [DATABASE]`,
 * default 100,000 calls in an embedded PostgreSQL. The last line is JSON. It ends with exit code 1 when anything is found.
 */

import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exportProof } from "../../server/journeys/proof.ts";
import { hasFinding } from "../../server/stages/seal/verify/report.ts";
import { linesOf } from "../../server/cli/evidence/lines.ts";
import { keptByDefault } from "../../server/stages/seal/verify/trust.ts";
import { verifyProof } from "../../server/stages/seal/verify/verify.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog, startDatabase } from "../standins/database.ts";
import { newSealer, newSignKeys } from "../standins/sealing.ts";
import { bodyOf, closing, opening, openSession } from "../store/specimens.ts";

const wanted = Number(process.argv[2] ?? 100_000);
const headers = Array.from(
  { length: 12 },
  (_, i) => [`x-header-${i}`, `value of header ${i} as Datadog's answers have them`] as const,
);

/** One call as a gateway records it, and as many copies of it as are wanted, written by the database itself. */
const record = async (store: Store, database: FreshDatabase): Promise<string> => {
  const { id } = await openSession(store.sessions);
  const request = { headers, body: bodyOf(`{"name":"${"monitor ".repeat(50)}"}`) };
  await store.sink.record(opening(id, { request }), () =>
    closing({ response: { headers, body: bodyOf(`{"id":7,"name":"${"monitor ".repeat(100)}"}`) } }),
  );
  for (const table of ["calls", "closings"]) {
    const columns = await database.query<{ name: string }>(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
      [table],
    );
    const names = columns.map(({ name }) => name);
    const values = names.map((name) => (name === "n" ? "g" : name));
    await database.query(
      `INSERT INTO ${table} (${names.join(", ")}) SELECT ${values.join(", ")} FROM ${table}, generate_series(2, ${wanted}) g WHERE session_id = '${id}' AND n = 1`,
    );
  }
  await database.query(`UPDATE sessions SET calls = ${wanted} WHERE id = '${id}'`);
  await store.sessions.close(id, "closed");
  return id;
};

const server = process.argv[3] === undefined ? await startDatabase() : null;
if (process.argv[3] !== undefined) process.env["DOGWATCH_TEST_DATABASE"] = process.argv[3];
const database = await freshDatabase();
const store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
const folder = mkdtempSync(join(tmpdir(), "dogwatch-evidence-"));
const file = join(folder, "proof.jsonl");

const started = performance.now();
const id = await record(store, database);
const before = process.memoryUsage().rss;
let most = 0;
const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
const timed = async <T>(act: () => Promise<T>): Promise<{ seconds: number; result: T }> => {
  const from = performance.now();
  const result = await act();
  return { seconds: (performance.now() - from) / 1_000, result };
};

const signKeys = newSignKeys();
const sealer = newSealer({ store, keys: signKeys });
const sealed = await timed(async () => {
  // Whoever closes a long session gets its seal later.
  for (;;) {
    const seal = await sealer.seal(id);
    if (seal?.checkpoint != null) return seal;
  }
});
const exported = await timed(async () => {
  const { sessions, receipts, bodies, seals, log: sealLog } = store;
  const keepsReceipts = () => 400 * 86_400_000;
  const parts = {
    sessions,
    receipts,
    bodies,
    seals,
    sealLog,
    signKeys,
    keepsReceipts,
    auditFirst: async () => undefined,
    now: () => new Date(),
  };
  const found = await exportProof(parts, { kind: "access", name: "bench", role: "auditor" }, [id]);
  if ("code" in found) throw new Error(found.message);
  const lines = Readable.from(
    (async function* () {
      for await (const line of found) yield `${JSON.stringify(line)}\n`;
    })(),
  );
  await pipeline(lines, createWriteStream(file));
});
const verified = await timed(() =>
  verifyProof(linesOf(createReadStream(file)), {
    keys: signKeys.known,
    anchors: [],
    wanted: [id],
    now: new Date(),
    kept: keptByDefault,
  }),
);
clearInterval(watch);

const perSecond = (seconds: number): string => `${Math.round(wanted / seconds).toLocaleString("en")} calls/s`;
console.log(
  `${wanted.toLocaleString("en")} calls, ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB of export; recorded in ${((performance.now() - started) / 1_000 - sealed.seconds - exported.seconds - verified.seconds).toFixed(1)} s`,
);
for (const [what, { seconds }] of Object.entries({ sealed, exported, verified }))
  console.log(`${what} in ${seconds.toFixed(1)} s (${perSecond(seconds)})`);
console.log(
  `most memory ${(most / 2 ** 20).toFixed(0)} MiB, ${((most - before) / 2 ** 20).toFixed(0)} MiB more than before`,
);
const report = verified.result;
const isGood = report.sessions[0]?.calls === wanted && !hasFinding(report);
console.log(JSON.stringify({ calls: wanted, good: isGood, rss: most, more: most - before }));
process.exitCode = isGood ? 0 : 1;

rmSync(folder, { recursive: true, force: true });
await store.close();
await database.drop();
await server?.stop();
