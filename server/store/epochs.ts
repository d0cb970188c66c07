/** Epochs, the UTC days of sessions: what their receipts and bodies are written into, and what the digests of their bodies are salted with. */

import { hash } from "node:crypto";
import { sql } from "slonik";
import { z } from "zod";
import { timeOf } from "../model/uuidv7.ts";
import type { Statement } from "./statements.ts";
import { count, type Rows } from "./rows.ts";

const day = 86_400_000;

/** The day of a UUIDv7, counted from 1970-01-01; the same as `epoch_of` in SQL. */
export const epochOf = (id: string): number => Math.floor(timeOf(id) / day);

/** What a receipt says of a body: nothing, once the salt is gone. */
export const saltDigest = (salt: Buffer, sha256: Buffer): Buffer =>
  hash("sha256", Buffer.concat([salt, sha256]), "buffer");

const saltRow = z.object({ epoch: count, salt: z.instanceof(Buffer) });
export type SaltRow = z.infer<typeof saltRow>;

/** How many days are made ahead, beside the present one. */
const ahead = 2;

/** The salts that this process knows. One that is known says that the partitions of its epoch were there. */
export class Salts {
  #known = new Map<number, Buffer>();

  of(session_id: string): Buffer | undefined {
    return this.#known.get(epochOf(session_id));
  }

  /** Those of these sessions' epochs, as they are known now. */
  only(session_ids: readonly string[]): Salts {
    const own = new Salts();
    for (const epoch of new Set(session_ids.map(epochOf))) {
      const salt = this.#known.get(epoch);
      if (salt !== undefined) own.add([{ epoch, salt }]);
    }
    return own;
  }

  /** Epochs of these sessions that are not known, each once. */
  missing(session_ids: readonly string[]): number[] {
    return [...new Set(session_ids.map(epochOf))].filter((epoch) => !this.#known.has(epoch)).toSorted((a, b) => a - b);
  }

  /**
   * Those that are known and may have been dropped since, and even opened again with another salt: retention drops what was over the day before
   * yesterday, and nothing younger. They are asked for with every batch.
   */
  doubtful(session_ids: readonly string[]): number[] {
    const newest = Math.max(...this.#known.keys());
    return [...new Set(session_ids.map(epochOf))].filter(
      (epoch) => this.#known.has(epoch) && epoch <= newest - ahead - 2,
    );
  }

  /** What the database says of those that were doubtful. */
  confirm(epochs: readonly number[], rows: readonly SaltRow[]): void {
    for (const epoch of epochs) this.#known.delete(epoch);
    this.add(rows);
  }

  add(rows: readonly SaltRow[]): void {
    for (const { epoch, salt } of rows) this.#known.set(epoch, salt);
  }

  /** What is not among them is gone, and is forgotten here too. */
  replace(rows: readonly SaltRow[]): void {
    this.#known = new Map(rows.map(({ epoch, salt }) => [epoch, salt]));
  }

  forget(session_ids: readonly string[]): void {
    for (const id of session_ids) this.#known.delete(epochOf(id));
  }
}

/**
 * Makes the next days' partitions, by the database's clock and by ours, and learns all salts. Several gateways may do so at once. What is not made
 * ahead is made when it is needed: no receipt waits for this.
 */
export const openAhead = async (rows: Rows, clock: () => Date, salts: Salts): Promise<void> => {
  const ours = Math.floor(clock().getTime() / day);
  const known = await rows.ask(async (db) => {
    await db.any(sql.type(saltRow)`
      SELECT e AS epoch, open_epoch(e) AS salt FROM (
        SELECT DISTINCT today + later AS e
        FROM (VALUES (${ours}::int4), (floor(extract(epoch FROM clock_timestamp()) / 86400)::int4)) days (today), generate_series(0, ${ahead}) later
        ORDER BY e
      ) wanted`);
    return db.any(sql.type(saltRow)`SELECT epoch, salt FROM epochs`);
  });
  salts.replace(known);
};

/** Makes a session's epoch, unless that is done already. */
export const openEpochOf = async (rows: Rows, salts: Salts, session_id: string): Promise<void> => {
  for (const epoch of salts.missing([session_id]))
    salts.add(
      await rows.ask((db) => db.any(sql.type(saltRow)`SELECT ${epoch}::int4 AS epoch, open_epoch(${epoch}) AS salt`)),
    );
};

type EpochStatement = Omit<Statement, "values"> & { readonly values: unknown[] };

export const readSalts = (epochs: readonly number[]): EpochStatement => ({
  name: "read-salts",
  text: "SELECT epoch, salt FROM epochs WHERE epoch = ANY ($1::int4[])",
  values: [epochs],
});

/** The same for a sink, on its own connection; epochs that no session belongs to are not made. */
export const openEpochs = (epochs: readonly number[]): EpochStatement => ({
  name: "open-epochs",
  text: `
    SELECT wanted AS epoch, open_epoch(wanted) AS salt FROM unnest($1::int4[]) AS wanted
    WHERE EXISTS (SELECT FROM sessions WHERE id >= first_id_of(wanted) AND id < first_id_of(wanted + 1))`,
  values: [epochs],
});
