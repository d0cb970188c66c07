/** Reading what was recorded: who may see what, and that somebody looked. */

import { isApiRefusal, refuseApi, type ApiRefusal } from "../errors.ts";
import type { AuditEvent, StoredAuditEvent } from "../model/audit.ts";
import type { Role } from "../model/config.ts";
import type { Person } from "../model/person.ts";
import type { StoredBodyMeta, StoredCall } from "../model/receipt.ts";
import type { Scope } from "../model/searched.ts";
import type { Session, SessionGrant, SessionState } from "../model/session.ts";
import type { VisibleSessions } from "./visible.ts";

/** Who reads: a session about itself, the holder of an access token (or somebody signed in with one), or a person who signed in as themselves. */
export type Reader =
  | { readonly kind: "session"; readonly grant: SessionGrant & { readonly state: SessionState } }
  | { readonly kind: "access"; readonly name: string; readonly role: Role }
  | { readonly kind: "person"; readonly person: Person };

export type PageRequest = { readonly limit: number; readonly cursor?: string | undefined };
export type Page<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };

/** A cursor that is none is a refusal, as the store gives it. */
type Paged<T> = Promise<Page<T> | ApiRefusal>;

export type Side = "request" | "response";
export type StoredBody = { readonly meta: StoredBodyMeta; readonly stream: AsyncIterable<Buffer> };

/** The part of the store that is read. */
export type HistoryParts = {
  readonly sessions: {
    get(id: string): Promise<Session | null>;
    list(page: PageRequest): Paged<Session>;
  };
  readonly receipts: {
    calls(session_id: string, page: PageRequest): Paged<StoredCall>;
    call(session_id: string, n: number): Promise<StoredCall | null>;
    /** Without a stream, the body has expired. */
    body(
      session_id: string,
      n: number,
      side: Side,
    ): Promise<StoredBody | { meta: StoredBodyMeta; stream: null } | null>;
  };
  readonly auditLog: { list(page: PageRequest): Paged<StoredAuditEvent> };
  /** What people see who do not see everything. */
  readonly visible: VisibleSessions;
  /** Resolves when it is durable: nobody is shown anything before it is written down that they looked. */
  auditFirst(event: AuditEvent): Promise<void>;
};

/** A call with the stored bytes of those of its bodies that are small enough and that the reader may see. */
export type ReadCall = { readonly call: StoredCall; readonly bodies: Readonly<Record<Side, Buffer | null>> };

export type CallName = { readonly session_id: string; readonly n: number };

/** Bodies up to here come with every item of a list, bytes. */
const inList = 32 * 1024;
/** Bodies up to here come with one call; larger ones stream from `…/body`. */
export const inCall = 8 * 1024 * 1024;
/** How many bodies of a list are fetched at a time. */
const abreast = 8;

export async function listSessions(parts: HistoryParts, reader: Reader, page: PageRequest): Paged<Session> {
  const found =
    reader.kind === "person" && !isSeer(reader.person.role)
      ? await parts.visible.list(reader.person, page)
      : (seesEverything(reader) ?? (await parts.sessions.list(page)));
  if (!isApiRefusal(found)) await viewed(parts, reader, `sessions, ${found.items.length} of them`);
  return found;
}

export async function listAudit(parts: HistoryParts, reader: Reader, page: PageRequest): Paged<StoredAuditEvent> {
  return seesEverything(reader) ?? parts.auditLog.list(page);
}

export async function readSession(parts: HistoryParts, reader: Reader, id: string): Promise<Session | ApiRefusal> {
  const refusal = await seesSession(parts, reader, id);
  if (refusal !== null) return refusal;
  const session = await parts.sessions.get(id);
  if (session === null) return noSession(id);
  await viewed(parts, reader, `session ${id}`);
  return session;
}

export async function listCalls(
  parts: HistoryParts,
  reader: Reader,
  { session_id, ...page }: PageRequest & { readonly session_id: string },
): Paged<ReadCall> {
  const refusal = await seesSession(parts, reader, session_id);
  if (refusal !== null) return refusal;
  if ((await parts.sessions.get(session_id)) === null) return noSession(session_id);
  const calls = await parts.receipts.calls(session_id, page);
  if (isApiRefusal(calls)) return calls;
  await viewed(parts, reader, `session ${session_id}, ${calls.items.length} calls`);
  const items: ReadCall[] = [];
  for (let i = 0; i < calls.items.length; i += abreast)
    items.push(
      ...(await Promise.all(
        calls.items.slice(i, i + abreast).map((call) => withBodies(parts, reader, [call, inList])),
      )),
    );
  return { items, next_cursor: calls.next_cursor };
}

export async function readCall(parts: HistoryParts, reader: Reader, name: CallName): Promise<ReadCall | ApiRefusal> {
  const refusal = await seesSession(parts, reader, name.session_id);
  if (refusal !== null) return refusal;
  const call = await parts.receipts.call(name.session_id, name.n);
  if (call === null) return noCall(name);
  await viewed(parts, reader, `call ${name.session_id}/${name.n}`);
  return withBodies(parts, reader, [call, inCall]);
}

export async function readBody(
  parts: HistoryParts,
  reader: Reader,
  name: CallName & { readonly side: Side },
): Promise<StoredBody | ApiRefusal> {
  const refusal = await seesSession(parts, reader, name.session_id);
  if (refusal !== null) return refusal;
  if (reader.kind === "session")
    return refuseApi("forbidden", "a session token reads no bodies, only their size and digest");
  const body = await parts.receipts.body(name.session_id, name.n, name.side);
  if (body === null) return refuseApi("not_found", `call ${name.session_id}/${name.n} has no ${name.side} body`);
  if (body.stream === null)
    return refuseApi(
      "expired",
      `the ${name.side} body of call ${name.session_id}/${name.n} has expired: retention.bodies says how long bodies are kept; its receipt is still there`,
    );
  await viewed(parts, reader, `call ${name.session_id}/${name.n}, ${name.side} body`);
  return body;
}

/** Roles that see only what their repositories show see nothing through an access token, which has no repositories. */
export function seesEverything(reader: Reader): ApiRefusal | null {
  if (reader.kind === "session")
    return refuseApi(
      "forbidden",
      `a session token reads its own session only, /v1/sessions/${reader.grant.session_id}`,
    );
  const { name, role } = reader.kind === "person" ? reader.person : reader;
  if (isSeer(role)) return null;
  return refuseApi("forbidden", `${name} is ${role}; what concerns every repository is read by auditor and admin`);
}

type Visible = Pick<HistoryParts, "visible">;

/** Whose calls a reader may find. A session knows its own already. */
export async function scopeOf({ visible }: Visible, reader: Reader): Promise<Scope | ApiRefusal> {
  if (reader.kind === "person" && !isSeer(reader.person.role))
    return { kind: "repositories", repositories: await visible.scope(reader.person) };
  return seesEverything(reader) ?? { kind: "everything" };
}

/** Of what was found in a reader's scope: who lost access a moment ago is shown nothing of it. */
export async function stillSeen<T extends Pick<Session, "caller">>(
  { visible }: Visible,
  reader: Reader,
  found: readonly T[],
): Promise<readonly T[]> {
  return reader.kind === "person" && !isSeer(reader.person.role) ? visible.seenOf(reader.person, found) : found;
}

/** Null for a session, which has none. */
export const roleOf = (reader: Reader): Role | null => {
  if (reader.kind === "session") return null;
  return reader.kind === "person" ? reader.person.role : reader.role;
};

/** Whether a role sees everything there is. */
export const isSeer = (role: Role): boolean => {
  switch (role) {
    case "auditor":
    case "admin":
      return true;
    case "viewer":
    case "approver":
      return false;
    default:
      return role satisfies never;
  }
};

/** That there is a session is not told to whoever may not see it. */
export async function seesSession(parts: HistoryParts, reader: Reader, id: string): Promise<ApiRefusal | null> {
  switch (reader.kind) {
    case "session":
      return reader.grant.session_id === id ? null : noSession(id);
    case "access":
      return seesEverything(reader);
    case "person": {
      if (isSeer(reader.person.role)) return null;
      const session = await parts.sessions.get(id);
      return session !== null && (await parts.visible.sees(reader.person, session)) ? null : noSession(id);
    }
    default:
      return reader satisfies never;
  }
}

/** Parts by which GitHub was asked within the last minute who sees a session: for what asks again and again by itself. */
export const lately = <T extends Pick<HistoryParts, "visible">>(parts: T): T => ({
  ...parts,
  visible: { ...parts.visible, sees: parts.visible.seesLately },
});

/** Whether whoever goes on reading a session may still see it: `readerNow` says who they are, by what they showed when they came. */
export const stillSees =
  (parts: HistoryParts, readerNow: () => Promise<Reader | ApiRefusal>, id: string) => async (): Promise<boolean> => {
    const now = await readerNow();
    return !isApiRefusal(now) && (await seesSession(lately(parts), now, id)) === null;
  };

export const noSession = (id: string): ApiRefusal => refuseApi("not_found", `there is no session ${id}`);

const noCall = ({ session_id, n }: CallName): ApiRefusal =>
  refuseApi("not_found", `there is no call ${n} in session ${session_id}`);

/** As audit events name a reader. */
export const readerName = (reader: Reader): string => {
  switch (reader.kind) {
    case "session":
      return `session ${reader.grant.session_id}`;
    case "access":
      return `${reader.name} (${reader.role})`;
    case "person":
      return reader.person.name;
    default:
      return reader satisfies never;
  }
};

/** What a session reads of itself is no news. */
export async function viewed(parts: Pick<HistoryParts, "auditFirst">, reader: Reader, what: string): Promise<void> {
  if (reader.kind === "session") return;
  await parts.auditFirst({
    kind: "recording_viewed",
    who: readerName(reader),
    what,
    reason: "gateway API or page",
  });
}

export async function withBodies(
  parts: HistoryParts,
  reader: Reader,
  [call, most]: readonly [StoredCall, number],
): Promise<ReadCall> {
  const small = async (side: Side): Promise<Buffer | null> => {
    const body = call[side]?.body ?? null;
    if (reader.kind === "session" || body === null || body.size > most) return null;
    const stored = await parts.receipts.body(call.session_id, call.n, side);
    return stored === null || stored.stream === null ? null : readAll(stored.stream);
  };
  return { call, bodies: { request: await small("request"), response: await small("response") } };
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
