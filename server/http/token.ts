/** `POST /v1/token`: RFC 8693 token exchange, form-encoded, with errors as RFC 6749 §5.2 shapes them. */

import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { tokenAnswer, tokenError, type TokenError } from "../contract.ts";
import { isTokenRefusal, refuseToken, type TokenCode, type TokenRefusal } from "../errors.ts";
import { exchange, turnAway, type ExchangeParts } from "../journeys/token.ts";
import { refusalOf } from "./complain.ts";
import { tokenJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type TokenParts = ExchangeParts & {
  readonly publicUrl: string;
  /** Exchanges a minute that one address may ask for. */
  readonly perMinute: number;
};

const grantType = "urn:ietf:params:oauth:grant-type:token-exchange";
const tokenTypes = ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"];

const form = z.object({
  grant_type: z.string().describe(grantType),
  subject_token: z.string().describe("An identity token (JWT) whose aud is this gateway"),
  subject_token_type: z.string().describe(tokenTypes.join(" or ")),
  connection: z.string().optional().describe("Name of a connection; needed when several allow the caller"),
  session: z.string().optional().describe("Id of a session to renew"),
});

export const registerToken = async (api: Api, parts: TokenParts): Promise<void> => {
  api.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string", bodyLimit: 64 * 1024 },
    (_request, body, done) => done(null, parseForm(String(body))),
  );
  // Anything else would reach the form as nothing and be complained of by field, which helps nobody.
  api.addContentTypeParser("*", (_request, _payload, done) => done(wrongType));
  api.removeContentTypeParser("application/json");

  api.route({
    method: "POST",
    url: "/token",
    config: { rateLimit: { max: parts.perMinute, timeWindow: 60_000 } },
    schema: {
      summary: "Exchange an identity token for a session token, or renew a session",
      consumes: ["application/x-www-form-urlencoded"],
      body: form,
      response: {
        200: tokenAnswer,
        400: tokenError,
        413: tokenError,
        429: tokenError,
        500: tokenError,
        503: tokenError,
      },
    },
    errorHandler: (error, request, reply) => answerTokenError(parts, { error, request, reply }),
    handler: async (request, reply) => {
      reply.header("cache-control", "no-store").header("pragma", "no-cache");
      const unfit = unfitForm(request.body);
      const issued = unfit ?? (await exchange(parts, request.body, request.ip));
      if (!isTokenRefusal(issued)) return tokenJson(parts.publicUrl, issued);
      if (unfit !== null) turnAway(parts, unfit, `somebody from ${request.ip}`);
      if (issued.code === "issuer_unreachable") reply.header("retry-after", "5");
      return reply.code(issued.code === "issuer_unreachable" ? 503 : 400).send(errorJson(issued));
    },
  });
};

const wrongType = Object.assign(new Error("content-type is not application/x-www-form-urlencoded"), {
  statusCode: 415,
});

/** A parameter without a value is omitted (RFC 6749 §3.2); one that comes twice is kept as a list, which the form refuses. */
const parseForm = (text: string): Record<string, string | string[]> => {
  const parameters = new URLSearchParams(text);
  const names = [...new Set(parameters.keys())];
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = parameters.getAll(name).filter((value) => value !== "");
      return values.length === 0 ? [] : [[name, values.length === 1 ? (values[0] ?? "") : values]];
    }),
  );
};

type Form = z.infer<typeof form>;

const unfitForm = ({ grant_type, subject_token_type }: Form): TokenRefusal | null => {
  if (grant_type !== grantType) return refuseToken("request_invalid", `grant_type must be ${grantType}`);
  if (tokenTypes.includes(subject_token_type)) return null;
  return refuseToken("request_invalid", `subject_token_type must be ${tokenTypes.join(" or ")}`);
};

const errorJson = ({ code, description }: TokenRefusal): TokenError => ({
  error: errorOf(code, description),
  error_description: description,
  code,
});

/** RFC 8693 §2.2.2: a subject token that is invalid or unacceptable is `invalid_request`; a target that is, `invalid_target`. */
const errorOf = (code: TokenCode, description: string): string => {
  if (code === "issuer_unreachable") return "temporarily_unavailable";
  if (code === "connection_not_allowed") return "invalid_target";
  return description.startsWith("grant_type") ? "unsupported_grant_type" : "invalid_request";
};

type Failure = { readonly error: FastifyError; readonly request: FastifyRequest; readonly reply: FastifyReply };

/** What went wrong before or beside the exchange, in the same shape. */
const answerTokenError = (parts: TokenParts, { error, request, reply }: Failure): FastifyReply => {
  reply.header("cache-control", "no-store").header("pragma", "no-cache");
  const refusal = refusalOf(error);
  if (refusal === null) {
    request.log.error({ err: error }, "the token endpoint failed");
    return reply.code(500).send(broken);
  }
  switch (refusal.code) {
    case "rate_limited":
      return reply.code(429).send({ error: "slow_down", error_description: refusal.message, code: refusal.code });
    case "recording_unavailable":
    case "gateway_busy":
      reply.code(503).header("retry-after", "5");
      return reply.send({ error: "temporarily_unavailable", error_description: refusal.message, code: refusal.code });
    default: {
      const description = printable(refusal.message);
      turnAway(parts, refuseToken("request_invalid", description), `somebody from ${request.ip}`);
      reply.code(refusal.code === "body_too_large" ? 413 : 400);
      return reply.send({ error: "invalid_request", error_description: description, code: "request_invalid" });
    }
  }
};

const broken: TokenError = {
  error: "server_error",
  error_description: "something is broken in the gateway; its log says what",
  code: "internal",
};

const printable = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");
