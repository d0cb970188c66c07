/** Who asks the gateway's own API: a session by its token, or the holder of an access token, or somebody signed in with one. */

import type { FastifyReply, FastifyRequest } from "fastify";
import { apiError } from "../contract.ts";
import { isRefusal, refuseApi, type ApiRefusal, type Refusal } from "../errors.ts";
import { type Reader, readerName } from "../journeys/history.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { AccessToken } from "../model/config.ts";
import type { Person } from "../model/person.ts";
import type { SessionGrant, SessionState } from "../model/session.ts";
import { complain, type ErrorJson } from "./complain.ts";
import { sameSecret } from "./sameSecret.ts";

export type AccessParts = {
  /** The session of a session token, ended ones too: what happened may still be read until the token expires. */
  present(tokens: readonly string[]): Promise<(SessionGrant & { readonly state: SessionState }) | Refusal>;
  accessTokens(): readonly AccessToken[];
  /** As whom a browser asks, by its cookies. */
  signedIn(request: FastifyRequest): Promise<Reader | null>;
  /** Whether one of our pages in that very sign-in sends it: it says so in `dogwatch-form`, and the browser says where it comes from. */
  isOurForm(request: FastifyRequest, token: string): boolean;
  /** Who signed in as themselves, by cookie; holders of access tokens did not. */
  person(request: FastifyRequest): Promise<Person | null>;
  audit(event: AuditEvent): void;
};

declare module "fastify" {
  interface FastifyRequest {
    /** Null before, and where nobody needs to be known. */
    reader: Reader | null;
  }
}

/** Runs after the rate limit and before the input is looked at, so that a stranger learns nothing of what is expected. */
export const admit =
  (parts: AccessParts) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const reader = await readerOf(parts, request);
    if ("code" in reader) return reply.send(turnAway(parts, { request, reply }, reader));
    request.reader = reader;
    return undefined;
  };

/** How a route behind `admit` refuses, by status. */
export const refusals = {
  400: apiError,
  401: apiError,
  403: apiError,
  404: apiError,
  409: apiError,
  410: apiError,
  429: apiError,
  503: apiError,
};

/** What a route behind `admit` works with. */
export const knownReader = (request: FastifyRequest): Reader => {
  if (request.reader === null) throw new Error(`${request.routeOptions.url} is not behind admit`);
  return request.reader;
};

/** Refuses and records it. Malformed requests are mere mistakes and are not recorded. */
export const turnAway = (
  parts: Pick<AccessParts, "audit">,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  refusal: ApiRefusal,
): ErrorJson => {
  if (refusal.code !== "request_malformed")
    parts.audit({
      kind: "request_refused",
      who: `${nameOf(request.reader)} from ${request.ip}`,
      what: `${request.method} ${pathOf(request)}`,
      reason: `${refusal.code}: ${refusal.message}`,
    });
  return complain(reply, refusal);
};

/** By the token or the cookies that it came with, as they are worth now. */
export const readerOf = async (parts: AccessParts, request: FastifyRequest): Promise<Reader | ApiRefusal> => {
  const token = bearerOf(request.headers.authorization);
  if (token === null) {
    const reader = await parts.signedIn(request);
    if (reader === null) return noToken;
    // Reading changes nothing, and no other site gets to see the answer. Whatever acts must come from a page of ours.
    const reads = request.method === "GET" || request.method === "HEAD";
    return reads || isFromOurPage(parts, request) ? reader : notFromHere;
  }
  // Every access token is compared whatever the first ones say, and none in a time that tells how much of it was right.
  const [known] = parts.accessTokens().filter((access) => sameSecret(access.token.reveal(), token));
  if (known !== undefined) return { kind: "access", name: known.name, role: known.role };
  const grant = await parts.present([token]);
  return isRefusal(grant) ? refuseApi(grant.code, grant.message) : { kind: "session", grant };
};

export const isFromOurPage = ({ isOurForm }: Pick<AccessParts, "isOurForm">, request: FastifyRequest): boolean =>
  isOurForm(request, request.headers["dogwatch-form"]?.toString() ?? "");

/** Browsers bring cookies along wherever a request comes from. */
export const notFromHere = refuseApi(
  "forbidden",
  "whoever is signed in by cookie changes nothing without the form token of their sign-in (GET /v1/me) in dogwatch-form, from a page of this gateway",
);

const noToken = refuseApi(
  "token_missing",
  "no token; send a session token or an access token as Authorization: Bearer",
);

const bearerOf = (authorization: string | undefined): string | null =>
  /^bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1] ?? null;

const nameOf = (reader: Reader | null): string => (reader === null ? "somebody unknown" : readerName(reader));

/** Without the query, which may hold a token, and bounded. */
export const pathOf = (request: FastifyRequest): string => (request.url.split("?")[0] ?? "").slice(0, 200);
