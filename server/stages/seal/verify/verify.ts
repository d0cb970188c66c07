/** Reads an export with its proof once, from the first line to the last, and says what is as it was signed. It needs nothing else: no network, no database. */

import { type ProofLine, readLine, type SealLine, type Shapes } from "../proofLines.ts";
import type { Anchor } from "./anchor.ts";
import { LogCheck } from "./log.ts";
import { Places } from "./places.ts";
import { type Finding, Findings, type Report, type SessionReport } from "./report.ts";
import { SessionCheck } from "./session.ts";
import { isOver, type Trust } from "./trust.ts";

/** Goes on after what is wrong: everything that can be told is told. */
export const verifyProof = async (lines: AsyncIterable<string>, trust: Trust): Promise<Report> => {
  const check = new ProofCheck(trust);
  for await (const text of lines) check.take(text);
  return check.end();
};

class ProofCheck {
  readonly #findings = new Findings();
  readonly #log: LogCheck;
  readonly #trust: Trust;
  readonly #places = new Places();
  readonly #reports: SessionReport[] = [];
  /** Where the report of a session stands. */
  readonly #reported = new Map<string, number>();
  readonly #seen = new Set<string>();
  /** Sealed heads of the sessions that anchors name. */
  readonly #heads = new Map<string, string>();
  #header: Shapes["header"] | null = null;
  #session: SessionCheck | null = null;
  #lines = 0;
  #ended = false;

  constructor(trust: Trust) {
    this.#log = new LogCheck(trust.keys, trust.anchors, this.#findings);
    this.#trust = trust;
  }

  take(text: string): void {
    this.#lines += 1;
    if (this.#ended) return this.#findings.add("file", `line ${this.#lines} stands behind the end`);
    try {
      const line = readLine(text);
      if (line === null) this.#findings.add("file", `line ${this.#lines} is no line of an export with its proof`);
      else this.#takeLine(line);
    } catch {
      // As of JSON that is nested deeper than the stack.
      this.#findings.add("file", `line ${this.#lines} cannot be read`);
    }
  }

  end(): Report {
    this.#endSession();
    this.#log.end();
    if (!this.#ended) this.#findings.add("file", "the file has no end: it was cut, or the export broke off");
    this.#nameMissing();
    this.#compareAnchors();
    this.#nameBackdated();
    const { checkpoint } = this.#log;
    return {
      findings: this.#findings.list(),
      checkpoint:
        checkpoint === null
          ? null
          : { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root.toString("base64") },
      anchors: this.#log.anchors,
      sessions: this.#reports,
    };
  }

  #takeLine(line: ProofLine): void {
    switch (line.kind) {
      case "header":
        return this.#takeHeader(line.value);
      case "checkpoint":
        return this.#log.takeCheckpoint(line.value);
      case "leaves":
        return this.#log.takeLeaves(line.value);
      case "session":
        return this.#takeSession(line.value, line.raw);
      case "absent":
        return this.#takeAbsent(line.value);
      case "digests":
        return this.#ofSession()?.takeDigests(line.value);
      case "receipt":
        return this.#ofSession()?.takeReceipt(line.value, line.raw);
      case "unreadable":
        return this.#ofSession()?.takeUnreadable(line.value);
      case "body":
        return this.#ofSession()?.takeBody(line.value);
      case "bodyless":
        return this.#ofSession()?.takeBodyless(line.value);
      case "end":
        return this.#takeEnd(line.value);
      default:
        return line satisfies never;
    }
  }

  #ofSession(): SessionCheck | null {
    if (this.#session === null) this.#findings.add("file", `line ${this.#lines} is of no session`);
    return this.#session;
  }

  #takeHeader(header: Shapes["header"]): void {
    if (this.#lines === 1) this.#header = header;
    else this.#findings.add("file", `line ${this.#lines} is a second header`);
  }

  #takeSession(value: Shapes["session"], raw: object): void {
    this.#endSession();
    this.#log.end();
    const { id } = value.session;
    const complaint = this.#place(id, value);
    if (this.#isOfAnchor(id)) this.#heads.set(id, value.seal?.head ?? "");
    this.#session = new SessionCheck(value, raw, {
      complaint,
      anchored: this.#log.anchored,
      expires: (used) => isOver(this.#trust, used, "bodies"),
    });
  }

  #takeAbsent(value: Shapes["absent"]): void {
    this.#endSession();
    this.#log.end();
    const { session_id, seal, why } = value;
    const isLogged = this.#place(session_id, value) === null;
    if (why === "expired" && isLogged && seal !== null && isOver(this.#trust, seal.sealed_at.getTime(), "receipts"))
      return this.#expired(seal);
    const was =
      seal === null
        ? "nothing is known of it"
        : `it was sealed ${seal.sealed_at.toISOString()} with ${seal.calls} calls`;
    const early = why === "expired" && isLogged ? "; it is said to have expired, and its time is not over" : "";
    this.#missing(session_id, seal?.log_index ?? null, `the session is not there any more: ${was}${early}`);
  }

  /** Takes the session's leaf for shown when its place in the log is proven; returns why it is not. */
  #place(id: string, { seal, proof }: Pick<Shapes["session"], "seal" | "proof">): string | null {
    if (this.#seen.has(id)) this.#findings.add("file", `session ${id} is in the file twice`);
    this.#seen.add(id);
    const complaint = this.#log.complaintAbout(id, seal, proof);
    if (complaint === null && seal !== null && seal.log_index !== null) this.#places.add(seal.log_index, seal);
    return complaint;
  }

  #isOfAnchor(id: string): boolean {
    return this.#trust.anchors.some(({ sealed }) => sealed?.session_id === id);
  }

  /** What is left of it is its leaf. */
  #expired({ session_id, log_index, calls, head, sealed_at }: SealLine): void {
    this.#heads.set(session_id, head);
    const verdict = (log_index ?? this.#log.anchored) < this.#log.anchored ? "anchored" : "unanchored";
    const notes = [
      `sealed ${sealed_at.toISOString()} with ${calls} calls, and expired since: only its seal was checked`,
    ];
    this.#report({ session_id, verdict, calls: 0, log_index, findings: [], notes });
  }

  #takeEnd({ lines }: Shapes["end"]): void {
    this.#endSession();
    this.#ended = true;
    if (lines !== this.#lines)
      this.#findings.add("file", `the file has ${this.#lines} lines, and was written with ${lines}`);
  }

  #endSession(): void {
    if (this.#session !== null) this.#report(this.#session.end());
    this.#session = null;
  }

  #report(report: SessionReport): void {
    this.#reported.set(report.session_id, this.#reports.length);
    this.#reports.push(report);
  }

  #missing(session_id: string, log_index: number | null, message: string): void {
    this.#seen.add(session_id);
    const findings = [{ kind: "missing", n: null, message }] as const;
    this.#report({ session_id, verdict: "missing", calls: 0, log_index, findings, notes: [] });
  }

  /** What was asked for, or has a leaf, and is not in the file. */
  #nameMissing(): void {
    if (this.#header === null) return this.#findings.add("file", "the file does not begin with its header");
    const { sessions } = this.#header;
    const { wanted } = this.#trust;
    if (wanted === "all" && sessions !== "all")
      this.#findings.add("file", `everything was asked for, and the file is of ${sessions.length} sessions`);
    if (sessions !== "all" && this.#seen.size === 0) this.#findings.add("file", "there is no session in the file");
    for (const id of [sessions, wanted ?? []].flatMap((asked) => (asked === "all" ? [] : asked)))
      if (!this.#seen.has(id)) this.#missing(id, null, "the session was asked for, and is not in the file");
    if (sessions !== "all" && wanted !== "all") return;
    for (const leaves of this.#places.uncovered(this.#log.checkpoint?.size ?? 0))
      this.#findings.add("missing", `leaf ${leaves} of the log is of a session that is not in the file`);
  }

  /** A job summary says more than its checkpoint: which session it was, and how its chain ended. */
  #compareAnchors(): void {
    const { wanted, anchors } = this.#trust;
    // Whoever says which sessions are wanted may vouch for them with the summary of another one.
    const isOfOthers = wanted !== null && wanted !== "all" && this.#header?.sessions !== "all";
    for (const { name, sealed } of anchors) {
      if (sealed === null) continue;
      if (this.#seen.has(sealed.session_id)) this.#compareHead(name, sealed);
      else if (!isOfOthers)
        this.#missing(sealed.session_id, null, `anchor ${name} is of this session, and it is not in the file`);
    }
  }

  #nameBackdated(): void {
    for (const { seal, before } of this.#places.backdated(this.#log.known)) {
      const message = `it says it was sealed ${seal.sealed_at.toISOString()}, and came into the log after ${before.toISOString()}: it may have been written anew in between`;
      this.#add(seal.session_id, { kind: "late", n: null, message });
    }
  }

  #compareHead(name: string, { session_id, head }: NonNullable<Anchor["sealed"]>): void {
    if (this.#heads.get(session_id) !== head)
      this.#add(session_id, { kind: "seal", n: null, message: `anchor ${name} says that its chain ended in ${head}` });
  }

  #add(session_id: string, finding: Finding): void {
    const at = this.#reported.get(session_id) ?? -1;
    const report = this.#reports[at];
    if (report === undefined) return;
    const verdict = finding.kind === "late" || report.verdict === "missing" ? report.verdict : "altered";
    this.#reports[at] = { ...report, verdict, findings: [...report.findings, finding] };
  }
}
