/**
 * How long the first page of a search takes, and what the index costs those who record: `node test/bench/search.ts [CALLS] [FOLDER]`, default
 * 1,000,000 calls. A database in FOLDER is filled up to CALLS, and stays there; without one it is made for this run.
 * Calls have about 2 KB of the bodies of Datadog's recordings, every body different from all others, and go through the real store into an
 * embedded PostgreSQL. Both sides of the insert figure are one store each on that server, in turns, the index beside one of them at work.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { isQueryProblem, readQuery } from "../../server/journeys/search/language.ts";
import { findPage } from "../../server/journeys/search/search.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { startEmbedded } from "../../server/store/embedded.ts";
import { named, quietLog } from "../standins/database.ts";
import { type Exchange, loadRecordings, recordingsMissing } from "../standins/recordings.ts";
import { median } from "./peers/load.ts";
import { markOf, recordCalls } from "./peers/searchable.ts";

const wanted = Number(process.argv[2] ?? 1_000_000);
const kept = process.argv[3];
const step = 25_000;
const rounds = Number(process.env["DOGWATCH_BENCH_ROUNDS"] ?? 5);
const callsOfRound = 10_000;
const searchRounds = 5;

/** Pinned: ten of a kind. `#n` is the number that one call has and no other. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  "rare word": ["#3", "#1009", "#20011", "#60013", "#100003", "#300007", "#500009", "#700001", "#900007", "#999999"],
  "common word": [
    "monitor",
    "datadoghq.com",
    "attributes",
    "word:name",
    "trace_id",
    "dashboard",
    "created_at",
    "service",
    "errors",
    "operation:*.Get",
  ],
  substring: [
    "onitor",
    "ashboar",
    "hq.com",
    "ttribut",
    '"created_at\\":"',
    "rameter",
    '"type\\":\\"log"',
    "frog@data",
    "#77777/8",
    "#888888/6",
  ],
  "field and range": [
    "status:404",
    "status:>=400 monitor",
    "decision:deny",
    "decision:deny dashboard",
    "duration:>990ms",
    "duration:500ms..510ms status:404",
    "repo:acme/app-7 pr:7",
    "rule:no-deletes actor:dev-5",
    "access:write after:1d errors",
    "operation:v1.monitor.get status:403",
  ],
  "nothing found": [
    "zzqxj",
    "no-such-word-anywhere",
    '"created by nobody at all"',
    "status:500",
    "decision:observe",
    "rule:none monitor",
    "repo:acme/other",
    "00000000000000000000000000000000",
    "status:404 decision:deny",
    "monitor zzqxj",
  ],
};

const typed = (written: string): string =>
  written.replace(/^#(\d+)(?:\/(\d+))?$/, (_, n: string, length?: string) =>
    markOf(Number(n) % wanted).slice(0, length === undefined ? 32 : 8 + Number(length)),
  );

const search = async (store: Store, written: string): Promise<{ found: number; ms: number; whole: boolean }> => {
  const query = readQuery(typed(written), new Date());
  if (isQueryProblem(query)) throw new Error(`${written}: ${query.message}`);
  const began = performance.now();
  const { items, next_cursor } = await findPage(store, {
    query,
    scope: { kind: "everything" },
    after: null,
    limit: 50,
  });
  return { found: items.length, ms: performance.now() - began, whole: items.length === 50 || next_cursor === null };
};

const at95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN;

const measureSearches = async (store: Store): Promise<void> => {
  const all: number[] = [];
  console.log("\n| search | calls on the first page | median ms | slowest of 5 |\n|---|---|---|---|");
  for (const [kind, queries] of Object.entries(kinds))
    for (const written of queries) {
      const runs = [];
      for (let round = 0; round < searchRounds; round++) runs.push(await search(store, written));
      const times = runs.map(({ ms }) => ms);
      all.push(...times);
      const [{ found, whole } = { found: 0, whole: true }] = runs;
      console.log(
        `| ${kind}: \`${written}\` | ${found}${whole ? "" : ", and its time was over"} | ${median(times).toFixed(0)} | ${Math.max(...times).toFixed(0)} |`,
      );
    }
  console.log(
    `\n95th percentile of ${all.length} first pages: ${at95(all).toFixed(0)} ms; median ${median(all).toFixed(0)} ms`,
  );
};

const measureInserts = async (server: string, exchanges: readonly Exchange[]): Promise<void> => {
  const administer = async (command: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    await client.query(command);
    await client.end();
  };
  const open = async (name: string): Promise<Store> => {
    await administer(`CREATE DATABASE ${name}`);
    return openStore({ connectionString: named(server, name), log: quietLog, clock: () => new Date() });
  };
  const names = [`without_${Date.now()}`, `with_${Date.now()}`] as const;
  const [without, with_] = [await open(names[0]), await open(names[1])];
  const bare = new pg.Client({ connectionString: named(server, names[0]) });
  await bare.connect();
  await bare.query("DROP TRIGGER closings_queued ON closings");
  await bare.end();
  with_.indexer.start();
  const queue = new pg.Client({ connectionString: named(server, names[1]) });
  await queue.connect();
  const waiting = async (): Promise<number> =>
    Number((await queue.query("SELECT coalesce(sum(cardinality(numbers)), 0) AS n FROM search_queue")).rows[0]?.n);
  const ratios: number[] = [];
  const lags: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = round * callsOfRound;
    const seconds = await recordCalls(without, exchanges, { from, calls: callsOfRound });
    const busy = await recordCalls(with_, exchanges, { from, calls: callsOfRound });
    const ended = performance.now();
    while ((await waiting()) > 0);
    lags.push(performance.now() - ended);
    ratios.push(seconds / busy);
    console.log(
      `insert, calls/s: ${(callsOfRound / seconds).toFixed(0)} without the index, ${(callsOfRound / busy).toFixed(0)} with it`,
    );
  }
  console.log(
    `with the index ÷ without: ${median(ratios).toFixed(2)}, median of ${rounds}; all can be found ${Math.max(...lags).toFixed(0)} ms after the last at most`,
  );
  await queue.end();
  await Promise.all([without.close(), with_.close()]);
  for (const name of names) await administer(`DROP DATABASE ${name} WITH (FORCE)`);
};

const fill = async (store: Store, exchanges: readonly Exchange[], already: number): Promise<void> => {
  for (let from = already; from < wanted; from += step) {
    await recordCalls(store, exchanges, { from, calls: Math.min(step, wanted - from) });
    await store.indexer.catchUp();
  }
};

const measure = async (exchanges: readonly Exchange[], dataDir: string): Promise<void> => {
  const embedded = await startEmbedded({ dataDir, log: quietLog });
  const client = new pg.Client({ connectionString: embedded.connectionString });
  client.on("error", () => undefined);
  await client.connect();
  try {
    if (rounds > 0) await measureInserts(embedded.connectionString, exchanges);
    const store = await openStore({
      connectionString: embedded.connectionString,
      log: quietLog,
      clock: () => new Date(),
    });
    const { rows } = await client.query("SELECT coalesce(sum(places), 0)::int4 AS places FROM search_epochs");
    await fill(store, exchanges, rows[0]?.places ?? 0);
    const sizes = await client.query(
      `SELECT ((SELECT sum(length(bytes)) FROM search_body_parts) / $1)::int4 AS bodies, ((SELECT sum(length(bytes)) FROM search_receipt_parts) / $1)::int4 AS receipts`,
      [wanted],
    );
    console.log(
      `\n${wanted.toLocaleString("en-US")} calls; postings, bytes a call: ${sizes.rows[0]?.bodies} of bodies, ${sizes.rows[0]?.receipts} of receipts`,
    );
    await measureSearches(store);
    await store.close();
  } finally {
    await client.end();
    await embedded.stop();
  }
};

const recordings = loadRecordings();
if (recordings === null) console.log(recordingsMissing);
else {
  const dataDir = kept ?? mkdtempSync(join(tmpdir(), "dogwatch-search-"));
  try {
    await measure(
      recordings.flatMap(({ exchanges }) => exchanges),
      dataDir,
    );
  } finally {
    if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}
