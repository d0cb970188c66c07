/** The end of a session: by its own token, which asked again answers the same, or because nothing happens in it. */

import { refuseApi, type ApiRefusal } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { whoIs } from "../model/caller.ts";
import type { Seal } from "../model/seal.ts";
import type { Session } from "../model/session.ts";
import { noSession, type Reader } from "./history.ts";

export type CloseParts = {
  readonly sessions: {
    get(id: string): Promise<Session | null>;
    /** Leaves a session that is not open as it is. */
    close(id: string, state: "closed" | "expired"): Promise<Session>;
  };
  /** Seals it now if that can be; never fails. */
  seal(id: string): Promise<Seal | null>;
  audit(event: AuditEvent): void;
};

export async function closeSession(parts: CloseParts, reader: Reader, id: string): Promise<Session | ApiRefusal> {
  if (reader.kind !== "session") return refuseApi("forbidden", "a session is closed by its own session token only");
  const { grant } = reader;
  if (grant.session_id !== id) return noSession(id);
  // The grant may be a moment old: asked twice in a row, this is one end and one event.
  const before = await parts.sessions.get(id);
  const session = await parts.sessions.close(id, "closed");
  if (before?.state === "open") {
    const reason = `${session.calls} calls, ${session.denied} denied`;
    parts.audit({ kind: "session_closed", who: whoIs(grant.caller), what: `session ${id}`, reason });
  }
  // What its last calls added is in the answer too.
  const seal = await parts.seal(id);
  return { ...((await parts.sessions.get(id)) ?? session), seal };
}

export type ExpiryParts = {
  readonly sessions: {
    /** Ends open sessions that were not used since, and gives their ids. */
    closeIdle(before: Date): Promise<readonly string[]>;
    get(id: string): Promise<Session | null>;
  };
  audit(event: AuditEvent): void;
};

/** Ends the sessions in which nothing has happened since `before`. */
export async function expireIdle(parts: ExpiryParts, before: Date): Promise<void> {
  for (const id of await parts.sessions.closeIdle(before)) {
    // It has ended whether or not it can be read now.
    const session = await parts.sessions.get(id).catch(() => null);
    const counts = session === null ? "" : `; ${session.calls} calls, ${session.denied} denied`;
    const who = session === null ? "a caller" : whoIs(session.caller);
    parts.audit({ kind: "session_expired", who, what: `session ${id}`, reason: `nothing happened in it${counts}` });
  }
}
