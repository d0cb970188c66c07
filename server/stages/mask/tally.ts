/** Counts what masks replaced, and names the values by keyed hash for whoever searches for one. */

import type { Replaced } from "../../model/receipt.ts";
import type { MaskedValue } from "./body/build.ts";
import { equalityHash } from "./token/equality.ts";
import type { MaskKeys } from "./token/keys.ts";

/** So that a body of nothing but addresses does not grow the index without end. */
const mostHashes = 10_000;

export class Tally {
  readonly #keys: MaskKeys;
  readonly #hashes = new Set<string>();
  #values = 0;

  constructor(keys: MaskKeys) {
    this.#keys = keys;
  }

  add(values: readonly MaskedValue[]): void {
    this.#values += values.length;
    for (const { kind, text } of values)
      if (text !== "" && this.#hashes.size < mostHashes) this.#hashes.add(equalityHash(this.#keys, kind, text));
  }

  join(other: Replaced | undefined): void {
    if (other === undefined) return;
    this.#values += other.values;
    for (const hash of other.hashes) if (this.#hashes.size < mostHashes) this.#hashes.add(hash);
  }

  get replaced(): Replaced {
    return { values: this.#values, hashes: [...this.#hashes] };
  }
}
