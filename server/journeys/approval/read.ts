/** Reading approvals: a session its own, holders of access tokens all; and waiting for one to be decided. */

import { type ApiRefusal, isApiRefusal, refuseApi } from "../../errors.ts";
import type { Approval, ApprovalState } from "../../model/approval.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { Page, PageRequest, Reader } from "../history.ts";
import type { ApprovalStore } from "./parts.ts";

export type ReadParts = {
  readonly store: Pick<ApprovalStore, "get" | "list">;
  /** As it is when it is decided, or after `ms`. */
  watch(id: string, ms: number, signal: AbortSignal): Promise<Approval | null>;
  audit(event: AuditEvent): void;
};

export async function listApprovals(
  { store, audit }: ReadParts,
  reader: Reader,
  page: PageRequest & { readonly state?: ApprovalState | undefined },
): Promise<Page<Approval> | ApiRefusal> {
  if (reader.kind === "session") return store.list({ ...page, session_id: reader.grant.session_id });
  const refusal = mayRead(reader);
  if (refusal !== null) return refusal;
  const found = await store.list(page);
  if (!isApiRefusal(found))
    audit({
      kind: "recording_viewed",
      who: `${reader.name} (${reader.role})`,
      what: "approvals",
      reason: `${found.items.length} approvals`,
    });
  return found;
}

export type Awaited = { readonly id: string; readonly ms: number; readonly signal: AbortSignal };

export async function awaitApproval(
  { store, watch, audit }: ReadParts,
  reader: Reader,
  { id, ms, signal }: Awaited,
): Promise<Approval | ApiRefusal> {
  const refusal = reader.kind === "access" ? mayRead(reader) : null;
  if (refusal !== null) return refusal;
  const now = await store.get(id);
  // Whose it is is looked at before anybody waits: that there is one is not told either.
  if (now === null || (reader.kind === "session" && reader.grant.session_id !== now.session_id))
    return refuseApi("not_found", `there is no approval ${id}`);
  if (reader.kind === "access")
    audit({
      kind: "recording_viewed",
      who: `${reader.name} (${reader.role})`,
      what: `approval ${id}`,
      reason: "asked for it",
    });
  return ms === 0 ? now : ((await watch(id, ms, signal)) ?? now);
}

/** Viewers and approvers see the repositories that GitHub lets them see, which a token cannot tell. */
const mayRead = (reader: Extract<Reader, { kind: "access" }>): ApiRefusal | null =>
  reader.role === "auditor" || reader.role === "admin"
    ? null
    : refuseApi("forbidden", `the role ${reader.role} does not read all approvals; auditor and admin do`);
