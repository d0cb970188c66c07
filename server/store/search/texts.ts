/** Reads what a search sees: calls by name, with the texts of their bodies. The index is made of the same, so that it misses nothing. */

import { sql } from "slonik";
import { z } from "zod";
import { decodeCodings } from "../../model/coding.ts";
import type { StoredBodyMeta, StoredCall } from "../../model/receipt.ts";
import type { Scope, SearchedCall } from "../../model/searched.ts";
import { zstdDecompressSync } from "node:zlib";
import { contentId, type PackedBody, unpackBody } from "../bodies.ts";
import { callRow, callsWithEnds, readCalls } from "../callRows.ts";
import { epochOf } from "../epochs.ts";
import { count, isUnreadable, type Questions, type Rows } from "../rows.ts";
import { caller } from "../sessions.ts";

export type CallName = { readonly session_id: string; readonly n: number };

/** The beginning of a body, decoded, that is looked through, bytes. */
const searchedBytes = 1024 * 1024;
/** A body that decodes to more is not. */
const decodedBytes = 16 * 1024 * 1024;

const sessionRow = z.object({ id: z.uuid(), connection: z.string(), caller, repository: z.string().nullable() });
const contentRow = z.object({
  epoch: count,
  digest: z.instanceof(Buffer),
  coding: z.enum(["identity", "zstd"]),
  bytes: z.instanceof(Buffer),
});
const chunkRow = contentRow.omit({ epoch: true, digest: true }).extend({ spill: z.uuid() });

/** In SQL, so that nobody counts or waits for what they may not see. */
export const visible = (scope: Scope) => {
  switch (scope.kind) {
    case "everything":
      return sql.fragment`true`;
    case "repositories":
      return sql.fragment`s.repository = ANY (${sql.array(scope.repositories, "text")})`;
    default:
      return scope satisfies never;
  }
};

/** By `<session>/<n>`; calls that are gone are absent, and so are those into which somebody wrote what no gateway writes: they hide no other. */
export const readSearched = async (db: Questions, names: readonly CallName[]): Promise<Map<string, SearchedCall>> => {
  if (names.length === 0) return new Map();
  try {
    return await readAll(db, names);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    if (names.length === 1) return new Map();
    const half = Math.ceil(names.length / 2);
    const [first, second] = [names.slice(0, half), names.slice(half)];
    return new Map([...(await readSearched(db, first)), ...(await readSearched(db, second))]);
  }
};

const readAll = async (db: Questions, names: readonly CallName[]): Promise<Map<string, SearchedCall>> => {
  const wanted = sql.unnest(
    names.map(({ session_id, n }) => [session_id, n]),
    ["uuid", "int4"],
  );
  const found = await db.any(sql.type(callRow)`
    ${callsWithEnds} JOIN ${wanted} AS w (session_id, n) ON w.session_id = c.session_id AND w.n = c.n`);
  const ids = [...new Set(names.map(({ session_id }) => session_id))];
  const sessions = await db.any(sql.type(sessionRow)`
    SELECT id, connection, caller, repository FROM sessions WHERE id = ANY (${sql.array(ids, "uuid")})`);
  const byId = new Map(sessions.map((session) => [session.id, session]));
  const calls = await readCalls(asking(db), found);
  return new Map(
    calls.flatMap((call): [string, SearchedCall][] => {
      const session = byId.get(call.session_id);
      if (session === undefined) return [];
      const { id: _, ...of } = session;
      return [[nameOf(call), { call, ...of }]];
    }),
  );
};

export const nameOf = ({ session_id, n }: CallName): string => `${session_id}/${n}`;

/** The questions of one transaction, as those of a pool. */
const asking = (db: Questions): Rows => ({
  ask: (question) => question(db),
  transact: (work) => work(db),
  close: () => Promise.resolve(),
});

/** A body whose bytes are there. */
export type KeptBody = { readonly id: string; readonly session_id: string; readonly meta: StoredBodyMeta };

export const keptBodies = (
  call: StoredCall,
): { readonly request: KeptBody | null; readonly response: KeptBody | null } => {
  const kept = (meta: StoredBodyMeta | null): KeptBody | null =>
    meta === null || meta.id === null || meta.expired ? null : { id: meta.id, session_id: call.session_id, meta };
  return { request: kept(call.request.body), response: kept(call.response?.body ?? null) };
};

/** Bytes of bodies that are looked through at a time: so much is in memory, and so long nobody else gets their turn. */
const bytesAtOnce = 4 * 1024 * 1024;

/** What is packed may be as large as any. */
const weightOf = ({ meta }: KeptBody): number =>
  meta.encoding === null ? Math.min(meta.size, searchedBytes) : searchedBytes;

/** In their order, as many at a time as their bodies let be in memory together. */
export function* inPieces<T>(all: readonly T[], bodiesOf: (one: T) => readonly KeptBody[]): Generator<readonly T[]> {
  let few: T[] = [];
  let bytes = 0;
  for (const one of all) {
    const weight = bodiesOf(one).reduce((sum, body) => sum + weightOf(body), 0);
    if (few.length > 0 && bytes + weight > bytesAtOnce) {
      yield few;
      few = [];
      bytes = 0;
    }
    few.push(one);
    bytes += weight;
  }
  yield few;
}

/** By id; what is no text, or cannot be decoded, is absent. */
export const readTexts = async (db: Questions, bodies: readonly KeptBody[]): Promise<Map<string, string>> => {
  const distinct = [...new Map(bodies.map((body) => [body.id, body])).values()];
  const bytes = await readBytes(db, distinct);
  const texts = new Map<string, string>();
  // One after the other: what decodes to a lot is in memory alone.
  for (const { id, meta } of distinct) {
    const stored = bytes.get(id);
    const text = stored === undefined ? null : await textOf(stored, meta.encoding);
    if (text !== null) texts.set(id, text);
  }
  return texts;
};

const readBytes = async (db: Questions, bodies: readonly KeptBody[]): Promise<Map<string, Buffer>> => {
  const contents = bodies.filter(({ id }) => id.includes("."));
  const spills = bodies.filter(({ id }) => !id.includes("."));
  const found = new Map<string, Buffer>();
  if (contents.length > 0) {
    const wanted = sql.unnest(
      contents.map(({ session_id, meta }) => [epochOf(session_id), meta.digest]),
      ["int4", "bytea"],
    );
    const rows = await db.any(sql.type(contentRow)`
      SELECT b.epoch, b.digest, b.coding, b.bytes FROM bodies b JOIN ${wanted} AS w (epoch, digest) ON w.epoch = b.epoch AND w.digest = b.digest`);
    for (const row of rows) {
      const bytes = unpackNow(row);
      if (bytes !== null) found.set(contentId(row.epoch, row.digest), bytes);
    }
  }
  if (spills.length > 0) {
    // Chunks are 256 KiB: the first ones are enough.
    const rows = await db.any(sql.type(chunkRow)`
      SELECT spill, coding, bytes FROM body_chunks
      WHERE spill = ANY (${sql.array(
        spills.map(({ id }) => id),
        "uuid",
      )}) AND seq < 4 ORDER BY spill, seq`);
    for (const { spill, ...packed } of rows) {
      const bytes = await unpackBody(packed).catch(() => Buffer.alloc(0));
      found.set(spill, Buffer.concat([found.get(spill) ?? Buffer.alloc(0), bytes]));
    }
  }
  return found;
};

/** Content of `bodies` is small: another thread would take longer to be told than this takes. Null for what is no zstd, whatever it says. */
const unpackNow = ({ coding, bytes }: PackedBody): Buffer | null => {
  if (coding !== "zstd") return bytes;
  try {
    return zstdDecompressSync(bytes);
  } catch {
    return null;
  }
};

/** Null for what is no text. */
const textOf = async (bytes: Buffer, encoding: string | null): Promise<string | null> => {
  const codings = (encoding ?? "")
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  const decoded = codings.length === 0 ? bytes : await decodeCodings(bytes, codings, decodedBytes);
  if (!Buffer.isBuffer(decoded)) return null;
  const searched = decoded.subarray(0, searchedBytes);
  return searched.includes(0) ? null : searched.toString("utf8");
};
