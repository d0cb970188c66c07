/** A call in a few words: what a picture of a whole session needs, without header fields and bodies. */

import type { Decision } from "./decision.ts";
import type { StoredCall } from "./receipt.ts";

export type OutlinedCall = Pick<
  StoredCall,
  | "n"
  | "operation"
  | "access"
  | "method"
  | "host"
  | "path"
  | "query"
  | "state"
  | "approval_id"
  | "status"
  | "error_code"
  | "received_at"
  | "decided_at"
  | "forwarded_at"
  | "first_byte_at"
  | "done_at"
> & { readonly decision: Pick<Decision, "effect" | "rules"> };

/** The calls after `after`, the first first; `more`: whether others follow. */
export type Outline = { readonly items: readonly OutlinedCall[]; readonly more: boolean };

export type OutlineRequest = { readonly session_id: string; readonly after: number; readonly limit: number };
