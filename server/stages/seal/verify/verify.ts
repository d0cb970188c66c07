/** Reads an export with its proof once, from the first line to the last, and says what is as it was signed. It needs nothing else: no network, no database. */

import type { NoteKey } from "../note.ts";
import { type ProofLine, readLine, type SealLine, type Shapes } from "../proofLines.ts";
import type { Anchor } from "./anchor.ts";
import { LogCheck } from "./log.ts";
import { Findings, type Report, type SessionReport, span } from "./report.ts";
import { SessionCheck } from "./session.ts";

export type Trust = {
  /** Of the log, from somewhere else than the file. */
  readonly keys: readonly NoteKey[];
  readonly anchors: readonly Anchor[];
};

/** Goes on after what is wrong: everything that can be told is told. */
export const verifyProof = async (lines: AsyncIterable<string>, trust: Trust): Promise<Report> => {
  const check = new ProofCheck(trust);
  for await (const text of lines) check.take(text);
  return check.end();
};

class ProofCheck {
  readonly #findings = new Findings();
  readonly #log: LogCheck;
  readonly #anchors: readonly Anchor[];
  readonly #reports: SessionReport[] = [];
  readonly #seen = new Set<string>();
  /** Leaves of which the file shows the session, for an export of everything. */
  readonly #leaves = new Set<number>();
  /** Sealed heads of the sessions that anchors name. */
  readonly #heads = new Map<string, string>();
  #header: Shapes["header"] | null = null;
  #session: SessionCheck | null = null;
  #lines = 0;
  #ended = false;

  constructor({ keys, anchors }: Trust) {
    this.#log = new LogCheck(keys, anchors, this.#findings);
    this.#anchors = anchors;
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
        return this.#session?.takeDigests(line.value);
      case "receipt":
        return this.#session === null
          ? this.#findings.add("file", `line ${this.#lines} is a receipt of no session`)
          : this.#session.takeReceipt(line.value, line.raw);
      case "unreadable":
        return this.#session?.takeUnreadable(line.value);
      case "body":
        return this.#session?.takeBody(line.value);
      case "bodyless":
        return this.#session?.takeBodyless(line.value);
      case "end":
        return this.#takeEnd(line.value);
      default:
        return line satisfies never;
    }
  }

  #takeHeader(header: Shapes["header"]): void {
    if (this.#lines === 1) this.#header = header;
    else this.#findings.add("file", `line ${this.#lines} is a second header`);
  }

  #takeSession(value: Shapes["session"], raw: object): void {
    this.#endSession();
    this.#log.end();
    const { id } = value.session;
    if (this.#seen.has(id)) this.#findings.add("file", `session ${id} is in the file twice`);
    this.#see(id, value.seal?.log_index ?? null);
    if (this.#anchors.some(({ sealed }) => sealed?.session_id === id)) this.#heads.set(id, value.seal?.head ?? "");
    this.#session = new SessionCheck(value, raw, { log: this.#log, made_at: this.#header?.made_at ?? "" });
  }

  #takeAbsent({ session_id, seal, proof, why }: Shapes["absent"]): void {
    this.#endSession();
    this.#log.end();
    this.#see(session_id, seal?.log_index ?? null);
    const isLogged = seal?.session_id === session_id && this.#log.complaintAbout(seal, proof ?? []) === null;
    if (why === "expired" && isLogged) return this.#expired(seal);
    const was =
      seal === null
        ? "nothing is known of it"
        : `it was sealed ${seal.sealed_at.toISOString()} with ${seal.calls} calls`;
    this.#missing(session_id, seal?.log_index ?? null, `the session is not there any more: ${was}`);
  }

  /** What is left of it is its leaf. */
  #expired({ session_id, log_index, calls, head, sealed_at }: SealLine): void {
    this.#heads.set(session_id, head);
    const verdict = (log_index ?? this.#log.anchored) < this.#log.anchored ? "anchored" : "unanchored";
    const notes = [
      `sealed ${sealed_at.toISOString()} with ${calls} calls, and expired since: only its seal was checked`,
    ];
    this.#reports.push({ session_id, verdict, calls: 0, log_index, findings: [], notes });
  }

  #takeEnd({ lines }: Shapes["end"]): void {
    this.#endSession();
    this.#ended = true;
    if (lines !== this.#lines)
      this.#findings.add("file", `the file has ${this.#lines} lines, and was written with ${lines}`);
  }

  #see(id: string, log_index: number | null): void {
    this.#seen.add(id);
    if (log_index !== null && this.#header?.sessions === "all") this.#leaves.add(log_index);
  }

  #endSession(): void {
    if (this.#session !== null) this.#reports.push(this.#session.end());
    this.#session = null;
  }

  #missing(session_id: string, log_index: number | null, message: string): void {
    const findings = [{ kind: "missing", n: null, message }] as const;
    this.#reports.push({ session_id, verdict: "missing", calls: 0, log_index, findings, notes: [] });
  }

  /** What was asked for, or has a leaf, and is not in the file. */
  #nameMissing(): void {
    if (this.#header === null) return this.#findings.add("file", "the file does not begin with its header");
    const { sessions } = this.#header;
    if (sessions === "all") return this.#nameUncovered(this.#log.checkpoint?.size ?? 0);
    for (const id of sessions)
      if (!this.#seen.has(id)) this.#missing(id, null, "the session was asked for, and is not in the file");
  }

  #nameUncovered(size: number): void {
    for (let at = 0; at < size; at++) {
      if (this.#leaves.has(at)) continue;
      const from = at;
      while (at + 1 < size && !this.#leaves.has(at + 1)) at += 1;
      this.#findings.add("missing", `leaf ${span(from, at)} of the log is of a session that is not in the file`);
    }
  }

  /** A job summary says more than its checkpoint: which session it was, and how its chain ended. */
  #compareAnchors(): void {
    for (const { name, sealed } of this.#anchors) {
      if (sealed === null) continue;
      if (this.#seen.has(sealed.session_id)) this.#compareHead(name, sealed);
      else if (this.#header?.sessions === "all")
        this.#missing(sealed.session_id, null, `anchor ${name} is of this session, and it is not in the file`);
    }
  }

  #compareHead(name: string, { session_id, head }: NonNullable<Anchor["sealed"]>): void {
    const at = this.#reports.findIndex((report) => report.session_id === session_id);
    const report = this.#reports[at];
    if (report === undefined || this.#heads.get(session_id) === head) return;
    const message = `anchor ${name} says that its chain ended in ${head}`;
    const findings = [...report.findings, { kind: "seal", n: null, message } as const];
    this.#reports[at] = { ...report, verdict: report.verdict === "missing" ? "missing" : "altered", findings };
  }
}
