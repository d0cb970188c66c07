/** What masks took out, for people with a role. Values travel in bodies, never in an address that somebody logs. */

import { z } from "zod";
import { call, page, revealed } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { findValue, type MaskedValueParts, revealToken } from "../journeys/maskedValues.ts";
import { type AccessParts, admit, knownReader, turnAway, refusals } from "./access.ts";
import { callJson, pageJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type MaskedValueRoutes = AccessParts & MaskedValueParts & { readonly publicUrl: string };

const valueQuery = z.strictObject({
  value: z.string().min(1).max(10_000).describe("As it was before it was masked, whole"),
  limit: z.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(500).optional(),
});
const tokenQuery = z.strictObject({
  token: z.string().min(1).max(100_000).describe("`dwm_<kind>_…`, whole"),
  reason: z.string().trim().min(3).max(500).describe("Why it is needed; it stays in the audit log"),
});
const security = [{ access: [] }];

export const registerMaskedValues = async (api: Api, parts: MaskedValueRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "POST",
    url: "/masked-values/search",
    schema: {
      summary: "Calls in which a value was masked, newest first, without bodies; for auditor and admin",
      security,
      body: valueQuery,
      response: { 200: page(call), ...refusals },
    },
    handler: async (request, reply) => {
      const found = await findValue(parts, knownReader(request), request.body);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, (item) =>
        callJson(parts.publicUrl, { call: item, bodies: { request: null, response: null } }),
      );
    },
  });
  api.route({
    method: "POST",
    url: "/masked-values/reveal",
    schema: {
      summary: "What a token stands for; for admin, and written to the audit log before it is given",
      security,
      body: tokenQuery,
      response: { 200: revealed, ...refusals },
    },
    handler: async (request, reply) => {
      const found = await revealToken(parts, knownReader(request), request.body);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return reply.header("cache-control", "no-store").send(found);
    },
  });
};
