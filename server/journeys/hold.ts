/** Holding a session: it and its bodies stay, whatever their age, until somebody releases it. Both are written down before they happen. */

import { type ApiRefusal, refuseApi } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Session } from "../model/session.ts";
import type { HeldSession, Sessions } from "../store/sessions.ts";
import { noSession, type Reader, readerName, roleOf } from "./history.ts";

export type HoldParts = {
  readonly sessions: Pick<Sessions, "get" | "hold" | "release">;
  /** Resolves when it is durable. */
  auditFirst(event: AuditEvent): Promise<void>;
};

type Asked = { readonly id: string; readonly reason: string };

export async function holdSession(
  parts: HoldParts,
  reader: Reader,
  { id, reason }: Asked,
): Promise<HeldSession | ApiRefusal> {
  const refusal = await mayHold(parts, reader, id);
  if (refusal !== null) return refusal;
  const by = readerName(reader);
  await parts.auditFirst({ kind: "session_held", who: by, what: `session ${id}`, reason });
  return (await parts.sessions.hold(id, { by, reason })) ?? noSession(id);
}

export async function releaseSession(
  parts: HoldParts,
  reader: Reader,
  { id, reason }: Asked,
): Promise<Session | ApiRefusal> {
  const refusal = await mayHold(parts, reader, id);
  if (refusal !== null) return refusal;
  await parts.auditFirst({ kind: "session_released", who: readerName(reader), what: `session ${id}`, reason });
  return (await parts.sessions.release(id)) ?? noSession(id);
}

async function mayHold({ sessions }: HoldParts, reader: Reader, id: string): Promise<ApiRefusal | null> {
  if (roleOf(reader) !== "admin")
    return refuseApi("forbidden", `${readerName(reader)} may not hold or release sessions; role admin may`);
  return (await sessions.get(id)) === null ? noSession(id) : null;
}
