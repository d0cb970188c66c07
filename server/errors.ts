/** The closed set of codes with which Dogwatch refuses or breaks, and the HTTP status each one travels with. */

/** Codes of the data plane (`/api`, `/proxy`, `/mcp`, dataHosts). */
export const statusOf = {
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  session_closed: 401,
  denied: 403,
  operation_unknown: 403,
  host_not_allowed: 403,
  response_blocked: 403,
  approval_required: 403,
  approval_denied: 403,
  approval_expired: 403,
  approval_stale: 403,
  approval_cancelled: 403,
  outcome_unknown: 403,
  request_malformed: 400,
  body_too_large: 413,
  recording_unavailable: 503,
  gateway_busy: 503,
  upstream_unreachable: 502,
  upstream_timeout: 504,
} as const;

export type ErrorCode = keyof typeof statusOf;

/** A refusal is a value: the caller asked for something it may not have, or cannot have now. */
export type Refusal = { readonly code: ErrorCode; readonly message: string };

export const refuse = (code: ErrorCode, message: string): Refusal => ({ code, message });

export const isRefusal = (value: object): value is Refusal =>
  "code" in value && "message" in value && !(value instanceof Error);

/** Codes of the token endpoint (DESIGN: RFC 8693 exchange, errors in the shape of RFC 6749 §5.2). */
export const tokenCodes = [
  "request_invalid",
  "issuer_unknown",
  "audience_mismatch",
  "signature_invalid",
  "algorithm_refused",
  "key_unknown",
  "token_malformed",
  "token_expired",
  "token_early",
  "token_replayed",
  "event_refused",
  "caller_not_allowed",
  "connection_not_allowed",
  "session_mismatch",
  "issuer_unreachable",
] as const;

export type TokenCode = (typeof tokenCodes)[number];

/** Why an identity token was not exchanged: `description` names the claim that failed and what was expected. */
export type TokenRefusal = {
  readonly code: TokenCode;
  /** Printable ASCII without `"` and `\\` (RFC 6749 §5.2). */
  readonly description: string;
  /** For the audit log only: what a stranger need not be told. */
  readonly detail?: string;
};

export const refuseToken = (code: TokenCode, description: string, detail?: string): TokenRefusal =>
  detail === undefined ? { code, description } : { code, description, detail };

export const isTokenRefusal = (value: object): value is TokenRefusal => "code" in value && "description" in value;

/** Codes of the gateway's own API (`/v1`) beside those of the data plane. */
export const apiStatusOf = {
  ...statusOf,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  expired: 410,
  rate_limited: 429,
} as const;

export type ApiCode = keyof typeof apiStatusOf;

/** The gateway's own API refused. What one may not know of is `not_found`, so that nobody learns what exists. */
export type ApiRefusal = { readonly code: ApiCode; readonly message: string };

export const refuseApi = (code: ApiCode, message: string): ApiRefusal => ({ code, message });

export const isApiRefusal = (value: object): value is ApiRefusal =>
  "code" in value && "message" in value && !(value instanceof Error);

/** A breakage is an exception: the gateway itself cannot go on with this call. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GatewayError";
    this.code = code;
  }
}
