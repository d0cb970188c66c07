/** Runs one replay from its first call to its last: sends, learns ids, compares what was recorded of both, and writes down what became of each call. */

import { setTimeout as sleep } from "node:timers/promises";
import { prefixOfHost, sites } from "../../datadog/hosts.ts";
import { GatewayError } from "../../errors.ts";
import type { Replay, ReplayedCall, ReplayState } from "../../model/replay.ts";
import type { Replays } from "../../store/replays.ts";
import type { OwnSession } from "../ownSession.ts";
import { type ComparedAnswer, compareAnswers } from "./compare.ts";
import { learnIds, loseIds, teaches } from "./learn.ts";
import { type Known, known, plan, type Planned, type Planning } from "./plan.ts";
import { footprintOf, UnderWay } from "./order.ts";
import { comparable, endedCalls, recordedCalls, type RecordedCall, type RecordingParts, treeOf } from "./recorded.ts";
import { isUnsendable, type Unsendable } from "./rewrite.ts";
import type { OwnLine } from "../ownLine.ts";
import { sendCall, type Sent } from "./send.ts";
import type { VolatileFields } from "./volatile.ts";

export type RunParts = RecordingParts & {
  readonly replays: Pick<Replays, "note" | "end">;
  line(): OwnLine;
  monotonic(): number;
};

/** `own`: null in a dry run. */
export type Run = {
  readonly replay: Replay;
  readonly own: OwnSession | null;
  readonly planning: Planning;
  readonly volatile: VolatileFields;
  /** Says the replay's connection is what it was when it began. */
  readonly isSameSandbox: () => boolean;
  readonly signal: AbortSignal;
};

export type End = { readonly state: Exclude<ReplayState, "running">; readonly reason: string };

/** Whatever happens, the replay has an end afterwards, as far as the database takes it. */
export async function run(parts: RunParts, job: Run): Promise<void> {
  const { replay, own } = job;
  const end = await sendAll(parts, job).catch(endedBy);
  // Whoever hears that it has ended finds its own session closed.
  await own?.close().catch(() => undefined);
  await parts.replays.end(replay.id, end.state, end.reason).catch(() => undefined);
}

const endedBy = (error: unknown): End => {
  if (error instanceof GatewayError) return { state: "failed", reason: error.message };
  return { state: "failed", reason: error instanceof Error ? `it broke: ${error.message}` : "it broke" };
};

/** Calls on their way at the same time, at most. */
const abreast = 8;

async function sendAll(parts: RunParts, job: Run): Promise<End> {
  const { replay } = job;
  const ledger = new Ledger(parts, job);
  const pace = new Pace(parts, job);
  const underWay = new UnderWay(replay.options.stop_on_difference ? 1 : abreast);
  const beating = setInterval(() => void ledger.beat(), beatEvery);
  let stopped: End | null = null;
  try {
    for await (const recorded of recordedCalls(parts, replay.session_id, replay.calls)) {
      await pace.wait(recorded, ledger);
      const about = known(job.planning, recorded.call);
      const footprint = await footprintOf(recorded, about);
      await underWay.until(footprint);
      stopped = stoppedBy(job, ledger);
      if (stopped !== null) break;
      underWay.add(
        footprint,
        replayCall(parts, job, { recorded, about }).then((attempt) => ledger.add(attempt)),
      );
    }
    await underWay.all();
    await ledger.finish();
  } catch (error) {
    // What was sent is noted, whatever else there is to say.
    await underWay.all().catch(() => undefined);
    await ledger.finish().catch(() => undefined);
    throw error;
  } finally {
    clearInterval(beating);
  }
  return stopped ?? stoppedBy(job, ledger) ?? { state: "done", reason: "" };
}

function stoppedBy({ signal, replay, isSameSandbox }: Run, ledger: Ledger): End | null {
  if (signal.aborted) return { state: "interrupted", reason: "the gateway was stopped" };
  // Somebody stopped it, or another gateway found nobody at it: what that said stays.
  if (!ledger.isRunning) return { state: "interrupted", reason: "it was ended by somebody else" };
  if (replay.options.stop_on_difference && ledger.differs)
    return { state: "stopped", reason: "at the first difference" };
  if (!isSameSandbox())
    return { state: "stopped", reason: `connection ${replay.connection} is not the sandbox any more that it was` };
  return null;
}

/** A call of which all is known but whether its answer is the recorded one. */
type Attempt = {
  readonly recorded: RecordedCall;
  readonly known: Known | null;
  readonly sent: Sent | Unsendable | "planned";
  readonly remark: string;
};

async function replayCall(
  parts: RunParts,
  { own, planning }: Run,
  { recorded, about }: { readonly recorded: RecordedCall; readonly about: Known | null },
): Promise<Attempt> {
  if (about === null)
    return {
      recorded,
      known: about,
      sent: { outcome: "skipped", reason: `${recorded.call.host} is no host of Datadog's` },
      remark: "",
    };
  const planned = await plan(planning, recorded, about);
  if (isUnsendable(planned)) {
    await lose({ planning, recorded, about }, `was not sent here: ${planned.reason}`);
    return { recorded, known: about, sent: planned, remark: "" };
  }
  if (own === null) {
    await assume({ planning, recorded, about });
    return { recorded, known: about, sent: "planned", remark: planned.remark };
  }
  const sent = await sendCall(parts.line(), await own.token(), planned.sending);
  await learn({ planning, recorded, about }, planned, sent);
  return { recorded, known: about, sent, remark: planned.remark };
}

type Learning = { readonly planning: Planning; readonly recorded: RecordedCall; readonly about: Known };

async function learn(learning: Learning, { sent: inRequest, subject }: Planned, sent: Sent): Promise<void> {
  const { planning, recorded, about } = learning;
  if (!teaches(recorded.call, about.operation)) return;
  if (sent.kind === "unanswered") return lose(learning, `has no answer here: ${sent.why}`);
  if (sent.status >= 300) return lose(learning, `was answered ${sent.status} here`);
  const before = await treeOf(recorded);
  const now = sent.answer.body === null ? null : (await comparable(sent.answer.body, encodingOf(sent))).tree;
  if (before === null) return;
  if (now === null) return lose(learning, "has an answer here that is no JSON");
  learnIds(planning.ids, subject, { recorded: before, now, sent: inRequest });
}

const encodingOf = ({ answer }: Extract<Sent, { kind: "answered" }>): readonly (readonly [string, string])[] => {
  const coding = answer.header("content-encoding");
  return coding === null ? [] : [["content-encoding", coding]];
};

/** What this call created in the recording is known, and has no counterpart. */
async function lose(learning: Learning, why: string): Promise<void> {
  const { planning, recorded, about } = learning;
  if (!teaches(recorded.call, about.operation)) return;
  const tree = await treeOf(recorded);
  if (tree !== null) loseIds(planning.ids, about.subject, { recorded: tree, by: recorded.call.n, why });
}

/** In a dry run what was created then passes for created. */
async function assume({ planning, recorded, about }: Learning): Promise<void> {
  const tree = teaches(recorded.call, about.operation) ? await treeOf(recorded) : null;
  if (tree !== null) learnIds(planning.ids, about.subject, { recorded: tree, now: tree, sent: new Set() });
}

/** A recorded agent may have waited for people for days, and a clock may have been wrong by years. ms */
const longestPause = 15 * 60_000;

/** Keeps the pauses that were between the calls, if that was asked for. */
class Pace {
  readonly #parts: Pick<RunParts, "monotonic">;
  readonly #job: Run;
  #first: { readonly recorded: number; readonly here: number } | null = null;

  constructor(parts: Pick<RunParts, "monotonic">, job: Run) {
    this.#parts = parts;
    this.#job = job;
  }

  async wait({ call }: RecordedCall, ledger: Pick<Ledger, "isRunning">): Promise<void> {
    const { replay, signal, own } = this.#job;
    if (replay.options.pace === "fast") return;
    const recorded = call.received_at.getTime();
    this.#first ??= { recorded, here: this.#parts.monotonic() };
    const now = (): number => this.#parts.monotonic();
    const left = (): number => (this.#first?.here ?? 0) + recorded - (this.#first?.recorded ?? 0) - now();
    if (left() > longestPause) this.#first = { recorded, here: now() + longestPause };
    while (left() > 0 && !signal.aborted && ledger.isRunning) {
      await sleep(Math.min(left(), 1_000), undefined, { signal }).catch(() => undefined);
      // A session in which nothing happens for long is over.
      await own?.token();
    }
  }
}

/** ms; one call may take minutes. */
const beatEvery = 2_000;
/** So many calls are compared and noted together, or as many as there are after so long, ms. */
const together = 64;
const atLeastEvery = 500;
/** Bytes of bodies. */
const mostHeld = 16 * 1024 * 1024;

const bytesIn = ({ recorded: { request, response }, sent }: Attempt): number =>
  (request?.bytes?.length ?? 0) +
  (response?.bytes?.length ?? 0) +
  (typeof sent === "object" && "answer" in sent ? (sent.answer.body?.length ?? 0) : 0);

/** Compares what was recorded of both calls and notes it, while the next ones are sent. */
class Ledger {
  readonly #parts: RunParts;
  readonly #job: Run;
  #waiting: Attempt[] = [];
  #held = 0;
  #writing: Promise<void> = Promise.resolve();
  #notedAt: number;
  isRunning = true;
  differs = false;

  constructor(parts: RunParts, job: Run) {
    this.#parts = parts;
    this.#job = job;
    this.#notedAt = parts.monotonic();
  }

  async add(attempt: Attempt): Promise<void> {
    this.#waiting.push(attempt);
    this.#held += bytesIn(attempt);
    const { stop_on_difference } = this.#job.replay.options;
    if (stop_on_difference) return this.finish();
    if (this.#waiting.length >= together || this.#held >= mostHeld || this.#isDue()) await this.#flush();
  }

  /** Says that somebody is at it, though there is nothing new. */
  async beat(): Promise<void> {
    this.isRunning &&= await this.#parts.replays.note(this.#job.replay.id, []).catch(() => true);
  }

  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  #isDue(): boolean {
    return this.#parts.monotonic() - this.#notedAt > atLeastEvery;
  }

  /** Only one is written while the next is gathered. */
  async #flush(): Promise<void> {
    const attempts = this.#waiting.splice(0);
    const before = this.#writing;
    this.#held = 0;
    this.#notedAt = this.#parts.monotonic();
    this.#writing = before.then(() => this.#write(attempts));
    this.#writing.catch(() => undefined);
    await before;
  }

  async #write(attempts: readonly Attempt[]): Promise<void> {
    const { replay, own } = this.#job;
    const numbers = attempts.flatMap(({ sent }) =>
      typeof sent === "object" && "own_n" in sent && sent.own_n !== null ? [sent.own_n] : [],
    );
    const ended = own === null ? new Map() : await endedCalls(this.#parts, own.session.id, numbers);
    const calls: ReplayedCall[] = [];
    for (const attempt of attempts) calls.push(await judge(this.#job, { attempt, ended }));
    this.differs ||= calls.some(({ outcome }) => outcome === "different" || outcome === "failed");
    this.isRunning &&= await this.#parts.replays.note(replay.id, calls);
  }
}

type Judging = { readonly attempt: Attempt; readonly ended: ReadonlyMap<number, RecordedCall> };

async function judge(job: Run, { attempt, ended }: Judging): Promise<ReplayedCall> {
  const { recorded, known: about, sent, remark } = attempt;
  const { n } = recorded.call;
  if (sent === "planned") return { n, own_n: null, outcome: "planned", reason: remark, status: null, differences: [] };
  if (isUnsendable(sent)) return { n, own_n: null, status: null, differences: [], ...sent };
  const { own_n, status } = sent;
  const failed = (reason: string): ReplayedCall => ({ n, own_n, outcome: "failed", reason, status, differences: [] });
  if (sent.kind === "unanswered") return failed(sent.why);
  const own = ended.get(sent.own_n);
  if (own === undefined) return failed("the record of its answer is not there");
  const [then, now] = [await answerOf(recorded), await answerOf(own)];
  if ("reason" in then) return failed(`sent; its recorded answer is not known: ${then.reason}`);
  if ("reason" in now) return failed(`sent; its answer is not known: ${now.reason}`);
  if (about === null) return failed("nothing is known of its operation");
  const differences = compareAnswers(
    {
      subject: about.subject,
      ids: job.planning.ids,
      volatile: job.volatile.get(about.operation.id) ?? new Set(),
      custom: job.planning.standIns.masks.masks.custom,
      sites: { recorded: siteOf(recorded.call.host), here: job.planning.site },
    },
    then,
    now,
  );
  const outcome = differences.length === 0 ? "same" : "different";
  return { n, own_n, outcome, reason: remark, status, differences };
}

const siteOf = (host: string): string => sites.find((site) => prefixOfHost(site, host) !== undefined) ?? host;

/** What Datadog answered, as it was recorded; an answer that the gateway gave itself is none. */
async function answerOf({ call, response }: RecordedCall): Promise<ComparedAnswer | { readonly reason: string }> {
  if (call.status === null || call.response === null || call.error_code !== null)
    return { reason: call.error ?? "there was none" };
  if (response !== null && response.bytes === null) return { reason: response.missing };
  const body = response === null ? null : await comparable(response.bytes, call.response.headers);
  return { status: call.status, body };
}
