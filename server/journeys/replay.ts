/** A session is sent again to a sandbox: who may start that, where it may go, and what became of each call. What happens in between is in `replay/run.ts`. */

import { type ApiRefusal, isApiRefusal, refuseApi } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Catalogue } from "../datadog/catalogue.ts";
import { fingerprint } from "../datadog/fingerprint.ts";
import type { Outcome, Replay, ReplayOptions } from "../model/replay.ts";
import type { Session } from "../model/session.ts";
import type { MaskSet } from "../stages/mask/masking.ts";
import type { ReplayedCallRow, Replays } from "../store/replays.ts";
import {
  type HistoryParts,
  lately,
  noSession,
  type Page,
  type PageRequest,
  readerName,
  type Reader,
  roleOf,
  seesSession,
  viewed,
} from "./history.ts";
import {
  aboutSession,
  connectionsFor,
  isActing,
  mayAct,
  openOwnSession,
  type OwnSession,
  type OwnSessionParts,
} from "./ownSession.ts";
import { cleanUp } from "./replay/cleanUp.ts";
import { Ids } from "./replay/ids.ts";
import type { Planning } from "./replay/plan.ts";
import type { Resources } from "./replay/resources.ts";
import { run, type RunParts } from "./replay/run.ts";
import { chooseSandbox, type SandboxParts } from "./replay/sandbox.ts";
import type { VolatileFields } from "./replay/volatile.ts";
import type { Room, Works } from "./replay/works.ts";

type Acting = Exclude<Reader, { kind: "session" }>;

/** `app.ts` joins it. */
export type ReplayParts = HistoryParts &
  OwnSessionParts &
  RunParts &
  SandboxParts & {
    readonly replays: Replays;
    readonly catalogue: Catalogue;
    readonly resources: Resources;
    /** In force now. */
    volatile(): VolatileFields;
    /** In force now. */
    masks(): MaskSet;
    /** What this gateway is at. */
    readonly works: Works;
    auditFirst(event: AuditEvent): Promise<void>;
  };

export type ReplayRequest = {
  readonly session_id: string;
  readonly connection: string;
  readonly options: ReplayOptions;
};

/** It runs on when this resolves. */
export async function startReplay(
  parts: ReplayParts,
  reader: Reader,
  request: ReplayRequest,
): Promise<Replay | ApiRefusal> {
  const { options } = request;
  const about = await aboutSession(parts, reader, request.session_id);
  if (isApiRefusal(about)) return about;
  if (!isActing(reader)) return refuseApi("forbidden", "a session token starts nothing");
  const refusal = mayRestore(reader, options);
  if (refusal !== null) return refusal;
  const room = parts.works.enter();
  if (isApiRefusal(room)) return room;
  try {
    return await begin(parts, reader, { request, about, room });
  } finally {
    room.leave();
  }
}

type Beginning = { readonly request: ReplayRequest; readonly about: Session; readonly room: Room };

async function begin(
  parts: ReplayParts,
  reader: Acting,
  { request: { connection, options }, about, room }: Beginning,
): Promise<Replay | ApiRefusal> {
  const sandbox = await chooseSandbox(parts, connection);
  if (isApiRefusal(sandbox)) return sandbox;
  const by = readerName(reader);
  const how = `to connection ${sandbox.name}${options.dry_run ? ", dry run" : ""}${options.masked === "restore" ? ", with the values that masks hide" : ""}`;
  await parts.auditFirst({ kind: "replay_started", who: by, what: `session ${about.id}`, reason: how });
  const own = options.dry_run
    ? null
    : await openOwnSession(parts, reader, { purpose: "replay", about, connection: sandbox.name });
  if (own !== null && isApiRefusal(own)) return own;
  const replay = await parts.replays.begin({
    session_id: about.id,
    own_session_id: own?.session.id ?? null,
    connection: sandbox.name,
    sandbox: fingerprint(sandbox),
    by,
    options,
    calls: about.calls,
  });
  room.fill(replay.id, (signal) =>
    run(parts, {
      replay,
      own,
      planning: planningFor(parts, replay, { site: sandbox.site, recordedOn: about.connection }),
      volatile: parts.volatile(),
      isSameSandbox: same(parts, replay),
      signal,
    }),
  );
  return replay;
}

const planningFor = (
  { catalogue, resources, masks }: ReplayParts,
  { options }: Replay,
  { site, recordedOn }: { readonly site: string; readonly recordedOn: string },
): Planning => ({
  catalogue,
  resources,
  ids: new Ids(),
  standIns: { masks: masks(), unmasking: options.masked, connection: recordedOn },
  site,
});

const same =
  ({ connection }: ReplayParts, { connection: name, sandbox }: Replay) =>
  (): boolean => {
    const now = connection(name);
    return now !== undefined && now.kind === "sandbox" && fingerprint(now) === sandbox;
  };

/** Masked values are shown to admins alone, and a sandbox shows what it is sent. */
const mayRestore = (reader: Reader, { masked }: ReplayOptions): ApiRefusal | null =>
  masked === "stand-in" || roleOf(reader) === "admin"
    ? null
    : refuseApi("forbidden", `${readerName(reader)} may not have masked values sent; role admin may`);

/** What a form may offer to whoever sees the session: where it may go, or why they may start none. All of it is asked again at the start. */
export function offerReplay(
  parts: ReplayParts,
  reader: Reader,
  about: Session,
): { readonly sandboxes: readonly string[]; readonly refusal: string | null } {
  const refusal = mayAct(reader);
  if (refusal !== null || !isActing(reader)) return { sandboxes: [], refusal: refusal?.message ?? "" };
  const offered = connectionsFor(parts, reader, { purpose: "replay", about });
  return { sandboxes: offered.filter(({ kind }) => kind === "sandbox").map(({ name }) => name), refusal: null };
}

/** Of a session that the reader sees, the newest first. */
export async function listReplays(
  parts: ReplayParts,
  reader: Reader,
  { session_id, ...page }: PageRequest & { readonly session_id: string },
): Promise<Page<Replay> | ApiRefusal> {
  const refusal = notOfSessions(reader) ?? (await seesSession(parts, reader, session_id));
  if (refusal !== null) return refusal;
  if ((await parts.sessions.get(session_id)) === null) return noSession(session_id);
  return parts.replays.ofSession(session_id, page);
}

/** For whoever sees both sessions. */
export const readReplay = (parts: ReplayParts, reader: Reader, id: string): Promise<Replay | ApiRefusal> =>
  seenReplay(parts, reader, id);

/** How it stands, for a page that asks again and again by itself: GitHub was asked within the last minute who sees it. */
export const watchReplay = (parts: ReplayParts, reader: Reader, id: string): Promise<Replay | ApiRefusal> =>
  seenReplay(lately(parts), reader, id);

async function seenReplay(
  parts: HistoryParts & Pick<ReplayParts, "replays">,
  reader: Reader,
  id: string,
): Promise<Replay | ApiRefusal> {
  const refusal = notOfSessions(reader);
  if (refusal !== null) return refusal;
  const replay = await parts.replays.get(id);
  if (replay === null) return noReplay(id);
  for (const session of [replay.session_id, replay.own_session_id])
    if (session !== null && (await seesSession(parts, reader, session)) !== null) return noReplay(id);
  return replay;
}

export async function listReplayedCalls(
  parts: ReplayParts,
  reader: Reader,
  { id, ...page }: PageRequest & { readonly id: string; readonly outcome?: Outcome | undefined },
): Promise<{ readonly replay: Replay; readonly calls: Page<ReplayedCallRow> } | ApiRefusal> {
  const replay = await readReplay(parts, reader, id);
  if (isApiRefusal(replay)) return replay;
  const calls = await parts.replays.calls(id, page);
  if (isApiRefusal(calls)) return calls;
  await viewed(parts, reader, `replay ${id} of session ${replay.session_id}, ${calls.items.length} calls`);
  return { replay, calls };
}

/** The call that is on its way is finished; this gateway stops before the next one, another one when it notes what it did, within two seconds. */
export async function stopReplay(parts: ReplayParts, reader: Reader, id: string): Promise<Replay | ApiRefusal> {
  const replay = await actOn(parts, reader, id);
  if (isApiRefusal(replay) || replay.state !== "running") return replay;
  const who = readerName(reader);
  await parts.auditFirst({
    kind: "replay_stopped",
    who,
    what: `replay ${id}`,
    reason: `of session ${replay.session_id}`,
  });
  await parts.replays.end(id, "stopped", `by ${who}`);
  parts.works.halt(id);
  return (await parts.replays.get(id)) ?? noReplay(id);
}

/** Deletes what the replay created, by its own recording; asked again it goes on with what is left. */
export async function cleanUpReplay(parts: ReplayParts, reader: Reader, id: string): Promise<Replay | ApiRefusal> {
  const replay = await actOn(parts, reader, id);
  if (isApiRefusal(replay)) return replay;
  if (!isActing(reader)) return refuseApi("forbidden", "a session token starts nothing");
  if (replay.state === "running") return refuseApi("conflict", `replay ${id} is still running`);
  if (replay.own_session_id === null) return refuseApi("conflict", `replay ${id} was a dry run and created nothing`);
  if (!same(parts, replay)()) return gone(replay);
  const room = parts.works.enter();
  if (isApiRefusal(room)) return room;
  try {
    return await beginCleanUp(parts, reader, { replay, room });
  } finally {
    room.leave();
  }
}

async function beginCleanUp(
  parts: ReplayParts,
  reader: Acting,
  { replay, room }: { readonly replay: Replay; readonly room: Room },
): Promise<Replay | ApiRefusal> {
  const { id } = replay;
  const sandbox = await chooseSandbox(parts, replay.connection);
  if (isApiRefusal(sandbox)) return sandbox;
  const about = await parts.sessions.get(replay.session_id);
  if (about === null) return noReplay(id);
  if (!(await parts.replays.beginCleanUp(id))) return (await parts.replays.get(id)) ?? noReplay(id);
  const own = await openForCleanUp(parts, reader, { replay, about });
  if (isApiRefusal(own)) return own;
  room.fill(replay.id, (signal) =>
    cleanUp(parts, {
      replay,
      own,
      planning: planningFor(parts, replay, { site: sandbox.site, recordedOn: replay.connection }),
      isSameSandbox: same(parts, replay),
      signal,
    }),
  );
  return (await parts.replays.get(id)) ?? noReplay(id);
}

async function openForCleanUp(
  parts: ReplayParts,
  reader: Acting,
  { replay, about }: { readonly replay: Replay; readonly about: Session },
): Promise<OwnSession | ApiRefusal> {
  const what = `replay ${replay.id}`;
  await parts.auditFirst({ kind: "replay_cleaned_up", who: readerName(reader), what, reason: `session ${about.id}` });
  return openOwnSession(parts, reader, { purpose: "replay", about, connection: replay.connection });
}

async function actOn(parts: ReplayParts, reader: Reader, id: string): Promise<Replay | ApiRefusal> {
  return mayAct(reader) ?? readReplay(parts, reader, id);
}

const notOfSessions = (reader: Reader): ApiRefusal | null =>
  reader.kind === "session" ? refuseApi("forbidden", "a session token reads its own session only") : null;

const noReplay = (id: string): ApiRefusal => refuseApi("not_found", `there is no replay ${id}`);

const gone = ({ connection }: Replay): ApiRefusal =>
  refuseApi(
    "conflict",
    `connection ${connection} is not the sandbox any more that it was: what was created is not there`,
  );
