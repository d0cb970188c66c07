/** How the gateway's own API says no: Datadog's error shape, our code in a header, and nothing of the inside. */

import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { apiStatusOf, GatewayError, refuseApi, type ApiRefusal } from "../errors.ts";

export type ErrorJson = { errors: string[] };

/** Sets status and headers; the body is for the handler to return, so that its type is checked. */
export const complain = (reply: FastifyReply, { code, message }: ApiRefusal): ErrorJson => {
  reply.code(apiStatusOf[code]).header("dogwatch-error", code);
  // RFC 9110 §11.6.1: a 401 names the scheme.
  if (apiStatusOf[code] === 401) reply.header("www-authenticate", "Bearer");
  return { errors: [`dogwatch: ${message}`] };
};

/** What was thrown, by us, by Fastify or by accident, as a refusal; null when it is nobody's fault but ours. */
export const refusalOf = (error: FastifyError): ApiRefusal | null => {
  if (error instanceof GatewayError) return refuseApi(error.code, error.message);
  if (hasZodFastifySchemaValidationErrors(error)) return refuseApi("request_malformed", explainInput(error));
  const { statusCode = 500 } = error;
  if (statusCode === 429) return refuseApi("rate_limited", "too many requests from this address; see retry-after");
  if (statusCode === 413) return refuseApi("body_too_large", "the body is larger than this endpoint reads");
  if (statusCode >= 400 && statusCode < 500) return refuseApi("request_malformed", error.message);
  return null;
};

export const answerError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const refusal = refusalOf(error);
  if (refusal !== null) return reply.send(complain(reply, refusal));
  request.log.error({ err: error, route: request.routeOptions.url }, "the gateway API failed");
  return reply.code(500).send({ errors: ["dogwatch: something is broken in the gateway; its log says what"] });
};

type InputError = Pick<FastifyError, "validationContext"> & {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string }[];
};

/** `querystring limit: Too big: expected number to be <=200` */
export const explainInput = ({ validation, validationContext }: InputError): string =>
  validation
    .map(({ instancePath, message }) => {
      const place = [validationContext ?? "", ...instancePath.split("/")].filter((name) => name !== "").join(" ");
      return `${place}: ${message ?? "is not valid"}`;
    })
    .join("; ");
