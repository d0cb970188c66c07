/** Compares what callers sent and got, what the upstream received, and what is recorded: whatever the fault was, nothing may be wrong. */

import { setTimeout as sleep } from "node:timers/promises";
import type { FreshDatabase } from "../standins/database.ts";
import { headerOf, type ReceivedRequest } from "../standins/upstream.ts";
import type { Sending } from "./load.ts";

/** Everything that must never be; each entry names what it is about. */
export type Wrong = {
  /** Answers that no caller should have to expect, whatever failed. */
  readonly unforeseen_answers: readonly string[];
  /** The upstream saw a call that changes something, and there is no receipt of it. */
  readonly effects_without_receipt: readonly string[];
  /** The caller has the upstream's answer, reads too, and its receipt is not closed with that status and these bytes. */
  readonly answers_without_closing: readonly string[];
  /** 502 or 503 said that nothing was sent, or kept a read's answer; the upstream saw a write. */
  readonly sent_and_denied: readonly string[];
  readonly sent_twice: readonly string[];
  readonly changed_after_closing: readonly string[];
  /** Sessions whose calls are not numbered 1, 2, 3…, or not counted rightly. */
  readonly gaps: readonly string[];
  readonly unended: readonly string[];
};

export const nothingWrong: Wrong = {
  unforeseen_answers: [],
  effects_without_receipt: [],
  answers_without_closing: [],
  sent_and_denied: [],
  sent_twice: [],
  changed_after_closing: [],
  gaps: [],
  unended: [],
};

type Row = {
  readonly call: string;
  readonly session_id: string;
  readonly n: number;
  readonly counted: number;
  readonly name: string | null;
  /** Null while the call is open. */
  readonly state: string | null;
  readonly status: number | null;
  readonly response_sha256: string | null;
  /** Of every column of its opening and its closing. */
  readonly digest: string;
};

export class Ledger {
  readonly #database: FreshDatabase;
  /** What closed receipts looked like when they were first seen. */
  readonly #closed = new Map<string, string>();

  constructor(database: FreshDatabase) {
    this.#database = database;
  }

  /** Remembers every receipt that is closed by now; call it before a fault. */
  async snapshot(): Promise<void> {
    for (const row of await this.#rows()) if (row.state !== null) this.#remember(row);
  }

  /** Waits until no call is open any more, however long that takes: a test's own time is the bound. */
  async settle(): Promise<void> {
    for (;;) {
      const open = await this.#database.query("SELECT FROM calls_in_flight LIMIT 1").catch(() => [null]);
      if (open.length === 0) return;
      await sleep(50);
    }
  }

  /** `unreachable`: the fault may keep the gateway from the upstream too, so that 502 is no surprise. */
  async check(
    sendings: readonly Sending[],
    received: readonly ReceivedRequest[],
    { unreachable = false } = {},
  ): Promise<Wrong> {
    const rows = await this.#rows();
    const byCall = new Map(rows.map((row) => [row.call, row]));
    const recorded = new Set(rows.map(({ name }) => name));
    const seen = received.map((request) => ({ method: request.method, name: headerOf(request, "x-name") ?? "" }));
    const written = new Set(seen.filter(({ method }) => method !== "GET").map(({ name }) => name));
    return {
      unforeseen_answers: sendings
        .filter((sending) => !isForeseen(sending) && !(unreachable && isUnreachable(sending)))
        .map(({ name }) => name),
      effects_without_receipt: [...written].filter((name) => !recorded.has(name)),
      answers_without_closing: sendings.filter((sending) => !isClosed(sending, byCall)).map(({ name }) => name),
      sent_and_denied: sendings
        .filter(({ name, answer }) => (answer?.status === 502 || answer?.status === 503) && written.has(name))
        .map(({ name }) => name),
      sent_twice: repeated(seen.map(({ name }) => name)),
      changed_after_closing: this.#changed(byCall),
      gaps: gapsIn(rows),
      unended: rows.filter(({ state }) => state === null).map(({ call }) => call),
    };
  }

  /** How many calls ended in each state. */
  async states(): Promise<Readonly<Record<string, number>>> {
    const states: Record<string, number> = {};
    for (const { state } of await this.#rows()) states[state ?? "open"] = (states[state ?? "open"] ?? 0) + 1;
    return states;
  }

  #remember({ call, digest }: Row): void {
    if (!this.#closed.has(call)) this.#closed.set(call, digest);
  }

  /** Those that are gone count as changed. */
  #changed(byCall: ReadonlyMap<string, Row>): string[] {
    const changed = [...this.#closed].filter(([call, digest]) => byCall.get(call)?.digest !== digest);
    for (const row of byCall.values()) if (row.state !== null) this.#remember(row);
    return changed.map(([call]) => call);
  }

  #rows(): Promise<Row[]> {
    return this.#database.query<Row>(`
      SELECT c.session_id || '/' || c.n AS call, c.session_id, c.n, s.calls AS counted, e.state, e.status,
        encode(coalesce(
          (SELECT b.sha256 FROM bodies b WHERE b.epoch = epoch_of(c.session_id) AND b.digest = e.response_digest),
          (SELECT l.sha256 FROM spills l WHERE l.id = e.response_spill)
        ), 'hex') AS response_sha256,
        md5(c::text || coalesce(e::text, '') || o.value::text || coalesce(f.value::text, '')) AS digest,
        (SELECT h ->> 1 FROM json_array_elements(o.value -> 'headers') h WHERE lower(h ->> 0) = 'x-name') AS name
      FROM calls c JOIN sessions s ON s.id = c.session_id
      JOIN phrases o ON o.digest = c.phrase AND o.week = epoch_of(c.session_id) - epoch_of(c.session_id) % 7
      LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n
      LEFT JOIN phrases f ON f.digest = e.phrase AND f.week = o.week
      ORDER BY c.session_id, c.n`);
  }
}

/** 5xx only where nothing was sent or the call only reads; 401 where the gateway's clock is wrong. */
const isForeseen = ({ answer, reads }: Sending): boolean => {
  if (answer === null || (answer.status === 200 && answer.code === null)) return true;
  switch (answer.code) {
    case "recording_unavailable":
    case "gateway_busy":
      return answer.status === 503;
    case "outcome_unknown":
      return answer.status === 403 && !reads;
    case "token_expired":
    case "session_closed":
      return answer.status === 401;
    default:
      return false;
  }
};

const isUnreachable = ({ answer }: Sending): boolean =>
  answer?.status === 502 && answer.code === "upstream_unreachable";

/** True, too, of an answer that never came or is our own: those promise nothing about a closing. */
const isClosed = ({ answer, name }: Sending, byCall: ReadonlyMap<string, Row>): boolean => {
  if (answer === null || answer.code !== null) return true;
  const row = byCall.get(answer.call ?? "");
  return (
    row?.name === name &&
    row.state === "closed" &&
    row.status === answer.status &&
    row.response_sha256 === answer.sha256
  );
};

const repeated = (names: readonly string[]): string[] => {
  const once = new Set<string>();
  return names.filter((name) => once.has(name) || !once.add(name));
};

const gapsIn = (rows: readonly Row[]): string[] => {
  const sessions = Map.groupBy(rows, ({ session_id }) => session_id);
  return [...sessions]
    .filter(([, calls]) => calls.some(({ n, counted }, i) => n !== i + 1 || counted !== calls.length))
    .map(([session]) => session);
};
