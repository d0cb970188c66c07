/** A session as it happens: its calls when they begin and when they end, then its end, all from what is durable. */

import { type ApiRefusal, refuseApi } from "../errors.ts";
import type { StoredCall } from "../model/receipt.ts";
import type { Session } from "../model/session.ts";
import { type HistoryParts, noSession, type Reader, seesSession, stillSees, viewed } from "./history.ts";

/** `id` says how much was told: whoever sends it again is told the rest. */
export type Happening =
  | { readonly kind: "call"; readonly id: string; readonly call: StoredCall }
  | { readonly kind: "end"; readonly id: string; readonly session: Session }
  /** Nothing happened for a while. */
  | { readonly kind: "silence" };

export type FollowParts = HistoryParts & {
  readonly following: {
    /** A session that has ended and no call of which is in flight. */
    isOver(session_id: string): Promise<boolean>;
    /** Calls with higher numbers than this, in their order. */
    after(session_id: string, n: number, most: number): Promise<readonly StoredCall[]>;
    /** Those of these calls that have ended. */
    ended(session_id: string, numbers: readonly number[]): Promise<readonly StoredCall[]>;
    /** Resolves when something may have happened, and after so many ms in any case. */
    wait(session_id: string, most: number, signal: AbortSignal): Promise<void>;
  };
  monotonic(): number;
};

/** What was told so far: all calls up to `last`, of which `open` had not ended. */
type Told = { last: number; readonly open: Set<number> };

/** Calls that are read at once, and that may be open before those that follow wait. */
const atOnce = 100;
/** Without a hint it is looked again so often, ms. */
const lookEvery = 500;
const silenceAfter = 15_000;
/** As long as a session token lives: whoever listens on shows theirs again. */
const longest = 15 * 60_000;
/** Whoever listens is asked about again so often, ms: signing out, and losing access, end it. */
const askEvery = 5_000;

export type FollowRequest = {
  readonly session_id: string;
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  /** Who listens, by what they showed when they came. */
  readerNow(): Promise<Reader | ApiRefusal>;
};

export async function followSession(
  parts: FollowParts,
  reader: Reader,
  { session_id, lastEventId, signal, readerNow }: FollowRequest,
): Promise<AsyncIterable<Happening> | ApiRefusal> {
  const refusal = await seesSession(parts, reader, session_id);
  if (refusal !== null) return refusal;
  const told = readTold(lastEventId);
  if (told === null)
    return refuseApi(
      "request_malformed",
      "Last-Event-ID is none that these events gave: leave it out to begin with the first call",
    );
  if ((await parts.sessions.get(session_id)) === null) return noSession(session_id);
  await viewed(parts, reader, `session ${session_id}, as it happens`);
  return happenings(parts, { session_id, told, signal, mayStill: stillSees(parts, readerNow, session_id) });
}

type Following = {
  readonly session_id: string;
  readonly told: Told;
  readonly signal: AbortSignal;
  mayStill(): Promise<boolean>;
};

async function* happenings(
  parts: FollowParts,
  { session_id, told, signal, mayStill }: Following,
): AsyncGenerator<Happening> {
  const { following, sessions, monotonic } = parts;
  const began = monotonic();
  let spoke = began;
  let asked = began;
  while (!signal.aborted && monotonic() - began < longest) {
    if (monotonic() - asked >= askEvery) {
      if (!(await mayStill())) return;
      asked = monotonic();
    }
    // Asked before the calls are read: of a session that is over then, none is missed.
    const isOver = await following.isOver(session_id);
    let news = 0;
    for await (const call of newCalls(parts, session_id, told)) {
      news += 1;
      yield { kind: "call", id: writeTold(told), call };
    }
    if (news > 0) spoke = monotonic();
    if (isOver && news === 0) {
      const session = await sessions.get(session_id);
      if (session !== null) yield { kind: "end", id: writeTold(told), session };
      return;
    }
    if (news > 0) continue;
    if (monotonic() - spoke >= silenceAfter) {
      spoke = monotonic();
      yield { kind: "silence" };
    }
    await following.wait(session_id, lookEvery, signal);
  }
}

/** Ends of calls that were told as open, then calls that were not told; `told` is ahead of each by itself when it is given. */
async function* newCalls({ following }: FollowParts, session_id: string, told: Told): AsyncGenerator<StoredCall> {
  const ended = told.open.size === 0 ? [] : await following.ended(session_id, [...told.open]);
  for (const call of ended) {
    told.open.delete(call.n);
    yield call;
  }
  const room = atOnce - told.open.size;
  if (room <= 0) return;
  for (const call of await following.after(session_id, told.last, room)) {
    told.last = call.n;
    if (call.state === "open") told.open.add(call.n);
    yield call;
  }
}

/** `12` or, when calls 9 and 11 had not ended, `12-9.11` */
const writeTold = ({ last, open }: Told): string => (open.size === 0 ? String(last) : `${last}-${[...open].join(".")}`);

const readTold = (written: string | null): Told | null => {
  if (written === null || written === "") return { last: 0, open: new Set() };
  const [, last, open] = /^(\d{1,10})(?:-(\d{1,10}(?:\.\d{1,10}){0,99}))?$/.exec(written) ?? [];
  if (last === undefined) return null;
  const numbers = (open ?? "")
    .split(".")
    .filter((n) => n !== "")
    .map(Number);
  const most = 2_147_483_647;
  return [Number(last), ...numbers].some((n) => n > most) ? null : { last: Number(last), open: new Set(numbers) };
};
