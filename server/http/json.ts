/** Sessions, calls and events in the JSON of the contract. */

import type { BodyJson, CallJson, CloseAnswer, SessionJson, TokenAnswer } from "../contract.ts";
import type { Page, ReadCall } from "../journeys/history.ts";
import type { Issued } from "../journeys/token.ts";
import type { StoredAuditEvent } from "../model/audit.ts";
import { flattenCaller } from "../model/caller.ts";
import type { Decision } from "../model/decision.ts";
import type { StoredBodyMeta, StoredMessage } from "../model/receipt.ts";
import type { Seal } from "../model/seal.ts";
import type { Session } from "../model/session.ts";

export const sessionUrl = (publicUrl: string, id: string): string => `${publicUrl.replace(/\/$/, "")}/sessions/${id}`;

export const tokenJson = (publicUrl: string, issued: Issued): TokenAnswer => ({
  access_token: issued.token,
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "Bearer",
  expires_in: issued.expires_in_seconds,
  session_id: issued.session.id,
  session_url: sessionUrl(publicUrl, issued.session.id),
  connection: issued.session.connection,
  hosts: [...issued.hosts],
});

export const sessionJson = (publicUrl: string, session: Session): SessionJson => ({
  id: session.id,
  url: sessionUrl(publicUrl, session.id),
  connection: session.connection,
  caller: { ...flattenCaller(session.caller), issuer: session.caller.issuer, subject: session.caller.subject },
  state: session.state,
  opened_at: session.opened_at.toISOString(),
  closed_at: timeJson(session.closed_at),
  calls: session.calls,
  denied: session.denied,
  approved: session.approved,
  masked: session.masked,
  hold: session.hold === null ? null : { ...session.hold, at: session.hold.at.toISOString() },
  seal: sealJson(session.seal),
});

const sealJson = (seal: Seal | null): SessionJson["seal"] =>
  seal === null ? null : { ...seal, sealed_at: seal.sealed_at.toISOString() };

export const closeJson = (publicUrl: string, { calls, denied, approved, masked, seal, id }: Session): CloseAnswer => ({
  calls,
  denied,
  approved,
  masked,
  seal: sealJson(seal),
  url: sessionUrl(publicUrl, id),
});

export const callJson = (publicUrl: string, { call, bodies }: ReadCall): CallJson => ({
  id: `${call.session_id}/${call.n}`,
  session_id: call.session_id,
  n: call.n,
  url: `${sessionUrl(publicUrl, call.session_id)}/calls/${call.n}`,
  operation: call.operation,
  access: call.access,
  method: call.method,
  host: call.host,
  path: call.path,
  query: call.query,
  state: call.state,
  decision: decisionJson(call.decision),
  response_decision: call.response_decision === null ? null : decisionJson(call.response_decision),
  approval_id: call.approval_id,
  status: call.status,
  error_code: call.error_code,
  error: call.error,
  upstream: call.upstream,
  client: call.client,
  received_at: call.received_at.toISOString(),
  decided_at: call.decided_at.toISOString(),
  forwarded_at: timeJson(call.forwarded_at),
  first_byte_at: timeJson(call.first_byte_at),
  done_at: timeJson(call.done_at),
  request: messageJson(call.request, bodies.request),
  response: call.response === null ? null : messageJson(call.response, bodies.response),
});

const decisionJson = ({ rules, near = [], tokens = [], ...rest }: Decision): CallJson["decision"] => ({
  ...rest,
  rules: [...rules],
  near: [...near],
  tokens: [...tokens],
});

export const auditJson = (event: StoredAuditEvent): Omit<StoredAuditEvent, "at"> & { at: string } => ({
  ...event,
  at: event.at.toISOString(),
});

export const pageJson = <T, J>(page: Page<T>, item: (value: T) => J): { items: J[]; next_cursor: string | null } => ({
  items: page.items.map(item),
  next_cursor: page.next_cursor,
});

const timeJson = (time: Date | null): string | null => time?.toISOString() ?? null;

const messageJson = (message: StoredMessage, bytes: Buffer | null): CallJson["request"] => ({
  headers: message.headers.map(([name, value]) => [name, value]),
  body: message.body === null ? null : { ...metaJson(message.body), ...contentJson(message.body, bytes) },
});

const metaJson = (body: StoredBodyMeta): BodyJson => ({
  size: body.size,
  sha256: body.sha256?.toString("hex") ?? null,
  expired: body.expired,
  content_type: body.content_type,
  encoding: body.encoding,
  truncated: body.truncated,
  withheld: body.withheld ?? null,
});

/** Text only where the bytes are text as they are, so that `sha256` can be checked against what is shown. */
const contentJson = (body: StoredBodyMeta, bytes: Buffer | null): Pick<BodyJson, "text" | "base64"> => {
  if (bytes === null) return {};
  const text = body.encoding === null ? textOf(bytes) : null;
  return text === null ? { base64: bytes.toString("base64") } : { text };
};

const textOf = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};
