/** Undoing a session: the plan that would restore what was there before its writes, and its steps done through the normal path. */

import { randomUUID } from "node:crypto";
import { type ApiRefusal, GatewayError, isApiRefusal, refuseApi } from "../errors.ts";
import type { Person } from "../model/person.ts";
import type { Session } from "../model/session.ts";
import type { Undos, UndoSession } from "../store/undos.ts";
import type { ApprovalStore } from "./approval/parts.ts";
import { holdLease, type Leased, LeaseLost } from "./approval/lease.ts";
import { type HistoryParts, noSession, type Reader, seesEverything, seesSession, viewed } from "./history.ts";
import {
  aboutSession,
  mayAct,
  openOwnSession,
  type OwnSession,
  type OwnSessionParts,
  ownSubject,
  resumeOwnSession,
} from "./ownSession.ts";
import type { OwnLine } from "./ownLine.ts";
import { applySteps } from "./undo/apply.ts";
import { isUnknown } from "./undo/document.ts";
import type { Hidden } from "./undo/hidden.ts";
import { type Plan, type PlanParts, planFor } from "./undo/plan.ts";
import { Requests } from "./undo/requests.ts";
import type { Result } from "./undo/settle.ts";
import { isDoing } from "./undo/steps.ts";

export type UndoParts = HistoryParts &
  OwnSessionParts &
  Omit<PlanParts, "hidden" | "undos" | "approvals"> & {
    readonly undos: Undos;
    readonly approvals: { readonly store: Pick<ApprovalStore, "lease" | "list" | "get"> };
    /** By the masks in force. */
    hidden(): Hidden;
    /** Whether somebody may change what is in the repository whose session it is. */
    mayWrite(person: Person, session: Session): Promise<boolean>;
    line(): OwnLine;
    monotonic(): number;
  };

/** `results`: of every step that does something. `session`: in which it was done; null where there was nothing left to do. */
export type Undone = {
  readonly plan: Plan;
  readonly results: ReadonlyMap<string, Result>;
  readonly session: Session | null;
};

/** A person waits for the answer; what is not done within, ms, is done by asking again. */
const mostTime = 10_000;
/** A gateway that died at it keeps others from it for at most so long, ms. */
const leaseTime = 10_000;

/** What would be done. For those who see the bodies of the session, for the plan shows what stands in them. */
export async function planUndo(parts: UndoParts, reader: Reader, id: string): Promise<Plan | ApiRefusal> {
  const refusal = reader.kind === "session" ? seesEverything(reader) : await seesSession(parts, reader, id);
  if (refusal !== null) return refusal;
  const session = await parts.sessions.get(id);
  if (session === null) return noSession(id);
  await viewed(parts, reader, `session ${id}, what would undo it`);
  return planOf(parts, session);
}

/** Whether they may have it done, for whoever is shown the plan: asked again when they do. */
export const mayUndo = async (parts: UndoParts, reader: Reader, session: Session): Promise<ApiRefusal | null> =>
  mayAct(reader) ?? whyNotTheirs(parts, reader, session);

/** Does as much of it as can be done now. Asked again it goes on: what was done is not done another time. */
export async function applyUndo(parts: UndoParts, reader: Reader, id: string): Promise<Undone | ApiRefusal> {
  if (reader.kind === "session") return refuseApi("forbidden", "a session token undoes nothing");
  const session = await aboutSession(parts, reader, id);
  if (isApiRefusal(session)) return session;
  const refusal = await whyNotTheirs(parts, reader, session);
  if (refusal !== null) return refusal;
  // What comes back shows what stands in the session.
  await viewed(parts, reader, `session ${id}, undoing it`);
  const lease = { store: parts.approvals.store, name: `undo:${id}`, holder: randomUUID(), ms: leaseTime };
  let undone: Undone | ApiRefusal = underWay(id);
  try {
    await holdLease(lease, async (leased) => {
      undone = await applyAlone(parts, { reader, session, leased, run: lease.holder });
      return 0;
    });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    return refuseApi("conflict", `undoing session ${id} took too long between two steps; ask again`);
  }
  return undone;
}

/** Everybody sees what belongs to a public repository: to see is not enough to change Datadog. */
async function whyNotTheirs({ mayWrite }: UndoParts, reader: Reader, session: Session): Promise<ApiRefusal | null> {
  if (reader.kind !== "person" || reader.person.role === "admin" || (await mayWrite(reader.person, session)))
    return null;
  const { name } = reader.person;
  return refuseApi("forbidden", `${name} may not write to the repository whose session this is, and so not undo it`);
}

const underWay = (id: string): ApiRefusal =>
  refuseApi("conflict", `session ${id} is being undone just now by somebody else, or by you elsewhere; ask again`);

async function planOf(parts: UndoParts, session: Session): Promise<Plan | ApiRefusal> {
  const connection = parts.connections().find(({ name }) => name === session.connection);
  if (connection === undefined)
    return refuseApi(
      "conflict",
      `connection ${session.connection} of session ${session.id} is not configured any more`,
    );
  const plan = await planFor({ ...parts, hidden: parts.hidden() }, session, connection.site);
  return isUnknown(plan) ? refuseApi("conflict", `session ${session.id} cannot be undone: ${plan.why}`) : plan;
}

type Turn = {
  readonly reader: Exclude<Reader, { kind: "session" }>;
  readonly session: Session;
  readonly leased: Leased;
  readonly run: string;
};

async function applyAlone(parts: UndoParts, turn: Turn): Promise<Undone | ApiRefusal> {
  // Before it is looked at what was done: nothing more is sent in a session that is closed.
  const earlier = await settleEarlier(parts, turn);
  if (earlier !== null && isApiRefusal(earlier)) return earlier;
  const plan = await planOf(parts, turn.session);
  if (isApiRefusal(plan)) return plan;
  const isLeft = plan.steps.some(({ doing, progress }) => isDoing(doing) && progress?.state !== "done");
  if (!isLeft) return { plan, results: await applySteps(idle(parts, turn), plan), session: null };
  const own = earlier === null ? await begin(parts, turn) : await resume(parts, earlier, turn);
  if (isApiRefusal(own)) return own;
  const end = parts.monotonic() + mostTime;
  const sender = { line: parts.line(), token: own.token, hasTime: () => parts.monotonic() < end };
  const results = await applySteps({ ...idle(parts, turn), ...sender }, plan);
  await parts.undos.setRun(own.session.id, null);
  // As long as people are asked, or something is left to be done, it goes on in the same session.
  if (![...results.values()].some(({ state }) => state === "waiting" || state === "todo")) await own.close();
  return { plan, results, session: own.session };
}

/** Nothing is left to be sent. */
const idle = (parts: UndoParts, { leased }: Turn): Parameters<typeof applySteps>[0] => ({
  line: () => Promise.reject(new Error("nothing is left to be done")),
  token: () => Promise.reject(new Error("nothing is left to be done")),
  requests: new Requests(parts.catalogue),
  leased,
  hidden: parts.hidden(),
  now: parts.now,
  hasTime: () => false,
});

/**
 * The session in which this one is undone goes on when it is the same person's. One that died, or of somebody who waits for nothing any more, is
 * closed. Null where none is left.
 */
async function settleEarlier(parts: UndoParts, { reader, session }: Turn): Promise<UndoSession | null | ApiRefusal> {
  const subject = ownSubject(reader);
  let own: UndoSession | null = null;
  for (const undo of await parts.undos.of(session.id)) {
    if (undo.state !== "open") continue;
    if (undo.run === null && undo.subject === subject) own = undo;
    else if (undo.run === null && (await isAsking(parts, undo)))
      return refuseApi(
        "conflict",
        `${undo.subject} undoes session ${session.id}, and people are asked about it (session ${undo.id})`,
      );
    else {
      await parts.sessions.close(undo.id, "closed");
      await parts.seal(undo.id);
    }
  }
  return own;
}

async function begin(parts: UndoParts, { reader, session, run }: Turn): Promise<OwnSession | ApiRefusal> {
  const own = await openOwnSession(parts, reader, { purpose: "undo", about: session, connection: session.connection });
  if (!isApiRefusal(own)) await parts.undos.add({ id: own.session.id, session_id: session.id, run });
  return own;
}

async function resume(parts: UndoParts, { id }: UndoSession, turn: Turn): Promise<OwnSession | ApiRefusal> {
  const { run } = turn;
  const session = await parts.sessions.get(id);
  if (session === null) return noSession(id);
  try {
    const own = await resumeOwnSession(parts, session);
    if (!isApiRefusal(own)) await parts.undos.setRun(id, run);
    return own;
  } catch (error) {
    // It was idle for too long just now.
    if (error instanceof GatewayError && error.code === "session_closed") return begin(parts, turn);
    throw error;
  }
}

/** Whether somebody may still answer a question of it, or has, and it is not used. */
async function isAsking({ approvals }: UndoParts, { id }: UndoSession): Promise<boolean> {
  for (const state of ["pending", "approved"] as const) {
    const found = await approvals.store.list({ limit: 1, session_id: id, state });
    if (isApiRefusal(found) || found.items.length > 0) return true;
  }
  return false;
}
