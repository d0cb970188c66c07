/** From an identity token to a session: a new one, or one that is renewed (RFC 8693 token exchange). */

import { GatewayError, isTokenRefusal, refuseToken, type TokenRefusal } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { flattenCaller, type Caller, whoIs } from "../model/caller.ts";
import { quote } from "../model/quote.ts";
import type { Session } from "../model/session.ts";
import { bindingOf, differenceOf, type Binding } from "../stages/authenticate/binding.ts";
import { claimedBy } from "../stages/authenticate/claimed.ts";
import { identify, type Allowance, type Identity, type TrustedIssuer } from "../stages/authenticate/identify.ts";
import { mintSessionToken } from "../stages/authenticate/sessionToken.ts";

/** A connection as the exchange needs it; `allow` is absent where the issuer's suffices. */
export type OfferedConnection = { readonly name: string; readonly site: string; readonly allow?: Allowance };

export type NewSession = {
  readonly caller: Caller;
  readonly connection: string;
  readonly binding: Binding;
  readonly token_digest: Buffer;
  readonly expires_at: Date;
};

/** The part of the store that is needed. */
export type SessionKeeper = {
  open(session: NewSession): Promise<Session>;
  get(id: string): Promise<Session | null>;
  addToken(session_id: string, digest: Buffer, expires_at: Date): Promise<unknown>;
  /** False when that token was used before, at whichever replica. */
  useTokenId(issuer: string, token_id: string, expires_at: Date): Promise<boolean>;
};

/** `app.ts` joins it. */
export type ExchangeParts = {
  trusted(): readonly TrustedIssuer[];
  connections(): readonly OfferedConnection[];
  /** The exact names of all Datadog hosts of a site. */
  hostsOf(site: string): readonly string[];
  readonly sessions: SessionKeeper;
  audit(event: AuditEvent): void;
  now(): Date;
  chance(size: number): Buffer;
  /** How long a session token lives, ms. */
  readonly lifetime: number;
};

export type ExchangeRequest = {
  readonly subject_token: string;
  /** Name of a connection; needed when several allow the caller. */
  readonly connection?: string | undefined;
  /** Id of a session to renew. */
  readonly session?: string | undefined;
};

export type Issued = {
  readonly token: string;
  readonly expires_in_seconds: number;
  readonly session: Session;
  readonly hosts: readonly string[];
};

/** `from` is the address that asks, for the audit log. */
export async function exchange(
  parts: ExchangeParts,
  request: ExchangeRequest,
  from: string,
): Promise<Issued | TokenRefusal> {
  const identity = await identify(parts.trusted(), request.subject_token);
  if (isTokenRefusal(identity)) return turnAway(parts, identity, `${claimedBy(request.subject_token)} from ${from}`);
  const { session: renewed } = request;
  const issued =
    renewed === undefined
      ? await open(parts, identity, request)
      : await renew(parts, identity, { ...request, session: renewed });
  if (isTokenRefusal(issued)) return turnAway(parts, issued, `${whoIs(identity.caller)} from ${from}`);
  parts.audit({
    kind: renewed === undefined ? "session_opened" : "session_renewed",
    who: whoIs(identity.caller),
    what: `session ${issued.session.id}`,
    reason: `connection ${issued.session.connection}, from ${from}`,
  });
  return issued;
}

/** Records the refusal of what was not even a token exchange, too. */
export function turnAway(parts: Pick<ExchangeParts, "audit">, refusal: TokenRefusal, who: string): TokenRefusal {
  const { code, description, detail } = refusal;
  parts.audit({
    kind: "token_refused",
    who,
    what: "POST /v1/token",
    reason: `${code}: ${description}${detail === undefined ? "" : ` (${detail})`}`,
  });
  return refusal;
}

async function open(
  parts: ExchangeParts,
  identity: Identity,
  request: ExchangeRequest,
): Promise<Issued | TokenRefusal> {
  const connection = chooseConnection(parts, identity.caller, request.connection);
  if (isTokenRefusal(connection)) return connection;
  const replayed = await useUp(parts, identity);
  if (replayed !== null) return replayed;
  const { token, digest } = mintSessionToken(parts.chance);
  const session = await parts.sessions.open({
    caller: identity.caller,
    connection: connection.name,
    binding: bindingOf(identity.caller),
    token_digest: digest,
    expires_at: expiryOf(parts),
  });
  return issue(parts, { token, session, connection });
}

async function renew(
  parts: ExchangeParts,
  identity: Identity,
  request: ExchangeRequest & { readonly session: string },
): Promise<Issued | TokenRefusal> {
  const session = await parts.sessions.get(request.session);
  const mismatch = mismatchOf(session, identity.caller, request);
  if (mismatch !== null || session === null) return mismatch ?? noSuchSession(request.session);
  const connection = chooseConnection(parts, identity.caller, session.connection);
  if (isTokenRefusal(connection)) return connection;
  const replayed = await useUp(parts, identity);
  if (replayed !== null) return replayed;
  const { token, digest } = mintSessionToken(parts.chance);
  try {
    await parts.sessions.addToken(session.id, digest, expiryOf(parts));
  } catch (error) {
    // Closed since it was looked at: no breakage.
    if (error instanceof GatewayError && error.code === "session_closed") return noLongerOpen(session.id);
    throw error;
  }
  return issue(parts, { token, session, connection });
}

/**
 * Somebody else's session is answered like one that does not exist. To the same subject the claim that differs is named, but
 * not its value: the subject of a whole repository is not entitled to the run ids of its jobs.
 */
function mismatchOf(
  session: Session | null,
  caller: Caller,
  request: ExchangeRequest & { readonly session: string },
): TokenRefusal | null {
  const difference = session === null ? "issuer" : differenceOf(bindingOf(session.caller), bindingOf(caller));
  if (session === null || difference === "issuer" || difference === "subject") return noSuchSession(request.session);
  const name = quote(request.session);
  if (difference !== null)
    return refuseToken("session_mismatch", `${difference} is not the one that session ${name} was opened with`);
  if (session.state !== "open") return noLongerOpen(session.id);
  if (request.connection !== undefined && request.connection !== session.connection)
    return refuseToken("session_mismatch", `connection is ${quote(request.connection)}, session ${name} is on another`);
  return null;
}

const noSuchSession = (id: string): TokenRefusal =>
  refuseToken("session_mismatch", `there is no session ${quote(id)} of this issuer and subject`);

const noLongerOpen = (id: string): TokenRefusal =>
  refuseToken("session_mismatch", `session ${quote(id)} is closed; leave session out to open a new one`);

/** A connection that does not exist and one that does not allow the caller are answered alike. */
function chooseConnection(
  parts: ExchangeParts,
  caller: Caller,
  name: string | undefined,
): OfferedConnection | TokenRefusal {
  const facts = flattenCaller(caller);
  const reasons: string[] = [];
  const allowing = parts.connections().filter((connection) => {
    const answer = connection.allow?.(facts) ?? true;
    if (answer !== true) reasons.push(`connection ${connection.name}: ${answer.reason}`);
    return answer === true;
  });
  const chosen = name === undefined ? allowing[0] : allowing.find((connection) => connection.name === name);
  if (name === undefined && allowing.length > 1) {
    const names = allowing.map((connection) => connection.name).join(", ");
    return refuseToken("request_invalid", `connection is missing, and several allow this caller; name one of ${names}`);
  }
  if (chosen !== undefined) return chosen;
  const what =
    name === undefined ? "no connection allows" : `connection ${quote(name)} does not exist or does not allow`;
  return refuseToken("connection_not_allowed", `${what} this caller`, reasons.join("; "));
}

async function useUp(parts: ExchangeParts, identity: Identity): Promise<TokenRefusal | null> {
  const { caller, token_id, expires_at } = identity;
  if (await parts.sessions.useTokenId(caller.issuer, token_id, expires_at)) return null;
  return refuseToken("token_replayed", `jti ${quote(token_id)} was used before; ask the issuer for a new token`);
}

const issue = (
  parts: ExchangeParts,
  { token, session, connection }: { token: string; session: Session; connection: OfferedConnection },
): Issued => ({
  token,
  expires_in_seconds: Math.floor(parts.lifetime / 1000),
  session,
  hosts: parts.hostsOf(connection.site),
});

const expiryOf = (parts: ExchangeParts): Date => new Date(parts.now().getTime() + parts.lifetime);
