/**
 * What a recorded call takes on disk, part by part, and how fast calls are recorded: `node test/bench/storage.ts [CALLS]`, default 58,000.
 * Calls with the bodies of Datadog's recordings go through the real store, without the gateway before it, into an embedded PostgreSQL, in three ways:
 * every body different from all others (a number of its own goes before it), bodies as they are over and over, and the first with the header fields
 * of Datadog's API around them (the recordings have only content-type). With the index of searches; write-ahead log is not counted: it is recycled.
 */

import { createHash } from "node:crypto";
import type { Closing, HeaderList, Masked, Opening, RecordedBody } from "../../server/model/receipt.ts";
import type { Session } from "../../server/model/session.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog, startDatabase } from "../standins/database.ts";
import { type Exchange, loadRecordings, recordingsMissing } from "../standins/recordings.ts";
import { bodyOf, clientFields, openSession } from "../store/specimens.ts";

const wanted = Number(process.argv[2] ?? 58_000);
const callsOfSession = 50;
const abreast = 64;

/** What Datadog's API puts around its answers. */
const around = (n: number): HeaderList => [
  ["date", new Date(Date.UTC(2026, 4, 4) + n * 1_000).toUTCString()],
  ["vary", "Accept-Encoding"],
  ["x-frame-options", "SAMEORIGIN"],
  ["strict-transport-security", "max-age=31536000; includeSubDomains; preload"],
  ["x-content-type-options", "nosniff"],
  ["x-ratelimit-limit", "1000"],
  ["x-ratelimit-period", "60"],
  ["x-ratelimit-remaining", String(999 - (n % 900))],
  ["x-ratelimit-reset", String(60 - (n % 60))],
  ["x-ratelimit-name", "monitor_get"],
];

type Way = { readonly name: string; readonly distinct: string; readonly headers: (n: number) => HeaderList };
const ways: readonly Way[] = [
  { name: "every body different", distinct: "yes", headers: () => [] },
  { name: "bodies as they are, over and over", distinct: "", headers: () => [] },
  { name: "every body different, Datadog's header fields", distinct: "yes", headers: around },
];

const recordedBody = (bytes: Buffer): RecordedBody | null => (bytes.length === 0 ? null : bodyOf(bytes));

const record = async (store: Store, session_id: string, call: { exchange: Exchange; n: number; way: Way }) => {
  const { exchange, n, way } = call;
  const { request, response } = exchange;
  const own = (bytes: Buffer): Buffer =>
    way.distinct === "" || bytes.length === 0 ? bytes : Buffer.concat([Buffer.from(`${n}`), bytes]);
  const reads = request.method === "GET";
  const operation = `${request.path.split("/")[2] ?? "v1"}.${reads ? "MonitorsApi.GetMonitor" : "MonitorsApi.CreateMonitor"}`;
  const received_at = new Date();
  const opening: Opening = {
    session_id,
    operation,
    access: reads ? "read" : "write",
    method: request.method,
    host: "api.datadoghq.com",
    path: request.path,
    query: request.query,
    decision: {
      effect: "allow",
      rules: [
        { name: "agents-may-read", effect: "allow", reason: `operation.access == "${reads ? "read" : "write"}"` },
      ],
      reason: `${operation} is allowed by rule agents-may-read`,
      policy: createHash("sha256").update("policy").digest("hex"),
    },
    client: "datadog-api-client-typescript/1.64.0 (node v24.21.0; os Linux; arch x64)",
    received_at,
    decided_at: new Date(),
    request: { headers: clientFields, body: recordedBody(own(request.body)) },
  };
  const closing: Closing = {
    state: "closed",
    status: response.status,
    error_code: null,
    error: null,
    upstream: "https://api.datadoghq.com",
    forwarded_at: received_at,
    first_byte_at: new Date(),
    done_at: new Date(),
    request_body: null,
    response: { headers: [...response.headers, ...way.headers(n)], body: recordedBody(own(response.body)) },
  };
  // Masks come before the store; here is nothing to mask.
  await store.sink.record(opening as Masked<Opening>, () => closing as Masked<Closing>);
};

/** Calls after which the index catches up, and autovacuum comes along: it is not waited for here. */
const burst = 10_000;

const fill = async (store: Store, exchanges: readonly Exchange[], way: Way & { vacuum(): Promise<unknown> }) => {
  const sessions: Session[] = [];
  while (sessions.length * callsOfSession < wanted) sessions.push(await openSession(store.sessions));
  let next = 0;
  let seconds = 0;
  const work = async (until: number): Promise<void> => {
    while (next < until) {
      const n = next++;
      const exchange = exchanges[n % exchanges.length];
      const session = sessions[n % sessions.length];
      if (exchange === undefined || session === undefined) throw new Error("there is nothing to record");
      await record(store, session.id, { exchange, n, way });
    }
  };
  for (let from = 0; from < wanted; from += burst) {
    const until = Math.min(from + burst, wanted);
    const began = performance.now();
    await Promise.all(Array.from({ length: abreast }, () => work(until)));
    seconds += (performance.now() - began) / 1_000;
    await store.indexer.catchUp();
    await way.vacuum();
  }
  return seconds;
};

type Part = { readonly part: string; readonly heap: number; readonly toast: number; readonly indexes: number };

const sizes = (database: FreshDatabase): Promise<Part[]> =>
  database.query<Part>(`
    SELECT coalesce(i.inhparent, c.oid)::regclass::text AS part, sum(pg_relation_size(c.oid))::float8 AS heap,
      sum(CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END)::float8 AS toast,
      sum(pg_indexes_size(c.oid))::float8 AS indexes
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND coalesce(i.inhparent, c.oid)::regclass::text
      IN ('calls', 'closings', 'phrases', 'bodies', 'masked_values', 'sessions', 'calls_in_flight')
      OR c.relkind = 'r' AND coalesce(i.inhparent, c.oid)::regclass::text LIKE 'search\\_%'
    GROUP BY 1 ORDER BY 1`);

/** Of the names of tables. */
const widest = 20;

const bytes = (size: number): string => (size / wanted).toFixed(0).padStart(9);

const measure = async (exchanges: readonly Exchange[], way: Way): Promise<void> => {
  const database = await freshDatabase();
  const store = await openStore({
    connectionString: database.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  try {
    const empty = new Map((await sizes(database)).map((part) => [part.part, part]));
    const seconds = await fill(store, exchanges, {
      ...way,
      vacuum: () =>
        database.query(
          "VACUUM search_body_parts, search_receipt_parts, search_places, search_queue, search_blocks, search_epochs",
        ),
    });
    console.log(`\n${way.name}: ${wanted} calls, ${(wanted / seconds).toFixed(0)} calls/s, bytes per call`);
    console.log(`${"".padEnd(widest)}     heap    toast  indexes      all`);
    let all = 0;
    for (const { part, heap, toast, indexes } of await sizes(database)) {
      const before = empty.get(part) ?? { heap: 0, toast: 0, indexes: 0 };
      const own = [heap - before.heap, toast - before.toast, indexes - before.indexes];
      const sum = own.reduce((total, size) => total + size, 0);
      all += sum;
      console.log(`${part.padEnd(widest)}${[...own, sum].map(bytes).join("")}`);
    }
    console.log(`${"all".padEnd(widest + 27)}${bytes(all)}`);
  } finally {
    await store.close();
    await database.drop();
  }
};

const recordings = loadRecordings();
if (recordings === null) console.log(recordingsMissing);
else {
  const exchanges = recordings.flatMap((recording) => recording.exchanges);
  const mean =
    exchanges.reduce((sum, { request, response }) => sum + request.body.length + response.body.length, 0) /
    exchanges.length;
  console.log(
    `${exchanges.length} exchanges, ${mean.toFixed(0)} bytes of bodies each on average (goal: at most 1,024 bytes of disk a call)`,
  );
  const server = await startDatabase();
  try {
    for (const way of ways) await measure(exchanges, way);
  } finally {
    await server.stop();
  }
}
