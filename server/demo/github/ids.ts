/** Numbers and hashes as GitHub gives them out: ids are larger than 32 bits, and those of deliveries larger than a JavaScript number can tell apart. */

import { createHash, randomUUID } from "node:crypto";

/** Where counting begins, so that an id says at a glance what it is of. */
const beginnings = {
  account: 5_000_000,
  team: 9_000_000,
  repository: 900_000_000,
  app: 1_200_000,
  installation: 70_000_000,
} as const;

/** `thing`: what is written, run or checked. */
type Counted = keyof typeof beginnings | "thing";

export class Ids {
  readonly #last: Record<Counted, number>;
  #delivery: bigint;

  /** Comments, runs and deliveries never have the id of one that an earlier start gave out: whoever remembers those would mistake it. */
  constructor(clock: () => Date) {
    const now = clock().getTime();
    this.#last = { ...beginnings, thing: now };
    this.#delivery = BigInt(now) * 10_000n;
  }

  next(of: Counted): number {
    this.#last[of] += 1;
    return this.#last[of];
  }

  /** In digits. */
  delivery(): string {
    this.#delivery += 3n;
    return String(this.#delivery);
  }

  /** Of a commit: never twice the same. */
  sha(): string {
    return createHash("sha1").update(randomUUID()).digest("hex");
  }
}

/** GitHub's global id: opaque to everybody, the same for the same thing. */
export const nodeId = (kind: string, id: number): string => Buffer.from(`${kind}:${id}`).toString("base64");

/** To the second, as GitHub writes times: two changes in one second look like one. */
export const time = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
