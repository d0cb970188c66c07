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

/** A token of a mask that a caller sent. `path`: where it stood, `$.options.email`, or the header field, the query, the path. */
export type TokenUse = {
  readonly kind: string;
  readonly path: string;
  /** `restored`: it stands for its value again; see `AttemptOutcome` of stages/mask/token/restore.ts for the others. */
  readonly outcome: string;
};

export type Decision = {
  readonly effect: Effect | "observe";
  /** Every rule that matched, or counted as matched because it ended in an error; strongest effect first. */
  readonly rules: readonly MatchedRule[];
  /** Of a call that no rule let pass: the nearest first, at most three. Absent when there is none. */
  readonly near?: readonly NearRule[];
  /** What became of the tokens of masks that the request held, in order, at most a hundred; absent when it held none. */
  readonly tokens?: readonly TokenUse[];
  /** For people, the first sentence is short: `DeleteMonitor is denied by rule no-monitor-deletes`. */
  readonly reason: string;
  /** SHA-256 (hex) of the policy that decided. */
  readonly policy: string;
};
