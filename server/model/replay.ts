/** A session that is sent again to a sandbox, and what became of each of its calls. */

export const outcomes = ["same", "different", "failed", "skipped", "planned"] as const;
/** `planned`: what a dry run would send. */
export type Outcome = (typeof outcomes)[number];

export const replayStates = ["running", "done", "stopped", "interrupted", "failed"] as const;
/** `stopped`: at the first difference, or by somebody. `interrupted`: the gateway ended before it did; nobody goes on with it. */
export type ReplayState = (typeof replayStates)[number];

export const paces = ["fast", "recorded"] as const;

export type ReplayOptions = {
  /** `recorded`: with the pauses that were between the calls. */
  readonly pace: (typeof paces)[number];
  /** Nothing is sent: it says what would be. */
  readonly dry_run: boolean;
  readonly stop_on_difference: boolean;
  /** Masked values: made-up ones in their place, or as they were. */
  readonly masked: "stand-in" | "restore";
};

export type Counts = Readonly<Record<Outcome, number>>;

export type CleanUp = {
  readonly state: "running" | "done" | "interrupted";
  readonly deleted: number;
  /** Were gone already. */
  readonly missing: number;
  readonly failed: number;
  /** Of the first that failed. */
  readonly reasons: readonly string[];
};

export type Replay = Counts & {
  readonly id: string;
  /** Which session is sent again. */
  readonly session_id: string;
  /** In which session; null in a dry run. */
  readonly own_session_id: string | null;
  readonly connection: string;
  /** Digest of what the connection was when it began. */
  readonly sandbox: string;
  readonly by: string;
  readonly options: ReplayOptions;
  readonly state: ReplayState;
  /** Why it did not come to its end. */
  readonly reason: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  /** Calls that the session had when it began. */
  readonly calls: number;
  readonly cleanup: CleanUp | null;
};

/** `path`: `status`, `body.options.thresholds.critical`. The others are JSON, cut where they are long; null for what is not there. */
export type Difference = { readonly path: string; readonly recorded: string | null; readonly replayed: string | null };

export type ReplayedCall = {
  /** Of the recorded call. */
  readonly n: number;
  /** Of the call in the replay's own session; null where nothing was sent. */
  readonly own_n: number | null;
  readonly outcome: Outcome;
  readonly reason: string;
  /** Of the answer here. */
  readonly status: number | null;
  /** Null when they have gone with the bodies that they were quoted from. */
  readonly differences: readonly Difference[] | null;
};
