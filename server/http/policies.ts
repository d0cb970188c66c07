/** The policies that were in force, read over HTTP: a receipt's `decision.policy` leads here. */

import { z } from "zod";
import { apiError, policy, type PolicyJson } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { type KeptPolicy, type PolicyParts, readPolicy } from "../journeys/rules.ts";
import { admit, knownReader, turnAway, type AccessParts } from "./access.ts";
import type { Api } from "./zodRoutes.ts";

export type PolicyRouteParts = AccessParts & PolicyParts & { readonly publicUrl: string };

export const digestParams = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) });

export const registerPolicies = async (api: Api, parts: PolicyRouteParts): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "GET",
    url: "/policies/:digest",
    schema: {
      summary: "The rules of a policy that was in force, by its digest",
      description:
        "decision.policy of a call is the digest: SHA-256 over {observe, rules} as RFC 8785 JSON, rules by name.",
      security: [{ access: [] }],
      params: digestParams,
      response: {
        200: policy,
        400: apiError,
        401: apiError,
        403: apiError,
        404: apiError,
        429: apiError,
        503: apiError,
      },
    },
    handler: async (request, reply) => {
      const found = await readPolicy(parts, knownReader(request), request.params.digest);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return policyJson(parts.publicUrl, found);
    },
  });
};

/** What was kept was written by this gateway; its shape is the contract's. */
export const policyJson = (publicUrl: string, { digest, source, first_in_force }: KeptPolicy): PolicyJson =>
  policy.parse({
    ...z.object({ observe: z.unknown(), rules: z.unknown() }).parse(JSON.parse(source)),
    digest,
    url: `${publicUrl.replace(/\/$/, "")}/policies/${digest}`,
    first_in_force: first_in_force.toISOString(),
  });
