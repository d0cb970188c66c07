/** A whole session at a glance: the session as it stands, and its calls in a few words each. */

import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import type { Outline, OutlineRequest } from "../model/outline.ts";
import type { Session } from "../model/session.ts";
import { type HistoryParts, type Reader, readSession } from "./history.ts";

export type OutlineParts = HistoryParts & {
  readonly outlines: { read(request: OutlineRequest): Promise<Outline> };
};

/** Whoever may read the session may read its outline. The session is read first: what its counts say is there is not missing. */
export async function readOutline(
  parts: OutlineParts,
  reader: Reader,
  request: OutlineRequest,
): Promise<(Outline & { readonly session: Session }) | ApiRefusal> {
  const session = await readSession(parts, reader, request.session_id);
  return isApiRefusal(session) ? session : { session, ...(await parts.outlines.read(request)) };
}
