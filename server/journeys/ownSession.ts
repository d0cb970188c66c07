/** A session of a person's own on a connection, for what the gateway does for them: its calls pass the data plane like everybody's. */

import { type ApiRefusal, refuseApi } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { type Caller, flattenCaller, whoIs } from "../model/caller.ts";
import type { Connection } from "../model/connection.ts";
import { ownCaller, type Purpose } from "../model/ownCaller.ts";
import type { Seal } from "../model/seal.ts";
import type { Session } from "../model/session.ts";
import { bindingOf } from "../stages/authenticate/binding.ts";
import { mintSessionToken } from "../stages/authenticate/sessionToken.ts";
import { type HistoryParts, noSession, type Reader, readerName, seesSession } from "./history.ts";
import type { NewSession, OfferedConnection } from "./token.ts";

export type OwnConnection = OfferedConnection & Pick<Connection, "kind">;

/** `app.ts` joins it. */
export type OwnSessionParts = Pick<HistoryParts, "visible"> & {
  connections(): readonly OwnConnection[];
  readonly sessions: {
    get(id: string): Promise<Session | null>;
    open(session: NewSession): Promise<Session>;
    addToken(session_id: string, digest: Buffer, expires_at: Date): Promise<unknown>;
    close(id: string, state: "closed" | "expired"): Promise<Session>;
  };
  /** Seals it now if that can be; never fails. */
  seal(id: string): Promise<Seal | null>;
  audit(event: AuditEvent): void;
  /** Resolves when it is durable. */
  auditFirst(event: AuditEvent): Promise<void>;
  now(): Date;
  chance(size: number): Buffer;
  /** How long a session token lives, ms. */
  readonly lifetime: number;
};

export type OwnSession = {
  readonly session: Session;
  readonly connection: OwnConnection;
  /** A token that is good for a while yet; asked before every call. */
  token(): Promise<string>;
  close(): Promise<void>;
};

/** What is done, about which session, where. */
export type Errand = { readonly purpose: Purpose; readonly about: Session; readonly connection: string };

/**
 * Who may have the gateway act: people with role approver or admin, and access tokens with role admin. Tokens of auditors and approvers are
 * programs' and change nothing.
 */
export function mayAct(reader: Reader): ApiRefusal | null {
  switch (reader.kind) {
    case "session":
      return refuseApi("forbidden", "a session token acts on its connection only");
    case "access":
      return reader.role === "admin"
        ? null
        : refuseApi("forbidden", `${readerName(reader)} may start nothing; an access token with role admin may`);
    case "person":
      return reader.person.role === "approver" || reader.person.role === "admin"
        ? null
        : refuseApi("forbidden", `${readerName(reader)} is ${reader.person.role}; approver and admin may start this`);
    default:
      return reader satisfies never;
  }
}

/** Everybody but a session, which acts by its calls. */
export const isActing = (reader: Reader): reader is Exclude<Reader, { kind: "session" }> => reader.kind !== "session";

/** The session that it is about, for whoever may see it and may act on it. */
export async function aboutSession(parts: HistoryParts, reader: Reader, id: string): Promise<Session | ApiRefusal> {
  const refusal = mayAct(reader) ?? (await seesSession(parts, reader, id));
  return refusal ?? (await parts.sessions.get(id)) ?? noSession(id);
}

/** Written down before it is open. Whether the reader may act, and sees the session that it is about, is asked before. */
export async function openOwnSession(
  parts: OwnSessionParts,
  reader: Exclude<Reader, { kind: "session" }>,
  errand: Errand,
): Promise<OwnSession | ApiRefusal> {
  const caller = callerFor(reader, errand);
  const connection = allowed(parts, caller, errand.connection);
  if ("code" in connection) return connection;
  const from = `to ${errand.purpose} session ${errand.about.id}`;
  await parts.auditFirst({
    kind: "session_opened",
    who: readerName(reader),
    what: `a session of their own on connection ${connection.name}`,
    reason: from,
  });
  const first = newToken(parts);
  const session = await parts.sessions.open({
    caller,
    connection: connection.name,
    binding: bindingOf(caller),
    token_digest: first.digest,
    expires_at: first.expires_at,
  });
  return owned(parts, { session, connection, first, caller });
}

/** Those on which they would get one. */
export const connectionsFor = (
  parts: Pick<OwnSessionParts, "connections">,
  reader: Exclude<Reader, { kind: "session" }>,
  errand: Omit<Errand, "connection">,
): readonly OwnConnection[] =>
  parts.connections().filter(({ name }) => !("code" in allowed(parts, callerFor(reader, errand), name)));

/** Goes on in one that is open; whose it is is asked before. */
export async function resumeOwnSession(parts: OwnSessionParts, session: Session): Promise<OwnSession | ApiRefusal> {
  const { caller } = session;
  const connection = allowed(parts, caller, session.connection);
  if ("code" in connection) return connection;
  const first = newToken(parts);
  await parts.sessions.addToken(session.id, first.digest, first.expires_at);
  return owned(parts, { session, connection, first, caller });
}

/** As whom a session of their own acts. */
export const ownSubject = (reader: Exclude<Reader, { kind: "session" }>): string =>
  reader.kind === "person" ? reader.person.name : `accessToken:${reader.name}`;

const callerFor = (
  reader: Exclude<Reader, { kind: "session" }>,
  { purpose, about }: Omit<Errand, "connection">,
): Caller =>
  ownCaller({
    subject: ownSubject(reader),
    groups: reader.kind === "person" ? reader.person.groups : [],
    purpose,
    of: about,
  });

/** What narrows who may use a connection narrows this too. */
function allowed(
  parts: Pick<OwnSessionParts, "connections">,
  caller: Caller,
  name: string,
): OwnConnection | ApiRefusal {
  const connection = parts.connections().find((one) => one.name === name);
  if (connection === undefined) return refuseApi("not_found", `there is no connection ${JSON.stringify(name)}`);
  const answer = connection.allow?.(flattenCaller(caller)) ?? true;
  if (answer === true) return connection;
  return refuseApi("forbidden", `allow of connection ${name} does not hold for ${whoIs(caller)}`);
}

type Minted = { readonly token: string; readonly digest: Buffer; readonly expires_at: Date };

const newToken = ({ chance, now, lifetime }: OwnSessionParts): Minted => ({
  ...mintSessionToken(chance),
  expires_at: new Date(now().getTime() + lifetime),
});

type Opened = {
  readonly session: Session;
  readonly connection: OwnConnection;
  readonly first: Minted;
  readonly caller: Caller;
};

function owned(parts: OwnSessionParts, { session, connection, first, caller }: Opened): OwnSession {
  let current = first;
  return {
    session,
    connection,
    // A new one also says that the session is in use.
    token: async () => {
      if (current.expires_at.getTime() - parts.now().getTime() > parts.lifetime / 2) return current.token;
      const next = newToken(parts);
      await parts.sessions.addToken(session.id, next.digest, next.expires_at);
      current = next;
      return next.token;
    },
    close: async () => {
      const { calls, denied } = await parts.sessions.close(session.id, "closed");
      const reason = `${calls} calls, ${denied} denied`;
      parts.audit({ kind: "session_closed", who: whoIs(caller), what: `session ${session.id}`, reason });
      await parts.seal(session.id);
    },
  };
}
