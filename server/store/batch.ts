/** One batch of receipts, one transaction: numbers are allotted, every row is decided on, then all is sent and committed. */

import type pg from "pg";
import { GatewayError } from "../errors.ts";
import type { CallNumber, Closing, RecordedBody } from "../model/receipt.ts";
import { packBody } from "./bodies.ts";
import type { Job, Result } from "./job.ts";
import * as statement from "./statements.ts";

/** A living connection of a sink and the replica it stands for. */
export type Link = { readonly client: pg.Client; readonly replica: number };

export type Outcome = { readonly job: Job; readonly result: Result };

/** How a batch ended that is not known to be committed. */
export type Failure =
  /** Nothing was written; the connection is good. */
  | { readonly kind: "refused"; readonly error: unknown; readonly outcomes: readonly Outcome[] }
  /** Nothing was written; the connection is gone. */
  | { readonly kind: "lost"; readonly error: unknown }
  /** The connection is gone and the commit was on its way: `outcomes` hold if `batch` is found. */
  | {
      readonly kind: "ambiguous";
      readonly error: unknown;
      readonly batch: string;
      readonly outcomes: readonly Outcome[];
    };

export type Ending = { readonly kind: "committed"; readonly outcomes: readonly Outcome[] } | Failure;

/** Never rejects. `outcomes` of a refused batch are those of jobs that can never succeed; the others may be tried again. */
export const commitBatch = async (link: Link, jobs: readonly Job[], batch: string): Promise<Ending> => {
  const begun = await begin(link.client, jobs);
  if (begun.kind !== "begun") return begun;
  const plan = drawUp(jobs, begun);
  // A number that was allotted to a job that cannot use it would be a gap: begin again without that job.
  if (plan.broken.length > 0) return refuse(link.client, { error: null, outcomes: plan.broken });
  const statements = await toStatements(plan, link.replica);
  const answers = await Promise.allSettled(
    [...statements, statement.signBatch(batch, link.replica), commit].map((query) => link.client.query(query)),
  );
  const last = answers.at(-1);
  if (last?.status !== "fulfilled") return { kind: "ambiguous", error: last?.reason, batch, outcomes: plan.outcomes };
  // COMMIT of a transaction in which something failed answers ROLLBACK.
  if (last.value.command === "COMMIT") return { kind: "committed", outcomes: plan.outcomes };
  return { kind: "refused", error: firstReason(answers), outcomes: [] };
};

const commit: statement.Statement = { text: "COMMIT", values: [] };

type Begun = {
  readonly kind: "begun";
  /** Calls each open session has had before this batch. */
  readonly before: ReadonlyMap<string, number>;
  /** Names of calls that may be closed. */
  readonly landed: ReadonlySet<string>;
};

const begin = async (client: pg.Client, jobs: readonly Job[]): Promise<Begun | Failure> => {
  const growths = grow(jobs);
  const calls = jobs.flatMap(({ work }) => (work.kind === "close" ? [work.call] : []));
  const queries = [
    client.query("BEGIN"),
    growths.length > 0 ? client.query<{ id: string; calls: number }>(statement.allot(growths)) : nothing,
    calls.length > 0 ? client.query<{ session_id: string; n: number }>(statement.land(calls)) : nothing,
  ] as const;
  const answers = await Promise.allSettled(queries);
  const [began, allotted, landed] = answers;
  if (began.status === "rejected" || allotted.status === "rejected" || landed.status === "rejected") {
    const error = firstReason(answers);
    return isRefusalOfServer(error) ? refuse(client, { error, outcomes: [] }) : { kind: "lost", error };
  }
  const grown = new Map(growths.map((growth) => [growth.session_id, growth.calls]));
  return {
    kind: "begun",
    before: new Map(allotted.value.rows.map(({ id, calls }) => [id, calls - (grown.get(id) ?? 0)])),
    landed: new Set(landed.value.rows.map(nameOf)),
  };
};

const nothing = Promise.resolve({ rows: [] });

const grow = (jobs: readonly Job[]): statement.Growth[] => {
  const growths = new Map<string, statement.Growth>();
  for (const { work } of jobs) {
    if (work.kind === "close") continue;
    const { session_id, decision, masked_values = 0 } = work.opening;
    const growth = growths.get(session_id) ?? { session_id, calls: 0, denied: 0, masked: 0 };
    growth.calls += 1;
    growth.denied += decision.effect === "deny" ? 1 : 0;
    growth.masked += masked_values;
    growths.set(session_id, growth);
  }
  return [...growths.values()];
};

/** What is going to be written, and what everybody will be told once it is. */
type Plan = {
  readonly openings: statement.NumberedOpening[];
  readonly closings: statement.NumberedClosing[];
  readonly outcomes: Outcome[];
  readonly broken: Outcome[];
};

const drawUp = (jobs: readonly Job[], { before, landed }: Begun): Plan => {
  const plan: Plan = { openings: [], closings: [], outcomes: [], broken: [] };
  const numbers = new Map(before);
  const closable = new Set(landed);
  for (const job of jobs) {
    const { work } = job;
    if (work.kind === "close") {
      // Deleted here too, so that of two closings of one call in one batch the second is refused.
      const open = closable.delete(nameOf(work.call));
      if (open) plan.closings.push({ ...work.call, closing: work.closing });
      plan.outcomes.push({ job, result: open ? work.call : notOpen(work.call) });
      continue;
    }
    const { session_id } = work.opening;
    const used = numbers.get(session_id);
    if (used === undefined) {
      plan.outcomes.push({ job, result: new GatewayError("session_closed", `session ${session_id} is not open`) });
      continue;
    }
    const call = { session_id, n: used + 1 };
    numbers.set(session_id, call.n);
    plan.openings.push({ ...call, opening: work.opening, in_flight: work.kind === "open" });
    plan.outcomes.push({ job, result: call });
    if (work.kind === "record") close(plan, { job, call, closing: work.closing });
  }
  return plan;
};

const close = (
  plan: Plan,
  { job, call, closing }: { job: Job; call: CallNumber; closing: (call: CallNumber) => Closing },
): void => {
  try {
    plan.closings.push({ ...call, closing: closing(call) });
  } catch (cause) {
    plan.broken.push({ job, result: unwritable(cause) });
  }
};

const nameOf = ({ session_id, n }: CallNumber): string => `${session_id}/${n}`;

const notOpen = (call: CallNumber): GatewayError =>
  new GatewayError("recording_unavailable", `call ${nameOf(call)} is not open: it has its closing already`);

export const unwritable = (cause: unknown): GatewayError =>
  new GatewayError("recording_unavailable", "the receipt cannot be written", { cause });

/** In this order: sessions, calls, closings, bodies. Every transaction takes its locks in it. */
const toStatements = async ({ openings, closings }: Plan, replica: number): Promise<statement.Statement[]> => {
  const bodies = [
    ...openings.map(({ opening }) => opening.request.body),
    ...closings.flatMap(({ closing }) => [closing.request_body, closing.response?.body ?? null]),
  ].filter((body) => body !== null);
  const kept = await keep(bodies);
  const spills = bodies.flatMap(({ spill }) => (spill === null ? [] : [spill]));
  const flying = openings.filter(({ in_flight }) => in_flight);
  const growths = growAtEnd(closings);
  return [
    ...(growths.length > 0 ? [statement.countMore(growths)] : []),
    ...(openings.length > 0 ? [statement.insertCalls(openings, replica)] : []),
    ...(flying.length > 0 ? [statement.takeOff(flying, replica)] : []),
    ...(closings.length > 0 ? [statement.insertClosings(closings)] : []),
    ...(kept.length > 0 ? [statement.insertBodies(kept)] : []),
    ...(spills.length > 0 ? [statement.claimSpills(spills.toSorted())] : []),
  ];
};

/** What is only known at the end: values masked in the answer, and answers that a rule held back. */
const growAtEnd = (closings: readonly statement.NumberedClosing[]): statement.Growth[] => {
  const growths = new Map<string, statement.Growth>();
  for (const { session_id, closing } of closings) {
    const denied = closing.error_code === "response_blocked" ? 1 : 0;
    const masked = closing.masked_values ?? 0;
    if (denied === 0 && masked === 0) continue;
    const growth = growths.get(session_id) ?? { session_id, calls: 0, denied: 0, masked: 0 };
    growth.denied += denied;
    growth.masked += masked;
    growths.set(session_id, growth);
  }
  return [...growths.values()];
};

const keep = (bodies: readonly RecordedBody[]): Promise<statement.KeptBody[]> => {
  const distinct = new Map<string, { sha256: Buffer; bytes: Buffer }>();
  for (const { sha256, bytes } of bodies)
    if (bytes !== null) distinct.set(sha256.toString("latin1"), { sha256, bytes });
  return Promise.all([...distinct.values()].map(async ({ sha256, bytes }) => ({ sha256, ...(await packBody(bytes)) })));
};

const refuse = async (
  client: pg.Client,
  { error, outcomes }: { error: unknown; outcomes: readonly Outcome[] },
): Promise<Failure> => {
  try {
    await client.query("ROLLBACK");
    return { kind: "refused", error, outcomes };
  } catch {
    return { kind: "lost", error };
  }
};

const firstReason = (answers: readonly PromiseSettledResult<unknown>[]): unknown =>
  answers.find((answer) => answer.status === "rejected")?.reason;

/** An answer of the server that leaves the connection usable; classes 57P (shutdown, crash) and 08 end it. */
const isRefusalOfServer = (error: unknown): boolean => {
  const code = sqlState(error);
  return code !== null && !code.startsWith("57P") && !code.startsWith("08");
};

export const sqlState = (error: unknown): string | null =>
  error instanceof Error && "severity" in error && "code" in error && typeof error.code === "string"
    ? error.code
    : null;

/** The data itself is refused (classes 22, 23, 54): trying again will not help, trying alone tells which row it is. */
export const isRefusalOfData = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error) ?? "");
