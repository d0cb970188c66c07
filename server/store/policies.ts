/** Every policy that was ever in force, by the digest that receipts name. */

import { sql } from "slonik";
import { z } from "zod";
import { type Rows, time } from "./rows.ts";

export type KeptPolicy = {
  /** SHA-256 (hex). */
  readonly digest: string;
  /** RFC 8785 JSON of `{observe, rules}`, rules by name: what the digest is of. */
  readonly source: string;
};

export type StoredPolicy = KeptPolicy & { readonly first_in_force: Date };

export interface Policies {
  /** Once it is kept it stays, with the time of its first day. @throws GatewayError `recording_unavailable` */
  keep(policy: KeptPolicy): Promise<void>;
  /** Null when it never was in force here. @throws GatewayError `recording_unavailable` */
  get(digest: string): Promise<StoredPolicy | null>;
}

const policyRow = z.object({ source: z.string(), first_in_force: time });

export const createPolicies = (rows: Rows, clock: () => Date): Policies => ({
  keep: async ({ digest, source }) => {
    await rows.ask((db) =>
      db.query(sql.type(z.object({}))`
        INSERT INTO policies (digest, source, first_in_force)
        VALUES (${sql.binary(Buffer.from(digest, "hex"))}, ${source}::json, ${clock().toISOString()}::timestamptz)
        ON CONFLICT (digest) DO NOTHING`),
    );
  },
  get: async (digest) => {
    if (!/^[0-9a-f]{64}$/.test(digest)) return null;
    const found = await rows.ask((db) =>
      db.maybeOne(sql.type(policyRow)`
        SELECT source::text, first_in_force FROM policies WHERE digest = ${sql.binary(Buffer.from(digest, "hex"))}`),
    );
    return found === null ? null : { digest, ...found };
  },
});
