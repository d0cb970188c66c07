/** One batch of receipts, one transaction: numbers are allotted, every row is decided on, then all is sent and committed. */

import type pg from "pg";
import { GatewayError } from "../errors.ts";
import type { CallNumber, Closing, Opening, RecordedBody } from "../model/receipt.ts";
import { packBody } from "./bodies.ts";
import { epochOf, openEpochs, readSalts, type SaltRow, Salts, saltDigest } from "./epochs.ts";
import { Growths, growsAtEnd } from "./growth.ts";
import type { Job, Result, Work } from "./job.ts";
import { type Phrase, type Phrased, phraseClosing, phraseOpening } from "./phrases.ts";
import * as statement from "./statements.ts";
import type { Written } from "./written.ts";

/** A living connection of a sink and the replica it stands for. */
export type Link = { readonly client: pg.Client; readonly replica: number; readonly written: Written };

/** What a batch is written through. */
export type Writing = { readonly link: Link; readonly salts: Salts };

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
      readonly deferred: readonly Job[];
    };

export type Ending =
  | {
      readonly kind: "committed";
      readonly outcomes: readonly Outcome[];
      /** Not part of it: somebody else holds their session at the moment. */
      readonly deferred: readonly Job[];
    }
  | Failure;

/** Never rejects. `outcomes` of a refused batch are those of jobs that can never succeed; the others may be tried again. */
export const commitBatch = async ({ link, salts }: Writing, jobs: readonly Job[], batch: string): Promise<Ending> => {
  const opened = await openEpochsOf(jobs, link.client, salts);
  if (opened.kind !== "opened") return opened;
  const begun = await begin(link.client, jobs);
  if (begun.kind !== "begun") return begun;
  const plan = drawUp(jobs, begun, opened.salts);
  // A number that was allotted to a job that cannot use it would be a gap: begin again without that job.
  if (plan.broken.length > 0) return refuse(link.client, { error: null, outcomes: plan.broken });
  const { statements, names } = await toStatements(plan, link, isThere(link, opened, begun));
  const answers = await Promise.allSettled(
    [...statements, statement.signBatch(batch, link.replica), commit].map((query) => link.client.query(query)),
  );
  const last = answers.at(-1);
  if (last?.status !== "fulfilled")
    return { kind: "ambiguous", error: last?.reason, batch, outcomes: plan.outcomes, deferred: plan.deferred };
  // COMMIT of a transaction in which something failed answers ROLLBACK.
  if (last.value.command === "COMMIT") {
    link.written.add(names);
    return { kind: "committed", outcomes: plan.outcomes, deferred: plan.deferred };
  }
  const error = firstReason(answers);
  if (isMissingPartition(error)) {
    salts.forget(jobs.map(sessionOf));
    link.written.forget();
  }
  return { kind: "refused", error, outcomes: [] };
};

/** `doubtful`: epochs that may have been dropped since something was written into them. */
type Opened = { readonly kind: "opened"; readonly salts: Salts; readonly doubtful: ReadonlySet<number> };

/** Nearly always there is nothing to ask: epochs are opened ahead. What the batch needs is its own from here on, whatever others forget. */
const openEpochsOf = async (jobs: readonly Job[], client: pg.Client, salts: Salts): Promise<Opened | Failure> => {
  const sessions = jobs.map(sessionOf);
  try {
    const doubtful = salts.doubtful(sessions);
    if (doubtful.length > 0) salts.confirm(doubtful, (await client.query<SaltRow>(readSalts(doubtful))).rows);
    const missing = salts.missing(sessions);
    const found = missing.length === 0 ? [] : (await client.query<SaltRow>(openEpochs(missing))).rows;
    salts.add(found);
    return { kind: "opened", salts: salts.only(sessions), doubtful: new Set(doubtful) };
  } catch (error) {
    return isRefusalOfServer(error) ? { kind: "refused", error, outcomes: [] } : { kind: "lost", error };
  }
};

/** Whether a phrase or a body of this session need not be sent. */
type IsThere = (session_id: string, name: string) => boolean;

/** Written over this connection, and nobody has dropped it: its epoch is none that may go, and has the salt that it had. */
const isThere =
  ({ written }: Link, { salts, doubtful }: Opened, begun: Begun): IsThere =>
  (session_id, name) => {
    const salt = salts.of(session_id);
    return (
      written.has(name) &&
      !doubtful.has(epochOf(session_id)) &&
      salt !== undefined &&
      begun.salts.of(session_id)?.equals(salt) === true
    );
  };

export const sessionOf = ({ work }: Job): string =>
  work.kind === "close" ? work.call.session_id : work.opening.session_id;

const commit: statement.Statement = { text: "COMMIT", values: [] };

type Begun = {
  readonly kind: "begun";
  /** Calls each session has had before this batch; of sessions that take no more, why. */
  readonly before: ReadonlyMap<string, number | "ended" | "busy">;
  /** Names of calls that may be closed. */
  readonly landed: ReadonlySet<string>;
  /** Of the batch's epochs, as the database has them. */
  readonly salts: Salts;
};

const begin = async (client: pg.Client, jobs: readonly Job[]): Promise<Begun | Failure> => {
  const growths = new Growths();
  for (const { work } of jobs)
    if (work.kind === "close") growths.addClosing(work.call.session_id, work.closing);
    else growths.addOpening(work.opening);
  const calls = jobs.flatMap(({ work }) => (work.kind === "close" ? [work.call] : []));
  const epochs = [...new Set(jobs.map((job) => epochOf(sessionOf(job))))];
  const queries = [
    client.query("BEGIN"),
    growths.all.length > 0 ? client.query<statement.Allotted>(statement.allot(growths.all)) : nothing,
    calls.length > 0 ? client.query<{ session_id: string; n: number }>(statement.land(calls)) : nothing,
    epochs.length > 0 ? client.query<SaltRow>(readSalts(epochs)) : nothing,
  ] as const;
  const answers = await Promise.allSettled(queries);
  const [began, allotted, landed, salted] = answers;
  if (
    began.status === "rejected" ||
    allotted.status === "rejected" ||
    landed.status === "rejected" ||
    salted.status === "rejected"
  ) {
    const error = firstReason(answers);
    return isRefusalOfServer(error) ? refuse(client, { error, outcomes: [] }) : { kind: "lost", error };
  }
  return {
    kind: "begun",
    before: new Map(allotted.value.rows.map((row) => [row.id, callsBefore(row, growths)])),
    landed: new Set(landed.value.rows.map(nameOf)),
    salts: saltsOf(salted.value.rows),
  };
};

const nothing = Promise.resolve({ rows: [] });

const saltsOf = (rows: readonly SaltRow[]): Salts => {
  const salts = new Salts();
  salts.add(rows);
  return salts;
};

const callsBefore = ({ id, state, calls }: statement.Allotted, growths: Growths): number | "ended" | "busy" => {
  if (state === null || calls === null) return "busy";
  return state === "open" ? calls - growths.callsOf(id) : "ended";
};

/** What is going to be written, and what everybody will be told once it is. */
type Plan = {
  readonly openings: statement.NumberedOpening[];
  readonly closings: statement.NumberedClosing[];
  readonly outcomes: Outcome[];
  readonly broken: Outcome[];
  readonly deferred: Job[];
  /** Calls that were taken out of flight although their closing is deferred. */
  readonly still_flying: CallNumber[];
  /** What closings add that were drawn up here. */
  readonly growths: Growths;
  readonly salts: Salts;
};

const drawUp = (jobs: readonly Job[], { before, landed }: Begun, salts: Salts): Plan => {
  const plan: Plan = {
    openings: [],
    closings: [],
    outcomes: [],
    broken: [],
    deferred: [],
    still_flying: [],
    growths: new Growths(),
    salts,
  };
  const numbers = new Map(before);
  const closable = new Set(landed);
  for (const job of jobs) {
    const { work } = job;
    // Where nobody knew of a session when the epochs were opened, the next batch opens them.
    const salted = salts.of(sessionOf(job)) !== undefined;
    if (work.kind === "close") {
      const held = numbers.get(work.call.session_id) === "busy" && growsAtEnd(work.closing);
      planClosing(plan, { job, work, closable, later: held || !salted });
      continue;
    }
    const { session_id } = work.opening;
    const used = salted || numbers.get(session_id) === undefined ? numbers.get(session_id) : "busy";
    if (used === "busy") plan.deferred.push(job);
    else if (typeof used === "number") {
      numbers.set(session_id, used + 1);
      planOpening(plan, { job, work, call: { session_id, n: used + 1 } });
    } else plan.outcomes.push({ job, result: new GatewayError("session_closed", `session ${session_id} is not open`) });
  }
  return plan;
};

type Planned<Kind> = { readonly job: Job; readonly work: Extract<Work, { kind: Kind }> };

const planClosing = (
  plan: Plan,
  { job, work, closable, later }: Planned<"close"> & { closable: Set<string>; later: boolean },
): void => {
  // Deleted here too, so that of two closings of one call in one batch the second is refused.
  const open = closable.delete(nameOf(work.call));
  if (open && later) {
    plan.deferred.push(job);
    plan.still_flying.push(work.call);
    return;
  }
  if (open) plan.closings.push(numberedClosing(plan.salts, work.call, work.closing));
  plan.outcomes.push({ job, result: open ? work.call : notOpen(work.call) });
};

const planOpening = (plan: Plan, { job, work, call }: Planned<"open" | "record"> & { call: CallNumber }): void => {
  const { opening } = work;
  const request_digest = digestFor(plan.salts, call, opening.request.body);
  const phrased = phraseOpening(call.session_id, opening);
  plan.openings.push({ ...call, ...phrased, opening, in_flight: work.kind === "open", request_digest });
  plan.outcomes.push({ job, result: call });
  if (work.kind === "open") return;
  try {
    const closing = work.closing(call);
    plan.closings.push(numberedClosing(plan.salts, call, closing));
    plan.growths.addClosing(call.session_id, closing);
  } catch (cause) {
    plan.broken.push({ job, result: unwritable(cause) });
  }
};

const numberedClosing = (salts: Salts, call: CallNumber, closing: Closing): statement.NumberedClosing => ({
  ...call,
  ...phraseClosing(call.session_id, closing),
  closing,
  request_digest: digestFor(salts, call, closing.request_body),
  response_digest: digestFor(salts, call, closing.response?.body ?? null),
});

const digestFor = (salts: Salts, { session_id }: CallNumber, body: RecordedBody | null): Buffer | null => {
  if (body === null) return null;
  const salt = salts.of(session_id);
  if (salt === undefined) throw new Error(`the epoch of session ${session_id} is not open`);
  return saltDigest(salt, body.sha256);
};

const nameOf = ({ session_id, n }: CallNumber): string => `${session_id}/${n}`;

const notOpen = (call: CallNumber): GatewayError =>
  new GatewayError("recording_unavailable", `call ${nameOf(call)} is not open: it has its closing already`);

export const unwritable = (cause: unknown): GatewayError =>
  new GatewayError("recording_unavailable", "the receipt cannot be written", { cause });

/** `names`: of phrases and bodies that are there once the batch is committed. */
type Drawn = { readonly statements: readonly statement.Statement[]; readonly names: readonly string[] };

/** In this order: sessions, calls, closings, phrases, bodies. Every transaction takes its locks in it. */
const toStatements = async (plan: Plan, { replica }: Link, isThere: IsThere): Promise<Drawn> => {
  const { openings, closings } = plan;
  const bodies = [
    ...openings.map(({ session_id, opening, request_digest }) => ({
      session_id,
      body: opening.request.body,
      digest: request_digest,
    })),
    ...closings.flatMap(({ session_id, closing, request_digest, response_digest }) => [
      { session_id, body: closing.request_body, digest: request_digest },
      { session_id, body: closing.response?.body ?? null, digest: response_digest },
    ]),
  ];
  const bodiesByName = distinctBodies(bodies, isThere);
  const kept = await Promise.all([...bodiesByName.values()].map(packed));
  const phrasesByName = distinctPhrases([openings, closings], isThere);
  const phrases = [...phrasesByName.values()];
  const spills = bodies.flatMap(({ body }) =>
    body === null || body.spill === null ? [] : [{ spill: body.spill, sha256: body.sha256 }],
  );
  const flying = [...openings.filter(({ in_flight }) => in_flight), ...plan.still_flying];
  const growths = plan.growths.all;
  const masked = [
    ...openings.flatMap(({ session_id, n, opening }) => maskedIn(opening, { session_id, n })),
    ...closings.flatMap(({ session_id, n, closing }) => maskedIn(closing, { session_id, n })),
  ];
  const statements = [
    ...(growths.length > 0 ? [statement.countMore(growths)] : []),
    ...(openings.length > 0 ? [statement.insertCalls(openings, replica)] : []),
    ...(flying.length > 0 ? [statement.takeOff(flying, replica)] : []),
    ...(closings.length > 0 ? [statement.insertClosings(closings)] : []),
    ...(phrases.length > 0 ? [statement.insertPhrases(phrases)] : []),
    ...(kept.length > 0 ? [statement.insertBodies(kept)] : []),
    ...(spills.length > 0 ? [statement.claimSpills(spills)] : []),
    ...(masked.length > 0 ? [statement.insertMaskedValues(masked)] : []),
  ];
  return { statements, names: [...phrasesByName.keys(), ...bodiesByName.keys()] };
};

const maskedIn = ({ masked_hashes = [] }: Pick<Opening, "masked_hashes">, call: CallNumber): statement.MaskedValue[] =>
  masked_hashes.map((hash) => ({ ...call, hash }));

/** Those that are not known to be there, each once, by week and digest. */
const distinctPhrases = (
  receipts: readonly (readonly (CallNumber & Phrased)[])[],
  isThere: IsThere,
): Map<string, Phrase> => {
  const distinct = new Map<string, Phrase>();
  for (const { session_id, phrase } of receipts.flat()) {
    const name = `${phrase.week}.${phrase.digest.toString("latin1")}`;
    if (!distinct.has(name) && !isThere(session_id, name)) distinct.set(name, phrase);
  }
  return distinct;
};

type Digested = {
  readonly session_id: string;
  readonly body: RecordedBody | null;
  readonly digest: Buffer | null;
};

/** The same of bodies, by epoch and salted digest. */
const distinctBodies = (bodies: readonly Digested[], isThere: IsThere): Map<string, Unpacked> => {
  const distinct = new Map<string, Unpacked>();
  for (const { session_id, body, digest } of bodies) {
    if (body === null || body.bytes === null || digest === null) continue;
    const epoch = epochOf(session_id);
    const name = `${epoch}.${digest.toString("latin1")}`;
    if (!distinct.has(name) && !isThere(session_id, name))
      distinct.set(name, { epoch, digest, sha256: body.sha256, bytes: body.bytes });
  }
  return distinct;
};

type Unpacked = Omit<statement.KeptBody, "coding">;

const packed = async (body: Unpacked): Promise<statement.KeptBody> => ({ ...body, ...(await packBody(body.bytes)) });

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
export const isRefusalOfData = (error: unknown): boolean =>
  /^(22|23|54)/.test(sqlState(error) ?? "") && !isMissingPartition(error);

/** `no partition of relation … found for row`: the one check violation that names no constraint. It is made when the batch is begun again. */
const isMissingPartition = (error: unknown): boolean =>
  sqlState(error) === "23514" && !(error instanceof Error && "constraint" in error && error.constraint !== undefined);
