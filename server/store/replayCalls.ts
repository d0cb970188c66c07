/** Reads recorded calls with their callers and request bodies, for commands beside the gateway: it writes nothing, and its memory is flat. */

import type pg from "pg";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import type { Caller } from "../model/caller.ts";
import { type PackedBody, unpackBody } from "./bodies.ts";
import { connectClient, destroyClient } from "./connect.ts";
import { epochOf } from "./epochs.ts";
import { closingPhrase, distinct, joinFields, openingPhrase, weekOf } from "./phrases.ts";
import { caller } from "./sessions.ts";

/** Who called, on what. */
export type RecordedSession = {
  readonly id: string;
  readonly connection: string;
  readonly caller: Caller;
  /** What others of its day still have in common with it is not its any more. */
  readonly bodies_expired: boolean;
};

/** A recorded request and what was decided about it. */
export type RecordedCall = {
  readonly session: RecordedSession;
  readonly n: number;
  /** Id of the operation and its class, as the catalogue had them then. */
  readonly operation: string;
  readonly access: string;
  readonly method: string;
  readonly host: string;
  /** Keys in it are masked. */
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly effect: z.infer<typeof openingPhrase>["decision"]["effect"];
  /** Those that the decision names. */
  readonly rules: readonly { readonly name: string; readonly effect: string }[];
  /** With which code the call ended, if with one. */
  readonly error_code: string | null;
  readonly received_at: Date;
  /** Null when the request had none. */
  readonly body: RecordedBodyPlace | null;
};

/** Where the bytes of a request body are; `kept` is false when the recording does not have them (all). */
export type RecordedBodyPlace = {
  readonly size: number;
  readonly kept: boolean;
  readonly epoch: number;
  readonly digest: Buffer;
  readonly spill: string | null;
};

export type CallFilter = {
  /** Calls received from here on. */
  readonly since?: Date;
  /** Only these sessions; empty: all. */
  readonly sessions?: readonly string[];
  /** Which callers' sessions are read. */
  readonly isWanted?: (session: RecordedSession) => boolean;
};

export interface CallReader {
  /** In the order of their sessions, and within one in theirs; at most `pageSize` at a time. */
  pages(filter: CallFilter): AsyncIterable<readonly RecordedCall[]>;
  /** The stored bytes of these bodies; one that is not stored any more is absent. As much is in memory as is asked for at once. */
  bodies(places: readonly RecordedBodyPlace[]): Promise<ReadonlyMap<RecordedBodyPlace, Buffer>>;
  close(): void;
}

/** Rows of a page: enough that the round trip does not count, few enough that their headers fit anywhere. */
const pageSize = 500;
const sessionsAtOnce = 200;
/** Phrases that are kept: a few KiB each. */
const mostRemembered = 500;
/** A whole page may have to be read from a cold disk, ms. */
const patience = 60_000;
/** How far the clocks of a gateway and of its database may be apart, ms. */
const clocksApart = 60 * 60_000;

const sessionRow = z.object({ id: z.uuid(), connection: z.string(), caller, bodies_expired: z.boolean() });

const callRow = z.object({
  session_id: z.string(),
  n: z.int(),
  operation: z.string(),
  access: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.string(),
  phrase: z.instanceof(Buffer),
  own_values: z.array(z.string()).nullable(),
  error_code: z.string().nullable(),
  received_at: z.date(),
  /** Of the closing, when it has the request's body. */
  late_phrase: z.instanceof(Buffer).nullable(),
  request_size: z.number().nullable(),
  request_digest: z.instanceof(Buffer).nullable(),
  request_spill: z.string().nullable(),
});
type CallRow = z.infer<typeof callRow>;

const phraseRow = z.object({ digest: z.instanceof(Buffer), value: z.unknown() });

const packedRow = z.object({ coding: z.enum(["identity", "zstd"]), bytes: z.instanceof(Buffer) });
const contentRow = packedRow.extend({ digest: z.instanceof(Buffer) });

/** @throws GatewayError `recording_unavailable` when the database cannot be reached, or no gateway ever used it */
export const openCallReader = async (connectionString: string): Promise<CallReader> => {
  const client = await connectClient(connectionString, {
    application_name: "dogwatch policy",
    query_timeout: patience,
    statement_timeout: patience,
  }).catch(unavailable("the database cannot be reached"));
  const ask = async <T>(row: z.ZodType<T>, text: string, values: readonly unknown[]): Promise<T[]> => {
    const { rows } = await client
      .query<pg.QueryResultRow>({ text, values: [...values] })
      .catch(unavailable("the database did not answer"));
    return rows.map((found) => row.parse(found));
  };
  // Whatever a bug or a role that may do more would try: this connection only reads.
  await ask(z.unknown(), "SET default_transaction_read_only = on", []);
  const [ready] = await ask(z.object({ there: z.boolean() }), "SELECT to_regclass('calls') IS NOT NULL AS there", []);
  if (ready?.there !== true) {
    destroyClient(client);
    throw new GatewayError(
      "recording_unavailable",
      "there are no recordings in this database: no gateway ever used it",
    );
  }
  return {
    pages: (filter) => readAhead(callPages(ask, filter)),
    bodies: (places) => readBodies(ask, places),
    close: () => destroyClient(client),
  };
};

const unavailable =
  (what: string) =>
  (cause: unknown): never => {
    throw new GatewayError(
      "recording_unavailable",
      `${what}: ${cause instanceof Error ? cause.message : "no reason given"}`,
      {
        cause,
      },
    );
  };

type Ask = <T>(row: z.ZodType<T>, text: string, values: readonly unknown[]) => Promise<T[]>;

/** Keyset pages over sessions, and over the calls of each piece of them: no cursor stays open in the gateway's database. */
async function* callPages(ask: Ask, filter: CallFilter): AsyncGenerator<readonly RecordedCall[]> {
  const learn = learnPhrases(ask);
  for await (const sessions of sessionPages(ask, filter)) {
    const byId = new Map(sessions.map((session) => [session.id, session]));
    let left = [...byId.keys()];
    // Within one session the next page begins after a number: a condition on both at once would read from the first again.
    let after = 0;
    while (left.length > 0) {
      const rows: CallRow[] = await ask(callRow, selectCalls, [
        after === 0 ? left : left.slice(0, 1),
        after,
        filter.since ?? "-infinity",
      ]);
      if (rows.length > 0) {
        const phrases = await learn(rows);
        yield rows.flatMap((row) => callOf(row, { sessions: byId, phrases }));
      }
      const last = rows.length === pageSize ? rows.at(-1) : undefined;
      if (last !== undefined) left = left.slice(left.indexOf(last.session_id));
      else left = after === 0 ? [] : left.slice(1);
      after = last?.n ?? 0;
    }
  }
}

/** A request body that was still arriving when the call was opened is in the closing. */
const selectCalls = `
  SELECT c.session_id, c.n, c.operation, c.access, c.method, c.host, c.path, c.query, c.phrase, c.own_values, c.received_at, e.error_code,
    CASE WHEN e.request_size IS NOT NULL THEN e.phrase END AS late_phrase,
    coalesce(e.request_size, c.request_size)::float8 AS request_size,
    CASE WHEN e.request_size IS NULL THEN c.request_digest ELSE e.request_digest END AS request_digest,
    CASE WHEN e.request_size IS NULL THEN c.request_spill ELSE e.request_spill END AS request_spill
  FROM calls c LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n
  WHERE c.session_id = ANY ($1::uuid[]) AND c.n > $2::int4 AND c.received_at >= $3::timestamptz
  ORDER BY c.session_id, c.n LIMIT ${pageSize}`;

async function* sessionPages(ask: Ask, filter: CallFilter): AsyncGenerator<readonly RecordedSession[]> {
  const since = filter.since === undefined ? "-infinity" : new Date(filter.since.getTime() - clocksApart);
  const named = filter.sessions ?? [];
  let after = "00000000-0000-0000-0000-000000000000";
  for (;;) {
    const found = await ask(
      sessionRow,
      `SELECT id, connection, caller, bodies_expired FROM sessions
       WHERE id > $1::uuid AND last_used_at >= $2::timestamptz AND ($3::uuid[] = '{}' OR id = ANY ($3::uuid[]))
       ORDER BY id LIMIT ${sessionsAtOnce}`,
      [after, since, named],
    );
    const wanted = found.filter((session) => filter.isWanted?.(session) ?? true);
    if (wanted.length > 0) yield wanted;
    const last = found.at(-1);
    if (last === undefined || found.length < sessionsAtOnce) return;
    after = last.id;
  }
}

type Phrases = {
  readonly opening: (row: CallRow) => z.infer<typeof openingPhrase>;
  readonly late: (row: CallRow) => z.infer<typeof closingPhrase> | null;
};

/** Receipts say the same over and over: what was read of it is kept for a while. */
const learnPhrases = (ask: Ask): ((rows: readonly CallRow[]) => Promise<Phrases>) => {
  const openings = new Map<string, z.infer<typeof openingPhrase>>();
  const read = async (rows: readonly CallRow[], digests: readonly Buffer[]) =>
    digests.length === 0
      ? []
      : ask(
          phraseRow,
          "SELECT digest, value FROM phrases WHERE week = ANY ($1::int4[]) AND digest = ANY ($2::bytea[])",
          [[...new Set(rows.map(({ session_id }) => weekOf(session_id)))], digests],
        );
  return async (rows) => {
    if (openings.size >= mostRemembered) openings.clear();
    const unknown = rows.flatMap(({ phrase }) => (openings.has(phrase.toString("hex")) ? [] : [phrase]));
    for (const { digest, value } of await read(rows, distinct(unknown)))
      openings.set(digest.toString("hex"), openingPhrase.parse(value));
    const late = new Map<string, z.infer<typeof closingPhrase>>();
    for (const { digest, value } of await read(
      rows,
      distinct(rows.flatMap(({ late_phrase }) => (late_phrase === null ? [] : [late_phrase]))),
    ))
      late.set(digest.toString("hex"), closingPhrase.parse(value));
    return {
      opening: ({ phrase, session_id, n }) => {
        const found = openings.get(phrase.toString("hex"));
        if (found !== undefined) return found;
        throw new GatewayError("recording_unavailable", `call ${session_id}/${n} is not stored as a whole any more`);
      },
      late: ({ late_phrase }) => (late_phrase === null ? null : (late.get(late_phrase.toString("hex")) ?? null)),
    };
  };
};

type Known = {
  readonly sessions: ReadonlyMap<string, RecordedSession>;
  readonly phrases: Phrases;
};

const callOf = (row: CallRow, { sessions, phrases }: Known): RecordedCall[] => {
  const session = sessions.get(row.session_id);
  if (session === undefined) return [];
  const {
    session_id,
    own_values,
    request_size,
    request_digest,
    request_spill,
    phrase: _,
    late_phrase: __,
    ...rest
  } = row;
  const { headers, decision, body: atOnce } = phrases.opening(row);
  const kind = phrases.late(row)?.request_body ?? atOnce;
  const body =
    kind === null || request_size === null || request_digest === null
      ? null
      : {
          size: request_size,
          kept: (kind.kept || request_spill !== null) && !kind.truncated && !session.bodies_expired,
          epoch: epochOf(session_id),
          digest: request_digest,
          spill: request_spill,
        };
  const { effect, rules } = decision;
  return [{ ...rest, session, headers: joinFields(headers, own_values), effect, rules, body }];
};

/** Asks for the next page while the last one is looked at. */
async function* readAhead<T>(pages: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = pages.next();
  for (;;) {
    const page = await next;
    if (page.done === true) return;
    next = pages.next();
    // It may fail before anybody waits for it; then whoever waits is told.
    next.catch(() => undefined);
    yield page.value;
  }
}

const readBodies = async (
  ask: Ask,
  places: readonly RecordedBodyPlace[],
): Promise<ReadonlyMap<RecordedBodyPlace, Buffer>> => {
  const found = new Map<RecordedBodyPlace, Buffer>();
  const packed = new Map<string, PackedBody>();
  const small = places.filter(({ spill }) => spill === null);
  if (small.length > 0)
    for (const row of await ask(
      contentRow,
      "SELECT digest, coding, bytes FROM bodies WHERE epoch = ANY ($1::int4[]) AND digest = ANY ($2::bytea[])",
      [[...new Set(small.map(({ epoch }) => epoch))], small.map(({ digest }) => digest)],
    ))
      packed.set(row.digest.toString("hex"), row);
  for (const place of places) {
    const content = packed.get(place.digest.toString("hex"));
    const pieces = place.spill !== null ? await readChunks(ask, place.spill) : content === undefined ? [] : [content];
    if (pieces.length > 0) found.set(place, Buffer.concat(await Promise.all(pieces.map((piece) => unpackBody(piece)))));
  }
  return found;
};

const readChunks = (ask: Ask, spill: string): Promise<PackedBody[]> =>
  ask(packedRow, "SELECT coding, bytes FROM body_chunks WHERE spill = $1 ORDER BY seq", [spill]);
