/** Asks the gateway about one approval until it is answered, and tells those who wait for it. */

import type { ApprovalJson } from "../../server/contract.ts";
import { askApproval, explain, type Gateway } from "../gateway.ts";
import type { Log } from "../log.ts";
import type { Clock, LiveSession } from "./session.ts";
import type { Question, Teller } from "./tell.ts";
import { finalProblem, refuse, shown, usedUp, type Verdict } from "./verdict.ts";

export type Waiter = {
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Aborted when the client hangs up. */
  readonly gone: AbortSignal;
};

export type WaitParts = {
  readonly gateway: Gateway;
  readonly session: LiveSession;
  readonly clock: Clock;
  /** Milliseconds for which one call may wait. */
  readonly timeout: number;
  readonly log: Log;
  readonly tell: Teller;
};

export type Settle = (verdict: Verdict) => void;

/** One approval that is waited for. */
export type Watch = {
  readonly id: string;
  readonly since: number;
  /** In the order in which they came. */
  readonly waiting: Map<Settle, Waiter>;
  readonly stop: AbortController;
  /** As the gateway told it last. */
  question: Question | null;
};

export const settleAll = (watch: Watch, verdict: Verdict): void => {
  for (const settle of watch.waiting.keys()) settle(verdict);
};

/** Seconds for which the gateway may keep a question. */
const longPoll = 25;
const second = 1_000;
const longestBackoff = 10 * second;

/** Asks until there is an answer or nobody waits for one any more. A gateway that is away is asked again: asking changes nothing. */
export const follow = async (parts: WaitParts, watch: Watch): Promise<void> => {
  const { clock, log } = parts;
  const { signal } = watch.stop;
  // The first answer tells where people are asked, and is not waited for.
  let wait = 0;
  for (let failures = 0; !signal.aborted; ) {
    const asked = clock.now();
    try {
      const found = await look(parts, watch, wait);
      failures = 0;
      if (await conclude(parts, watch, found)) return;
      // A gateway that does not keep questions is not asked in a circle.
      if (wait > 0 && clock.now() - asked < second) await pause(parts, second, signal);
      wait = longPoll;
    } catch (error) {
      if (signal.aborted) return;
      const final = finalProblem(error);
      if (final) return settleAll(watch, final);
      if (failures === 0) log(`an approval cannot be asked about, and is asked about again: ${explain(error)}`);
      await pause(parts, Math.min(longestBackoff, (second / 2) * 2 ** failures), signal);
      failures += 1;
    }
  }
};

const look = async ({ gateway, session }: WaitParts, watch: Watch, wait: number): Promise<ApprovalJson> => {
  const { id, stop } = watch;
  return askApproval(gateway, await session.token(), { id, wait, signal: stop.signal });
};

const pause = ({ clock }: WaitParts, milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const callOff = clock.after(milliseconds, done);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      callOff();
      signal.removeEventListener("abort", done);
      resolve();
    }
  });

/** True when nobody waits any more. */
const conclude = async ({ tell }: WaitParts, watch: Watch, found: ApprovalJson): Promise<boolean> => {
  const name = shown(found.operation.split(".").at(-1) ?? "");
  const link = linkOf(found);
  const until = Math.min(
    Date.parse(found.expires_at),
    Math.max(0, ...[...watch.waiting.values()].map((waiter) => waiter.until)),
  );
  watch.question = { id: watch.id, name, link, since: watch.since, until };
  tell.waiting(watch.question);
  switch (found.state) {
    case "pending":
      return false;
    case "approved":
      tell.over(watch.id, "approved, it is sent now");
      return giveToOne(watch);
    case "consumed":
      settleAll(watch, usedUp);
      return true;
    case "denied":
    case "expired":
    case "stale":
    case "cancelled": {
      settleAll(watch, refuse(`approval_${found.state}`, shown(found.reason) || found.state));
      return true;
    }
    default:
      return found.state satisfies never;
  }
};

/** Whoever came first, and still is there, may use it. One that could not leaves it to the next. */
const giveToOne = async (watch: Watch): Promise<boolean> => {
  const [first] = watch.waiting.keys();
  const turn = Promise.withResolvers<boolean>();
  first?.({ kind: "approved", release: turn.resolve });
  if (watch.waiting.size === 0) return true;
  if (!(await turn.promise)) return false;
  settleAll(watch, usedUp);
  return true;
};

/** Where people discuss comes before where they only press a button. */
const places = ["review_comment", "comment", "issue", "check_run", "page"] as const;

const linkOf = ({ where, url }: ApprovalJson): string => {
  const [best] = places.flatMap((kind) => where.filter((place) => place.kind === kind));
  return shown(best?.url ?? url);
};
