/** Waits for people: one question to the gateway per approval, however many clients wait for it, and one of them may use it. */

import type { ApprovalJson } from "../../server/contract.ts";
import { askApproval, explain, type Gateway, GatewayProblem } from "../gateway.ts";
import { type Log, printable } from "../log.ts";
import type { Clock, LiveSession } from "./session.ts";
import { duration, type Question, type Teller } from "./tell.ts";

export type Refused = {
  readonly kind: "refused";
  readonly code: string;
  /** `denied by github:ana: not on a Friday` */
  readonly why: string;
  /** Null where nothing was learnt of it. */
  readonly about?: Pick<Question, "name" | "link"> | null;
};

export type Verdict =
  /** For one of those who wait: send it now. */
  | { readonly kind: "approved" }
  | Refused
  /** The client hung up. The question stays: the same request joins it. */
  | { readonly kind: "left" };

export type Waiter = {
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Aborted when the client hangs up. */
  readonly gone: AbortSignal;
};

export type Waits = {
  /** Until when a call that is held now may wait. */
  deadline(): number;
  wait(id: string, waiter: Waiter): Promise<Verdict>;
  /** Ends every wait, and every later one at once: the job is over. */
  end(): void;
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

type Settle = (verdict: Verdict) => void;

/** One approval that is waited for. */
type Watch = {
  readonly id: string;
  readonly since: number;
  /** In the order in which they came. */
  readonly waiting: Map<Settle, Waiter>;
  readonly stop: AbortController;
  /** As the gateway told it last. */
  question: Question | null;
};

export const createWaits = (parts: WaitParts): Waits => {
  const { clock, timeout, tell } = parts;
  const watches = new Map<string, Watch>();
  let ended = false;

  const begin = (id: string): Watch => {
    const watch: Watch = { id, since: clock.now(), waiting: new Map(), stop: new AbortController(), question: null };
    watches.set(id, watch);
    void follow(parts, watch);
    return watch;
  };
  /** The last one who leaves ends the watch. */
  const forget = (watch: Watch, how: string) => {
    if (watch.waiting.size > 0 || watches.get(watch.id) !== watch) return;
    watches.delete(watch.id);
    watch.stop.abort();
    tell.over(watch.id, how);
  };
  const join = (watch: Watch, waiter: Waiter): Promise<Verdict> =>
    new Promise((resolve) => {
      const settle: Settle = (verdict) => {
        if (!watch.waiting.delete(settle)) return;
        callOff();
        waiter.gone.removeEventListener("abort", leave);
        resolve(verdict.kind === "refused" ? { ...verdict, about: watch.question } : verdict);
        forget(watch, outcomeOf(verdict));
      };
      const leave = () => settle({ kind: "left" });
      const callOff = clock.after(Math.max(0, waiter.until - clock.now()), () => settle(tooLate(timeout)));
      waiter.gone.addEventListener("abort", leave);
      watch.waiting.set(settle, waiter);
    });

  return {
    deadline: () => clock.now() + timeout,
    async wait(id, waiter) {
      if (ended) return over;
      if (waiter.gone.aborted) return { kind: "left" };
      return join(watches.get(id) ?? begin(id), waiter);
    },
    end() {
      ended = true;
      for (const watch of watches.values()) settleAll(watch, over);
    },
  };
};

const settleAll = (watch: Watch, verdict: Verdict): void => {
  for (const settle of [...watch.waiting.keys()]) settle(verdict);
};

/** Seconds for which the gateway may keep a question. */
const longPoll = 25;
const second = 1_000;
const longestBackoff = 10 * second;

/** Asks until there is an answer or nobody waits for one any more. A gateway that is away is asked again: asking changes nothing. */
const follow = async (parts: WaitParts, watch: Watch): Promise<void> => {
  const { clock, log } = parts;
  const { signal } = watch.stop;
  // The first answer tells where people are asked, and is not waited for.
  let wait = 0;
  for (let failures = 0; !signal.aborted; ) {
    const asked = clock.now();
    try {
      const found = await look(parts, watch, wait);
      failures = 0;
      if (conclude(parts, watch, found)) return;
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
const conclude = ({ tell }: WaitParts, watch: Watch, found: ApprovalJson): boolean => {
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
    case "approved": {
      const [first, ...rest] = [...watch.waiting.keys()];
      for (const settle of rest) settle(usedUp);
      first?.({ kind: "approved" });
      return true;
    }
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

/** Where people discuss comes before where they only press a button. */
const places = ["review_comment", "comment", "issue", "check_run", "page"] as const;

const linkOf = ({ where, url }: ApprovalJson): string => {
  const [best] = places.flatMap((kind) => where.filter((place) => place.kind === kind));
  return shown(best?.url ?? url);
};

/** It comes from outside and goes to a terminal. */
const shown = (text: string): string => {
  const line = printable(text).trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
};

const refuse = (code: string, why: string): Refused => ({ kind: "refused", code, why });

const usedUp = refuse(
  "approval_required",
  "the approval let an identical request pass, and is for one; sent again, this one is asked about again",
);

const over = refuse("approval_cancelled", "the job ended while it waited for approval");

const tooLate = (timeout: number): Refused =>
  refuse(
    "approval_required",
    `nobody answered within ${duration(timeout)} (approval-timeout); the question stays open, and the same request joins it`,
  );

/** What asking again would not change. */
const finalProblem = (error: unknown): Refused | undefined => {
  if (!(error instanceof GatewayProblem) || error.unavailable || passing.has(error.code)) return undefined;
  if (error.code === "session_closed")
    return refuse("approval_cancelled", "the session ended while it waited for approval");
  return refuse("approval_required", `its approval cannot be asked about: ${shown(error.message)}`);
};

/** A token that is about to be renewed; a proxy's page in place of an answer. */
const passing = new Set(["token_expired", "token_invalid", "answer_unreadable", "rate_limited"]);

const outcomeOf = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case "approved":
      return "approved, it is sent now";
    case "left":
      return "the client hung up; the question stays open, and the same request joins it";
    case "refused":
      return `not sent: ${verdict.why}`;
    default:
      return verdict satisfies never;
  }
};
