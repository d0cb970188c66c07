/** The outline of a session over HTTP: a thousand calls in one answer, and again from where something may have changed. */

import { z } from "zod";
import { outline, type OutlinedCallJson } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { type OutlineParts, readOutline } from "../journeys/outline.ts";
import type { OutlinedCall } from "../model/outline.ts";
import { type AccessParts, admit, knownReader, refusals, turnAway } from "./access.ts";
import { sessionJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type OutlineRoutes = AccessParts & OutlineParts & { readonly publicUrl: string };

const params = z.object({ id: z.uuid() });
const query = z.strictObject({
  after: z.coerce.number().int().min(0).max(2_147_483_647).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
});

export const registerOutline = async (api: Api, parts: OutlineRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "GET",
    url: "/sessions/:id/outline",
    schema: {
      summary: "A session and its calls in a few words each, in order; for pictures of all of it",
      description:
        "`after` is the number of a call. Whoever follows an open session asks again from before its first open call.",
      security: [{ session: [] }, { access: [] }],
      params,
      querystring: query,
      response: { 200: outline, ...refusals },
    },
    handler: async (request, reply) => {
      const asked = { session_id: request.params.id, ...request.query };
      const found = await readOutline(parts, knownReader(request), asked);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      const { session, items, more } = found;
      return { session: sessionJson(parts.publicUrl, session), items: items.map(outlinedCallJson), more };
    },
  });
};

export const outlinedCallJson = ({ decision, ...call }: OutlinedCall): OutlinedCallJson => ({
  ...call,
  decision: { effect: decision.effect, rules: decision.rules.map(({ name }) => name) },
  received_at: call.received_at.toISOString(),
  decided_at: call.decided_at.toISOString(),
  forwarded_at: call.forwarded_at?.toISOString() ?? null,
  first_byte_at: call.first_byte_at?.toISOString() ?? null,
  done_at: call.done_at?.toISOString() ?? null,
});
