/** The signed end of a session: how many calls it had, what their chain ends in, and where that stands in the log of seals. */

export type SealedState = "closed" | "expired";

/** What a seal says; it never changes. */
export type SealText = {
  readonly session_id: string;
  readonly calls: number;
  /** Hex; the last hash of the session's chain. */
  readonly head: string;
  readonly state: SealedState;
  readonly sealed_at: Date;
};

export type Seal = SealText & {
  /** Its leaf, from 0; null until it is in the log. */
  readonly log_index: number | null;
  /** The first signed checkpoint that covers it, a signed note; null until there is one. */
  readonly checkpoint: string | null;
};

/** What was sealed, call by call, so that it can be said which one was altered: authenticated by the seal's head. */
export type SealedDigests = {
  /** Number of the first call; 0: the chain's beginning, which is one digest. */
  readonly from: number;
  /** 32 bytes each. */
  readonly digests: Buffer;
  /** A few bytes of each part of each call: a hint at what was altered, and no proof. */
  readonly prints: Buffer;
};
