/** The hash chain of a session: where it begins, how each receipt continues it, and the leaf that its seal is in the log. */

import { createHash } from "node:crypto";
import type { Caller } from "../../model/caller.ts";
import type { SealForm, SealText } from "../../model/seal.ts";
import { canonical } from "./receipt.ts";

/** What the chain begins with: the session as it is once it has ended. */
export type SealedSession = {
  /** Left out: 1. */
  readonly form?: Exclude<SealForm, 1>;
  readonly id: string;
  readonly connection: string;
  readonly caller: Caller;
  readonly state: string;
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly calls: number;
};

/** h0 */
export const beginChain = (session: SealedSession): Buffer =>
  createHash("sha256").update("dogwatch-session-v1\0").update(canonical(session)).digest();

/** hn = SHA-256(hn-1 ‖ SHA-256(JCS(receipt n))) */
export const continueChain = (head: Buffer, receipt: Buffer): Buffer =>
  createHash("sha256").update(head).update(receipt).digest();

/** The entry of the log, byte for byte. */
export const leafOf = ({ session_id, calls, head, state, sealed_at }: SealText): Buffer =>
  Buffer.from(
    canonical({ type: "dogwatch-seal-v1", session_id, calls, head, state, sealed_at: sealed_at.toISOString() }),
  );
