/** What happened outside any session, or to the gateway itself: sign-ins, refused tokens and requests, views, changes. */

export const auditKinds = [
  "token_refused",
  "request_refused",
  "session_opened",
  "session_renewed",
  "session_closed",
  "session_expired",
  "recording_viewed",
  "token_astray",
  "value_revealed",
  "approval_asked",
  "approval_answered",
  "approval_ended",
  "sign_in",
  "sign_in_refused",
  "sign_out",
  "github_app_created",
  "configuration_loaded",
  "configuration_refused",
  "policy_tried",
  "call_indeterminate",
  "session_held",
  "session_released",
  "session_unsealable",
  "replay_started",
  "replay_stopped",
  "replay_cleaned_up",
  "log_refused",
  "recordings_expired",
  "events_dropped",
] as const;

export type AuditKind = (typeof auditKinds)[number];

export type AuditEvent = {
  readonly kind: AuditKind;
  /** `github repo:acme/app:ref:refs/heads/main`, `ops (auditor)`, an address, `gateway`. */
  readonly who: string;
  /** What was asked for or touched: a path, a session id, a file. Never a token. */
  readonly what: string;
  readonly reason: string;
};

export type StoredAuditEvent = AuditEvent & { readonly id: string; readonly at: Date };
