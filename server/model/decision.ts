/** What the rules said of one call, with reasons: data, never a boolean. */

export const effects = ["allow", "approve", "deny"] as const;
export type Effect = (typeof effects)[number];

export type MatchedRule = { readonly name: string; readonly effect: Effect; readonly reason: string };

/** A rule that would have let the call pass, or have asked somebody, but for one clause. */
export type NearRule = {
  readonly name: string;
  readonly effect: Effect;
  /** The policy's own text, `caller.ref == "refs/heads/main"`, with the reason when it could not be evaluated. */
  readonly clause: string;
};

export type Decision = {
  readonly effect: Effect | "observe";
  /** Every rule that matched, or counted as matched because it ended in an error; strongest effect first. */
  readonly rules: readonly MatchedRule[];
  /** Of a call that no rule let pass: the nearest first, at most three. Absent when there is none. */
  readonly near?: readonly NearRule[];
  /** For people, the first sentence is short: `DeleteMonitor is denied by rule no-monitor-deletes`. */
  readonly reason: string;
  /** SHA-256 (hex) of the policy that decided. */
  readonly policy: string;
};
