/** What a verification found, as data. */

/** Each session has one; `unanchored`: it is as the gateway signed it, and no anchor vouches that the gateway signed nothing else. */
export const verdicts = ["anchored", "unanchored", "missing", "altered"] as const;
export type Verdict = (typeof verdicts)[number];

export type FindingKind =
  | "body"
  | "header"
  | "decision"
  | "approval"
  | "request"
  | "times"
  | "outcome"
  | "order"
  | "gap"
  | "tail"
  | "added"
  | "chain"
  | "session"
  | "seal"
  | "late"
  | "missing"
  | "log"
  | "anchor"
  | "file";

export type Finding = {
  readonly kind: FindingKind;
  /** The call, where it is known. */
  readonly n: number | null;
  readonly message: string;
};

export type SessionReport = {
  readonly session_id: string;
  readonly verdict: Verdict;
  /** Receipts that were in the file. */
  readonly calls: number;
  readonly log_index: number | null;
  readonly findings: readonly Finding[];
  /** What is worth knowing and nobody's fault: bodies that have expired, a seal that is not in the log yet. */
  readonly notes: readonly string[];
};

export type Report = {
  /** Of the log and the file as a whole. */
  readonly findings: readonly Finding[];
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string } | null;
  readonly anchors: readonly { readonly name: string; readonly size: number | null; readonly consistent: boolean }[];
  readonly sessions: readonly SessionReport[];
};

/** Of one session, or of the log: more would help nobody, and a hostile file could hold any number. */
const mostFindings = 200;

export class Findings {
  readonly all: Finding[] = [];
  #left = 0;

  add(kind: FindingKind, message: string, n: number | null = null): void {
    if (this.all.length < mostFindings) this.all.push({ kind, n, message });
    else this.#left += 1;
  }

  list(): readonly Finding[] {
    const last = this.all.at(-1);
    if (last === undefined || this.#left === 0) return this.all;
    return [...this.all, { kind: last.kind, n: null, message: `and ${this.#left} more` }];
  }
}

export const hasFinding = ({ findings, sessions }: Report): boolean =>
  findings.length > 0 || sessions.some((session) => session.findings.length > 0);

/** `3`, `3 to 5` */
export const span = (from: number, to: number): string => (from === to ? `${from}` : `${from} to ${to}`);
