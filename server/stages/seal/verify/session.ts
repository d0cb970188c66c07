/** Checks one session of an export: its chain against its seal, its seal against the log, its bodies against its receipts. */

import type { SealForm } from "../../../model/seal.ts";
import { timeOf } from "../../../model/uuidv7.ts";
import { beginChain, continueChain, type SealedSession } from "../chain.ts";
import { hashLength } from "../merkle.ts";
import type { Shapes } from "../proofLines.ts";
import { digestReceipt, printReceipt, type SealedReceipt } from "../receipt.ts";
import { BodyCheck } from "./body.ts";
import { type Mismatch, nameMismatches } from "./locate.ts";
import { mostLate } from "./places.ts";
import { Findings, type SessionReport, span } from "./report.ts";

/** Altered calls that are told apart; of more it is only said that they are. */
const mostMismatches = 1_000;

export type Context = {
  /** Why its seal is not in the signed log; null when it is. */
  readonly complaint: string | null;
  /** Leaves up to here are vouched for by an anchor. */
  readonly anchored: number;
  /** Whether bodies of what was used last then, ms, can have expired. */
  expires(used: number): boolean;
};

export class SessionCheck {
  readonly #line: Shapes["session"];
  readonly #context: Context;
  readonly #findings = new Findings();
  readonly #notes: string[] = [];
  readonly #form: SealForm;
  readonly #start: Buffer;
  /** What the receipts in the file lead to. */
  #head: Buffer;
  #next = 1;
  #count = 0;
  /** What the digests in the file lead to: when that is the sealed head, they are what was sealed. */
  #sealedStart: Buffer | null = null;
  #sealedHead: Buffer | null = null;
  #sealedCount = 0;
  readonly #sealed = new Map<number, { readonly digest: Buffer; readonly prints: Buffer }>();
  readonly #mismatches: Mismatch[] = [];
  #mismatched = 0;
  #bodies: BodyCheck | null = null;
  #expired = 0;
  /** Calls that name an approval, and say nothing of it. */
  #unsaid = 0;
  /** The last use that the chain tells of, ms. */
  #used: number;
  #salted = false;

  constructor(line: Shapes["session"], raw: object, context: Context) {
    this.#line = line;
    this.#context = context;
    this.#form = line.session.form ?? 1;
    this.#start = beginChain(("session" in raw ? raw.session : {}) as SealedSession);
    this.#head = this.#start;
    this.#used = Date.parse(line.session.opened_at);
  }

  get id(): string {
    return this.#line.session.id;
  }

  takeDigests({ from, digests, prints }: Shapes["digests"]): void {
    if (from === 0) {
      this.#sealedStart = digests;
      this.#sealedHead = digests;
      return;
    }
    if (from !== this.#sealedCount + 1 || this.#sealedHead === null) return;
    // As wide as they were written: a form that is said of the session may not be the one in which it was sealed.
    const printsLength = Math.floor((prints.length * hashLength) / digests.length);
    for (let i = 0; i * hashLength < digests.length; i++) {
      const digest = digests.subarray(i * hashLength, (i + 1) * hashLength);
      this.#sealedHead = continueChain(this.#sealedHead, digest);
      this.#sealedCount += 1;
      this.#sealed.set(this.#sealedCount, {
        digest,
        prints: prints.subarray(i * printsLength, (i + 1) * printsLength),
      });
    }
  }

  /** `raw` is the line as it was read: that is what was hashed. */
  takeReceipt({ receipt: { n, session_id, approval_id } }: Shapes["receipt"], raw: object): void {
    this.#endBodies();
    const receipt = ("receipt" in raw ? raw.receipt : {}) as SealedReceipt;
    if (session_id !== this.id) this.#findings.add("session", `call ${n} is of session ${session_id}`, n);
    this.#takeNumber(n);
    const digest = digestReceipt(receipt);
    this.#head = continueChain(this.#head, digest);
    this.#count += 1;
    if (this.#form === 1 && typeof approval_id === "string") this.#unsaid += 1;
    this.#used = Math.max(this.#used, Date.parse(receipt.received_at));
    const sealed = this.#sealed.get(n);
    this.#sealed.delete(n);
    this.#bodies = new BodyCheck(receipt, this.#findings);
    if (sealed === undefined || sealed.digest.equals(digest)) return;
    this.#mismatched += 1;
    if (this.#mismatches.length < mostMismatches)
      this.#mismatches.push({ n, found: printReceipt(receipt, this.#form), sealed: sealed.prints });
  }

  takeUnreadable({ n }: Shapes["unreadable"]): void {
    this.#endBodies();
    this.#takeNumber(n);
    this.#sealed.delete(n);
    this.#count += 1;
    this.#findings.add("chain", `call ${n} was altered so that it cannot be read any more`, n);
  }

  takeBody(line: Shapes["body"]): void {
    this.#salted = true;
    if (this.#bodies === null) this.#findings.add("body", `call ${line.n}: a body without its receipt`, line.n);
    else this.#bodies.takePiece(line);
  }

  takeBodyless(line: Shapes["bodyless"]): void {
    if (this.#bodies === null)
      this.#findings.add("body", `call ${line.n}: it is said to have no body, and has no receipt`, line.n);
    else this.#bodies.takeNone(line);
  }

  end(): SessionReport {
    this.#endBodies();
    const { session, seal } = this.#line;
    this.#checkExpired();
    if (this.#unsaid > 0)
      this.#notes.push(
        `${this.#unsaid} calls were held for people: who answered is not in the chain, as it was sealed by an earlier version`,
      );
    if (seal !== null) this.#checkChain(seal);
    const { complaint, anchored } = this.#context;
    if (complaint !== null) this.#findings.add("seal", complaint);
    this.#checkTimes();
    const altering = this.#findings.all.filter(({ kind }) => kind !== "late");
    const isAnchored = (seal?.log_index ?? Number.POSITIVE_INFINITY) < anchored;
    return {
      session_id: session.id,
      verdict: altering.length > 0 ? "altered" : isAnchored ? "anchored" : "unanchored",
      calls: this.#count,
      log_index: seal?.log_index ?? null,
      findings: this.#findings.list(),
      notes: this.#notes,
    };
  }

  /** Calls stand in the order of their numbers, from 1, without a gap. */
  #takeNumber(n: number): void {
    if (n < this.#next) this.#findings.add("order", `call ${n} comes after call ${this.#next - 1}`, n);
    else if (n > this.#next) {
      this.#findings.add("gap", `call ${span(this.#next, n - 1)} is missing`, this.#next);
      if (this.#sealed.size > mostMismatches)
        for (const gone of this.#sealed.keys()) {
          // They are in the order of their numbers: a file of gaps is read once.
          if (gone >= n) break;
          this.#sealed.delete(gone);
        }
    }
    this.#next = Math.max(this.#next, n + 1);
  }

  #endBodies(): void {
    this.#expired += this.#bodies?.end() ?? 0;
    this.#bodies = null;
  }

  #checkChain(seal: NonNullable<Shapes["session"]["seal"]>): void {
    const sealedCalls = Math.max(seal.calls, this.#line.session.calls);
    if (this.#next <= sealedCalls)
      this.#findings.add("tail", `call ${span(this.#next, sealedCalls)} is missing at the end`, this.#next);
    if (this.#next - 1 > seal.calls)
      this.#findings.add(
        "added",
        `call ${span(seal.calls + 1, this.#next - 1)} was added after the seal`,
        seal.calls + 1,
      );
    if (this.#head.toString("hex") === seal.head && this.#count === seal.calls) return;
    // What the seal's head vouches for says what is different; without that, only that something is.
    const isAuthentic = this.#sealedHead?.toString("hex") === seal.head;
    if (isAuthentic && this.#sealedStart?.equals(this.#start) === false)
      this.#findings.add(
        "session",
        "what is recorded of the session itself (caller, connection, times, state) was altered",
      );
    if (isAuthentic) nameMismatches(this.#mismatches, this.#sealed, this.#findings);
    if (isAuthentic && this.#mismatched > this.#mismatches.length)
      this.#findings.add("chain", `${this.#mismatched} calls were altered in all`);
    if (!isAuthentic || this.#findings.all.length === 0)
      this.#findings.add(
        "chain",
        "the receipts do not lead to the head that was sealed; which of them was altered cannot be told",
      );
  }

  /** Bodies of one session expire together, and their salt with them; and none before its time. */
  #checkExpired(): void {
    if (this.#expired === 0) return;
    if (this.#salted)
      this.#findings.add(
        "body",
        `${this.#expired} bodies are said to have expired, and others of the session have not`,
      );
    else if (!this.#context.expires(this.#used))
      this.#findings.add("body", `${this.#expired} bodies are said to have expired, and their time is not over`);
    else this.#notes.push(`${this.#expired} bodies have expired; their digests are in the chain`);
  }

  /** What was written long after the time that it claims. */
  #checkTimes(): void {
    const { session, seal } = this.#line;
    const sealed = seal?.sealed_at ?? null;
    if (sealed !== null && sealed.getTime() - Date.parse(session.closed_at ?? "") > mostLate)
      this.#findings.add(
        "late",
        `it says it ended ${session.closed_at} and was sealed ${sealed.toISOString()}: it may have been put there, or altered, in between`,
      );
    const begun = timeOf(session.id);
    if (Math.abs(begun - Date.parse(session.opened_at)) > mostLate)
      this.#findings.add(
        "late",
        `its id is of ${new Date(begun).toISOString()}, and it says it began ${session.opened_at}`,
      );
  }
}
