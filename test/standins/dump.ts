/** Everything that a database holds, unpacked as far as anybody could unpack it: to look for what must not be there. */

import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { FreshDatabase } from "./database.ts";

type Row = Readonly<Record<string, unknown>>;

/** One text a value, latin1: bytes are bytes. */
export const dumpOf = async ({ query }: Pick<FreshDatabase, "query">): Promise<string[]> => {
  const tables = await query<{ name: string }>(
    // What is in a partition is in its table.
    "SELECT c.oid::regclass::text AS name FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
  );
  const texts: string[] = [];
  for (const { name } of tables)
    for (const row of await query<Row>(`SELECT * FROM ${name}`))
      for (const value of Object.values(row)) if (value !== null) texts.push(textOf(value));
  return texts;
};

const textOf = (value: unknown): string => {
  if (Buffer.isBuffer(value)) return unpacked(value).toString("latin1");
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("latin1");
};

/** By their first bytes, one inside the other. */
const unpacked = (bytes: Buffer): Buffer => {
  for (const [magic, unpack] of [
    ["28b52ffd", zstdDecompressSync],
    ["1f8b08", gunzipSync],
  ] as const)
    if (bytes.subarray(0, magic.length / 2).toString("hex") === magic) {
      try {
        return unpacked(unpack(bytes));
      } catch {
        return bytes;
      }
    }
  return bytes;
};

/** Those of `secrets` that stand in one of `texts`; each has at least 8 characters of latin1. */
export const foundIn = (texts: readonly string[], secrets: readonly string[]): string[] => {
  const byBeginning = new Map<string, string[]>();
  for (const secret of secrets) {
    const beginning = secret.slice(0, 8);
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), secret]);
  }
  const found = new Set<string>();
  for (const text of texts)
    for (let at = 0; at + 8 <= text.length; at++) {
      const candidates = byBeginning.get(text.slice(at, at + 8));
      if (candidates !== undefined) for (const secret of candidates) if (text.startsWith(secret, at)) found.add(secret);
    }
  return [...found];
};
