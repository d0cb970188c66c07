/** Where receipts become durable: natural group commit over one connection, at full speed without a timer. */

import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { v7 as uuidv7 } from "uuid";
import { GatewayError } from "../errors.ts";
import type { Log } from "../model/log.ts";
import type { CallNumber, Closing, Masked, Opening } from "../model/receipt.ts";
import { Trouble } from "../model/trouble.ts";
import {
  commitBatch,
  type Ending,
  isRefusalOfData,
  type Link,
  type Outcome,
  sessionOf,
  sqlState,
  unwritable,
} from "./batch.ts";
import { destroyClient } from "./connect.ts";
import { epochOf, type Salts } from "./epochs.ts";
import { Job, type Result, type Work } from "./job.ts";
import { linkReplica } from "./replica.ts";

export interface Sink {
  /** Resolves with the call's number when the opening is durable. */
  open(opening: Masked<Opening>): Promise<CallNumber>;
  /** Resolves when the closing is durable; rejects when the call has one already. */
  close(call: CallNumber, closing: Masked<Closing>): Promise<void>;
  /** Both in one commit. `closing` may be asked again with another number when a batch has to be begun again. */
  record(opening: Masked<Opening>, closing: (call: CallNumber) => Masked<Closing>): Promise<CallNumber>;
  /**
   * Monotonic ms (`performance.now()`) of the last good commit; an idle sink proves itself every half second. Minus infinity while its
   * queue is full: nothing may be sent then on the strength of a commit.
   */
  lastCommitAt(): number;
}

/** Rows of one batch at most, and their bodies' bytes. */
const mostRows = 256;
const mostBytes = 8 * 1024 * 1024;
/** What may wait: beyond it callers are told `gateway_busy` at once. The end of a call that was sent has as much room again. */
const defaultMost = { receipts: 8_192, bytes: 128 * 1024 * 1024 };
/** Nobody waits longer than this for a commit, ms. */
const patience = 2_000;
const heartbeat = 500;
const lookEvery = 100;
const longestPause = 400;
/** Ends for which nobody waits, once they were refused, are tried again after so long, ms. */
const asideFor = 2_000;

export type SinkParts = {
  readonly connectionString: string;
  readonly log: Log;
  readonly clock: () => Date;
  readonly monotonic: () => number;
  readonly salts: Salts;
  /** Default: 8,192 receipts of 128 MiB. */
  readonly mostWaiting?: typeof defaultMost | undefined;
};

/** A commit of which nobody knows yet whether it happened. */
type Doubt = { readonly batch: string; readonly jobs: readonly Job[]; readonly outcomes: readonly Outcome[] };

/** Resolves after a first good commit; whatever keeps it from being made is thrown as it is. */
export const openSink = async (parts: SinkParts): Promise<ReceiptSink> => {
  const sink = new ReceiptSink(parts);
  await sink.start();
  return sink;
};

export class ReceiptSink implements Sink {
  readonly #parts: SinkParts;
  readonly #refusals: Trouble;
  #waiting: Job[] = [];
  #waitingBytes = 0;
  /** Rows of the next batch: fewer after one that was refused, so that whatever is refused comes to stand alone. */
  #most = mostRows;
  /** Ends for which nobody waits: in batches of their own, so that one that is refused again and again is no reason to refuse anything else. */
  readonly #aside: Job[] = [];
  #asideMost = mostRows;
  #asideUntil = 0;
  /** Sent and unanswered. */
  #sent: readonly Job[] = [];
  #link: Link | null = null;
  #replica: number | null = null;
  #doubt: Doubt | null = null;
  #lastCommit = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;
  #closing = false;
  #running: Promise<void> = Promise.resolve();
  #expiry: NodeJS.Timeout | null = null;
  #lookedAt = 0;

  constructor(parts: SinkParts) {
    this.#parts = parts;
    this.#refusals = new Trouble(parts, "the database refused a batch of receipts");
  }

  async start(): Promise<void> {
    await this.#connect();
    await this.#write([]);
    if (this.#lastCommit === Number.NEGATIVE_INFINITY)
      throw new Error("the database refused the first commit; the log says why");
    this.#lookedAt = this.#parts.monotonic();
    this.#expiry = setInterval(() => this.#expire(), lookEvery);
    this.#expiry.unref();
    this.#running = this.#run();
  }

  open(opening: Masked<Opening>): Promise<CallNumber> {
    return this.#submit({ kind: "open", opening });
  }

  async close(call: CallNumber, closing: Masked<Closing>): Promise<void> {
    try {
      await this.#submit({ kind: "close", call, closing });
    } catch (error) {
      // Nobody will close it again, and while this sink lives nobody else may: it must not stay open.
      this.#closeUnknown(call, "the database did not take the end of this call in time: it may have been applied");
      throw error;
    }
  }

  record(opening: Masked<Opening>, closing: (call: CallNumber) => Masked<Closing>): Promise<CallNumber> {
    return this.#submit({ kind: "record", opening, closing });
  }

  lastCommitAt(): number {
    return this.#isFull(0, 1) ? Number.NEGATIVE_INFINITY : this.#lastCommit;
  }

  /** Which replica this sink is at the moment. */
  get replica(): number | null {
    return this.#replica;
  }

  /** Writes what is waiting, for as long as anybody waits for it, then hangs up. */
  async stop(): Promise<void> {
    this.#closing = true;
    this.#wake();
    await this.#running;
    if (this.#expiry !== null) clearInterval(this.#expiry);
    const client = this.#link?.client;
    this.#link = null;
    if (client !== undefined) await Promise.race([client.end(), sleep(500, undefined, { ref: false })]);
  }

  #submit(work: Work): Promise<CallNumber> {
    const { promise, resolve, reject } = Promise.withResolvers<CallNumber>();
    const settle = (result: Result): void => (result instanceof GatewayError ? reject(result) : resolve(result));
    const job = new Job(work, this.#parts.monotonic() + patience, settle);
    if (this.#closing) job.settle(new GatewayError("recording_unavailable", "the gateway is stopping"));
    else if (this.#isFull(job.weight, work.kind === "close" ? 2 : 1))
      job.settle(new GatewayError("gateway_busy", "too many receipts wait to be written"));
    else this.#enqueue(job);
    return promise;
  }

  #isFull(more: number, share: 1 | 2): boolean {
    const { receipts, bytes } = this.#parts.mostWaiting ?? defaultMost;
    return this.#waiting.length >= share * receipts || this.#waitingBytes + more > share * bytes;
  }

  #enqueue(job: Job): void {
    if (isAwaited(job)) {
      this.#waiting.push(job);
      this.#waitingBytes += job.weight;
    } else this.#aside.push(job);
    this.#wake();
  }

  async #run(): Promise<void> {
    let pause = 0;
    while (!this.#closing || this.#waiting.length > 0 || this.#doubt !== null || this.#isAsideDue()) {
      if (this.#waiting.length === 0 && this.#link !== null && !this.#closing && !this.#isAsideDue())
        await this.#idle();
      // Whatever is submitted in this turn of the event loop joins the batch.
      await turn();
      const alive = await this.#linked();
      pause = alive ? 0 : Math.min(longestPause, pause * 2 + 25);
      if (alive) {
        await this.#write(this.#take());
        if (this.#isAsideDue()) await this.#writeAside();
      } else if (this.#closing && this.#everybodyGaveUp()) return;
      else await sleep(pause);
    }
  }

  /** Until something is submitted, or it is time to prove that the database still commits. */
  async #idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, heartbeat);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  #take(): Job[] {
    let rows = 0;
    let bytes = 0;
    for (const job of this.#waiting) {
      if (rows === this.#most || (rows > 0 && bytes + job.weight > mostBytes)) break;
      rows += 1;
      bytes += job.weight;
    }
    const taken = this.#waiting.splice(0, rows);
    this.#waitingBytes -= bytes;
    return taken.filter((job) => !job.settled);
  }

  /** An empty batch is a heartbeat. */
  async #write(jobs: readonly Job[]): Promise<void> {
    const link = this.#link;
    if (link === null) return this.#putBack(jobs);
    this.#sent = jobs;
    const ending = await commitBatch({ link, salts: this.#parts.salts }, jobs, uuidv7());
    this.#sent = [];
    await this.#conclude(ending, jobs);
  }

  async #conclude(ending: Ending, jobs: readonly Job[]): Promise<void> {
    switch (ending.kind) {
      case "committed":
        this.#lastCommit = this.#parts.monotonic();
        this.#most = Math.min(mostRows, this.#most * 2);
        this.#settle(ending.outcomes);
        return this.#defer(ending.deferred);
      case "refused":
        return this.#sortOut(ending, jobs);
      case "lost":
        this.#hangUp(ending.error);
        return this.#putBack(jobs);
      case "ambiguous":
        this.#hangUp(ending.error);
        this.#doubt = {
          batch: ending.batch,
          jobs: jobs.filter((job) => !ending.deferred.includes(job)),
          outcomes: ending.outcomes,
        };
        return this.#putBack(ending.deferred);
      default:
        return ending satisfies never;
    }
  }

  /** One bad row fails its whole batch: tried one by one, only the bad one is turned away. */
  async #sortOut({ error, outcomes }: Ending & { kind: "refused" }, jobs: readonly Job[]): Promise<void> {
    for (const { job, result } of outcomes) job.settle(result);
    const rest = jobs.filter((job) => !job.settled);
    const [only] = rest;
    if (isRefusalOfData(error) && rest.length === 1) return only?.settle(unwritable(error));
    if (isRefusalOfData(error)) {
      for (const job of rest) await this.#write([job]);
      return;
    }
    if (error === null) return this.#putBack(rest);
    this.#refusals.failed(error);
    // 25006, read_only_sql_transaction: this server is no primary any more; whoever is answers the next connection.
    if (sqlState(error) === "25006") this.#hangUp(error);
    // Whoever waits has had to wait for this.
    if (jobs.length === 1 || jobs.every(isAwaited)) this.#asideUntil = this.#parts.monotonic() + asideFor;
    this.#again(rest, error);
    // Refused by circumstances (a lock, a full disk, a standby): do not ask again at full speed.
    await sleep(25);
  }

  /** Circumstances may be those of one row, of a partition that is locked or broken: it comes to stand alone, and then behind everybody else. */
  #again(refused: readonly Job[], error: unknown): void {
    const [only, another] = refused;
    if (only === undefined) return;
    const awaited = isAwaited(only);
    if (another === undefined) return this.#enqueue(only);
    // 55P03, lock_not_available: waiting for one takes half of everybody's patience. The newest days, which nearly everybody writes into, come first.
    const isLocked = sqlState(error) === "55P03";
    const fewer = isLocked ? 1 : Math.ceil(refused.length / 2);
    if (awaited) this.#most = fewer;
    else this.#asideMost = fewer;
    this.#putBack(
      isLocked ? refused.toSorted((one, other) => epochOf(sessionOf(other)) - epochOf(sessionOf(one))) : refused,
    );
  }

  #isAsideDue(): boolean {
    return this.#aside.length > 0 && this.#parts.monotonic() >= this.#asideUntil;
  }

  async #writeAside(): Promise<void> {
    const jobs = this.#aside.splice(0, this.#asideMost);
    await this.#write(jobs);
    if (jobs.every(({ settled }) => settled)) this.#asideMost = Math.min(mostRows, this.#asideMost * 2);
  }

  /** Tells everybody, once what they are told is durable. */
  #settle(outcomes: readonly Outcome[]): void {
    for (const { job, result } of outcomes) {
      const late = job.settled;
      job.settle(result);
      if (late && job.work.kind === "open" && !(result instanceof GatewayError)) this.#closeUnwanted(result);
    }
  }

  /** Whoever opened this call was told that it could not be recorded, so nobody will close it. */
  #closeUnwanted(call: CallNumber): void {
    this.#closeUnknown(
      call,
      "the database took the opening of this call too late; a call that was not a read was not sent",
    );
  }

  /** As soon as the database is there, however long that takes; a call that has a closing by then keeps it. */
  #closeUnknown(call: CallNumber, error: string): void {
    const closing = {
      state: "indeterminate",
      status: null,
      error_code: "recording_unavailable",
      error,
      upstream: null,
      forwarded_at: null,
      first_byte_at: null,
      done_at: this.#parts.clock(),
      request_body: null,
      response: null,
      // Nothing of any caller is in it, so there is nothing to mask.
    } as unknown as Masked<Closing>;
    this.#enqueue(new Job({ kind: "close", call, closing }, Number.POSITIVE_INFINITY, () => undefined));
  }

  /** Whoever holds the session is done within a moment, or frozen: at the end of the queue these keep nobody else waiting. */
  async #defer(jobs: readonly Job[]): Promise<void> {
    const others = this.#waiting.length;
    for (const job of jobs) if (!job.settled) this.#enqueue(job);
    if (jobs.length > 0 && others === 0) await sleep(2);
  }

  #putBack(jobs: readonly Job[]): void {
    const again = jobs.filter((job) => !job.settled && isAwaited(job));
    this.#waiting.unshift(...again);
    for (const { weight } of again) this.#waitingBytes += weight;
    this.#aside.unshift(...jobs.filter((job) => !job.settled && !isAwaited(job)));
  }

  #hangUp(error: unknown): void {
    this.#parts.log.warn({ err: error, replica: this.#replica }, "the sink lost its database connection");
    if (this.#link !== null) destroyClient(this.#link.client);
    this.#link = null;
  }

  async #linked(): Promise<boolean> {
    if (this.#link !== null) return true;
    try {
      await this.#connect();
      return true;
    } catch (error) {
      this.#parts.log.warn({ err: error }, "the sink cannot reach the database");
      return false;
    }
  }

  async #connect(): Promise<void> {
    const { link, lastBatch } = await linkReplica(this.#parts.connectionString, this.#replica);
    const doubt = this.#doubt;
    this.#doubt = null;
    this.#link = link;
    this.#replica = link.replica;
    if (doubt === null) return;
    const committed = lastBatch === doubt.batch;
    this.#parts.log.info({ batch: doubt.batch, committed }, "an ambiguous commit is settled");
    if (committed) this.#settle(doubt.outcomes);
    else this.#putBack(doubt.jobs);
  }

  #expire(): void {
    const now = this.#parts.monotonic();
    // While this process did something else, the database's answers waited for it, and not it for them.
    const busy = now - this.#lookedAt - 2 * lookEvery;
    this.#lookedAt = now;
    if (busy > 0)
      for (const job of [...this.#waiting, ...this.#sent, ...(this.#doubt?.jobs ?? [])]) job.deadline += busy;
    for (const jobs of [this.#waiting, this.#sent, this.#doubt?.jobs ?? []])
      for (const job of jobs) if (job.deadline <= now) job.giveUp();
    const kept = this.#waiting.filter((job) => !job.settled);
    if (kept.length < this.#waiting.length) {
      this.#waiting = kept;
      this.#waitingBytes = kept.reduce((sum, { weight }) => sum + weight, 0);
    }
  }

  #everybodyGaveUp(): boolean {
    const unanswered = [...this.#waiting, ...(this.#doubt?.jobs ?? [])];
    return unanswered.every((job) => job.settled || !isAwaited(job));
  }
}

/** Somebody is told what becomes of it. */
const isAwaited = ({ deadline }: Job): boolean => deadline !== Number.POSITIVE_INFINITY;
