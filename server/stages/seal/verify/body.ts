/** Checks the bytes of recorded bodies, piece by piece, against the digests in their receipts. */

import { createHash, type Hash } from "node:crypto";
import { saltedDigest, type SealedReceipt } from "../receipt.ts";
import type { Shapes } from "../proofLines.ts";
import type { Findings } from "./report.ts";

type Side = Shapes["body"]["side"];
type Expected = { readonly digest: string; readonly withheld: string | null };

/** The bodies of one receipt. */
export class BodyCheck {
  readonly #n: number;
  readonly #findings: Findings;
  readonly #expected = new Map<Side, Expected>();
  #hash: { readonly side: Side; readonly hash: Hash } | null = null;
  #expired = 0;

  constructor(receipt: Pick<SealedReceipt, "n" | "request" | "response">, findings: Findings) {
    this.#n = receipt.n;
    this.#findings = findings;
    for (const side of ["request", "response"] as const) {
      const body = receipt[side]?.body ?? null;
      if (body !== null) this.#expected.set(side, body);
    }
  }

  takePiece({ n, side, salt, bytes, last }: Shapes["body"]): void {
    const expected = this.#expected.get(side);
    if (n !== this.#n || expected === undefined)
      return this.#findings.add("body", `call ${n}: a ${side} body that its receipt does not have`, n);
    if (this.#hash?.side !== side) this.#hash = { side, hash: createHash("sha256") };
    this.#hash.hash.update(bytes);
    if (!last) return;
    const digest = saltedDigest(salt, this.#hash.hash.digest());
    this.#hash = null;
    this.#expected.delete(side);
    if (digest !== expected.digest)
      this.#findings.add("body", `call ${n}: the bytes of the ${side} body are not those that were recorded`, n);
  }

  takeNone({ n, side, why }: Shapes["bodyless"]): void {
    const expected = this.#expected.get(side);
    if (n !== this.#n || expected === undefined)
      return this.#findings.add("body", `call ${n}: a ${side} body that its receipt does not have`, n);
    this.#expected.delete(side);
    if (why === "expired") this.#expired += 1;
    else if (why === "lost" || expected.withheld === null)
      this.#findings.add("body", `call ${n}: the ${side} body is gone, and its time was not over`, n);
  }

  /** How many have expired. */
  end(): number {
    for (const side of this.#expected.keys())
      this.#findings.add("body", `call ${this.#n}: the ${side} body is not (all) in the file`, this.#n);
    return this.#expired;
  }
}
