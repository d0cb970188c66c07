/** Which bodies of receipts are still stored, and what can be said of one that is not any more. */

import { createHash } from "node:crypto";
import { sql } from "slonik";
import { z } from "zod";
import type { StoredMessage } from "../model/receipt.ts";
import { contentId } from "./bodies.ts";
import { epochOf } from "./epochs.ts";
import type { BodyKind } from "./phrases.ts";
import { count, type Rows } from "./rows.ts";

/** A body as a receipt has it. */
export type BodyRow = {
  readonly session_id: string;
  /** Its session's are gone: what another one of that day has in common with it is not this one's any more. */
  readonly expired: boolean;
  readonly body: (BodyKind & { readonly size: number }) | null;
  readonly digest: Buffer | null;
  readonly spill: string | null;
};

/** SHA-256 of bodies that are stored, by what `Bodies.read` calls them. */
export type Stored = ReadonlyMap<string, Buffer>;

/** Of a body of which nothing was kept. */
const ofNothing = createHash("sha256").digest();

const nameOf = ({ session_id, body, digest, spill }: BodyRow): string | null =>
  spill ?? (body?.kept === true && digest !== null ? contentId(epochOf(session_id), digest) : null);

const contentRow = z.object({ epoch: count, digest: z.instanceof(Buffer), sha256: z.instanceof(Buffer) });
const spillRow = z.object({ id: z.uuid(), sha256: z.instanceof(Buffer) });

export const findStored = async (rows: Rows, bodies: readonly BodyRow[]): Promise<Stored> => {
  const stored = new Map<string, Buffer>();
  const spills = bodies.flatMap(({ spill }) => (spill === null ? [] : [spill]));
  const contents = bodies.filter(({ body, spill }) => spill === null && body?.kept === true);
  if (contents.length > 0) {
    const epochs = sql.array([...new Set(contents.map(({ session_id }) => epochOf(session_id)))], "int4");
    const digests = sql.array(
      contents.flatMap(({ digest }) => (digest === null ? [] : [digest])),
      "bytea",
    );
    for (const { epoch, digest, sha256 } of await rows.ask((db) =>
      db.any(sql.type(contentRow)`
        SELECT epoch, digest, sha256 FROM bodies WHERE epoch = ANY (${epochs}) AND digest = ANY (${digests})`),
    ))
      stored.set(contentId(epoch, digest), sha256);
  }
  if (spills.length > 0)
    for (const { id, sha256 } of await rows.ask((db) =>
      db.any(
        sql.type(spillRow)`SELECT id, sha256 FROM spills WHERE id = ANY (${sql.array(spills, "uuid")}) AND claimed`,
      ),
    ))
      stored.set(id, sha256);
  return stored;
};

export const storedBody = (row: BodyRow, stored: Stored): StoredMessage["body"] => {
  if (row.body === null || row.digest === null) return null;
  const { kept: _, ...meta } = row.body;
  const id = nameOf(row);
  const { digest } = row;
  if (id === null) return { ...meta, digest, sha256: ofNothing, expired: false, id };
  const sha256 = row.expired ? null : (stored.get(id) ?? null);
  return { ...meta, digest, sha256, expired: sha256 === null, id };
};
