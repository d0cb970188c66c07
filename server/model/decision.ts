/** What the rules said of one call, with reasons: data, never a boolean. */

export const effects = ["allow", "approve", "deny"] as const;
export type Effect = (typeof effects)[number];

export type MatchedRule = { readonly name: string; readonly effect: Effect; readonly reason: string };

export type Decision = {
  readonly effect: Effect | "observe";
  /** Every rule that matched, or counted as matched because it ended in an error; strongest effect first. */
  readonly rules: readonly MatchedRule[];
  /** One sentence for people: `DeleteMonitor is denied by rule no-monitor-deletes`. */
  readonly reason: string;
  /** SHA-256 (hex) of the policy that decided. */
  readonly policy: string;
};
