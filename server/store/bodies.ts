/** Bodies at rest: small ones once per distinct content and epoch, large ones chunk by chunk, compressed where that pays. */

import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { sql } from "slonik";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import { timeOf } from "../model/uuidv7.ts";
import { openEpochOf, type Salts } from "./epochs.ts";
import { count, type Rows } from "./rows.ts";

export type Coding = "identity" | "zstd";
export type PackedBody = { readonly coding: Coding; readonly bytes: Buffer };

/** Takes a large body while it passes. Await every write: that is the backpressure which keeps memory flat. */
export type Spill = {
  write(chunk: Buffer): Promise<void>;
  /** Resolves when all of it is durable, with the name that a `RecordedBody` carries as `spill`. */
  finish(): Promise<{ spill: string }>;
  /** Throws away what was written, unless it is finished: a receipt that names it may be on its way. What no receipt claims is swept. */
  abandon(): Promise<void>;
};

export interface Bodies {
  /** For a body of this session: it goes with the session's other bodies. */
  spill(session_id: string): Spill;
  /** By `StoredMessage.body.id`: the stored bytes, in pieces of about 256 KiB. @throws GatewayError when they are not there */
  read(id: string): AsyncIterable<Buffer>;
  /** Those of these bodies that are small and stored, by `id`, in one question; they are in memory together. */
  readSmall(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

/** Below this size zstd saves less than a row costs; measured on Datadog's answers. */
const worthPacking = 512;
const chunkSize = 256 * 1024;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Compresses off the event loop; keeps what does not shrink by an eighth, such as what was compressed before. */
export const packBody = async (bytes: Buffer): Promise<PackedBody> => {
  if (bytes.length < worthPacking) return { coding: "identity", bytes };
  const packed = await compress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return packed.length < bytes.length * 0.875 ? { coding: "zstd", bytes: packed } : { coding: "identity", bytes };
};

export const unpackBody = async ({ coding, bytes }: PackedBody): Promise<Buffer> => {
  switch (coding) {
    case "identity":
      return bytes;
    case "zstd":
      return decompress(bytes);
    default:
      return coding satisfies never;
  }
};

const packedRow = z.object({ coding: z.enum(["identity", "zstd"]), bytes: z.instanceof(Buffer) });
const namedRow = packedRow.extend({ epoch: count, digest: z.instanceof(Buffer) });
const chunkRow = packedRow.extend({ seq: count });
const nothing = z.object({});

/** What a body in `bodies` is called; a spilled one has the name of its spill. */
export const contentId = (epoch: number, digest: Buffer): string => `${epoch}.${digest.toString("hex")}`;
const contentName = /^(\d{1,7})\.([0-9a-f]{64})$/;

export const createBodies = (rows: Rows, salts: Salts): Bodies => ({
  spill: (session_id) => createSpill(rows, salts, session_id),
  read: (id) => {
    const [, epoch, digest] = contentName.exec(id) ?? [];
    return epoch === undefined || digest === undefined
      ? readSpill(rows, id)
      : readContent(rows, { id, epoch: Number(epoch), digest: Buffer.from(digest, "hex") });
  },
  readSmall: (ids) => readSmall(rows, ids),
});

const readSmall = async (rows: Rows, ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> => {
  const wanted = ids.flatMap((id) => {
    const [, epoch, digest] = contentName.exec(id) ?? [];
    return epoch === undefined || digest === undefined ? [] : [[Number(epoch), Buffer.from(digest, "hex")]];
  });
  if (wanted.length === 0) return new Map();
  const found = await rows.ask((db) =>
    db.any(sql.type(namedRow)`
      SELECT b.epoch, b.digest, b.coding, b.bytes
      FROM ${sql.unnest(wanted, ["int4", "bytea"])} AS w (epoch, digest) JOIN bodies b ON b.epoch = w.epoch AND b.digest = w.digest`),
  );
  return new Map(
    await Promise.all(
      found.map(async ({ epoch, digest, ...packed }) => [contentId(epoch, digest), await unpackBody(packed)] as const),
    ),
  );
};

const createSpill = (rows: Rows, salts: Salts, session_id: string): Spill => {
  // The session's time, so that it is in the partition of the session's epoch; the rest is chance.
  const id = uuidv7({ msecs: timeOf(session_id) });
  // One chunk's memory for the whole body: what is thrown away per chunk is what a large body's peak is made of.
  let held = Buffer.alloc(0);
  let size = 0;
  let seq = 0;
  let started = false;
  let finished = false;
  let pack = packBody;

  const flush = async (): Promise<void> => {
    const { coding, bytes } = await pack(held.subarray(0, size));
    // A body whose beginning does not shrink is compressed already, or a picture.
    if (coding === "identity") pack = asItIs;
    if (!started) {
      started = true;
      await openEpochOf(rows, salts, session_id);
      await rows.ask((db) => db.query(sql.type(nothing)`INSERT INTO spills (id) VALUES (${id})`));
    }
    const at = seq++;
    await rows.ask((db) =>
      db.query(sql.type(nothing)`
        INSERT INTO body_chunks (spill, seq, coding, bytes) VALUES (${id}, ${at}, ${coding}, ${sql.binary(bytes)})`),
    );
    size = 0;
  };

  return {
    write: async (chunk) => {
      if (held.length === 0) held = Buffer.allocUnsafeSlow(chunkSize);
      for (let at = 0; at < chunk.length; ) {
        const copied = chunk.copy(held, size, at);
        at += copied;
        size += copied;
        if (size === chunkSize) await flush();
      }
    },
    finish: async () => {
      if (size > 0 || !started) await flush();
      finished = true;
      return { spill: id };
    },
    abandon: async () => {
      size = 0;
      if (started && !finished)
        await rows.ask((db) =>
          db.query(sql.type(nothing)`
            WITH gone AS (DELETE FROM spills WHERE id = ${id} AND NOT claimed RETURNING id)
            DELETE FROM body_chunks c USING gone WHERE c.spill = gone.id`),
        );
    },
  };
};

const asItIs = async (bytes: Buffer): Promise<PackedBody> => ({ coding: "identity", bytes });

type Content = { readonly id: string; readonly epoch: number; readonly digest: Buffer };

async function* readContent(rows: Rows, { id, epoch, digest }: Content): AsyncGenerator<Buffer> {
  const found = await rows.ask((db) =>
    db.maybeOne(sql.type(packedRow)`
      SELECT coding, bytes FROM bodies WHERE epoch = ${epoch} AND digest = ${sql.binary(digest)}`),
  );
  if (found === null) throw gone(id);
  yield await unpackBody(found);
}

async function* readSpill(rows: Rows, id: string): AsyncGenerator<Buffer> {
  let seq = 0;
  for (;;) {
    const from = seq;
    const chunk = await rows.ask((db) =>
      db.maybeOne(sql.type(chunkRow)`
        SELECT seq, coding, bytes FROM body_chunks WHERE spill = ${id} AND seq >= ${from} ORDER BY seq LIMIT 1`),
    );
    if (chunk === null && seq > 0) return;
    if (chunk?.seq !== seq++) throw gone(id);
    yield await unpackBody(chunk);
  }
}

const gone = (id: string): GatewayError =>
  new GatewayError("recording_unavailable", `the bytes of body ${id} are not stored any more`);
