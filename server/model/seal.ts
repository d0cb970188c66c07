/** The signed end of a session: how many calls it had, what their chain ends in, and where that stands in the log of seals. */

import type { ApprovalState, GrantAsked, Terms, Verdict, Way } from "./approval.ts";

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

/** Of receipts in a chain. 1: as earlier gateways sealed them; 2: with what people said about the call. */
export type SealForm = 1 | 2;

export type NewSeal = SealText & { readonly form: SealForm };

/** What people said about one call that a rule held for them, and how it was let go: final once its session is over. */
export type CallApproval = {
  readonly id: string;
  readonly operation: string;
  readonly code: string;
  readonly state: ApprovalState;
  /** Hex; the digest that the answer binds, see `Approval`. */
  readonly digest: string;
  /** Hex SHA-256 of what was shown, of what was bound and of the run, each as it is stored. */
  readonly question: string;
  readonly binding: string;
  readonly run: string | null;
  readonly terms: Terms;
  readonly asked_at: Date;
  readonly expires_at: Date;
  readonly decided_at: Date | null;
  readonly reason: string;
  /** Those that counted, in the order in which they came. */
  readonly answers: readonly {
    /** Names the comment, the button press or the form. */
    readonly key: string;
    readonly verdict: Verdict;
    readonly by: string;
    readonly via: Way;
    readonly at: Date;
    readonly reason: string;
    readonly grant: GrantAsked | null;
  }[];
  /** What an answer permits beyond one call; it is the same in every call that it let pass. */
  readonly grant: {
    readonly id: string;
    readonly operation: string;
    readonly rule: string;
    readonly policy: string;
    readonly by: string;
    readonly made_at: Date;
    readonly expires_at: Date | null;
  } | null;
  /** Null for a call that was not let go. */
  readonly passed: { readonly at: Date; readonly grant_id: string | null } | null;
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
