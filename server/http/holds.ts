/** Holding and releasing sessions over HTTP, for admins. */

import { z } from "zod";
import { heldSession, holdReason, session } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { holdSession, type HoldParts, releaseSession } from "../journeys/hold.ts";
import { type AccessParts, admit, knownReader, refusals, turnAway } from "./access.ts";
import { sessionJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type HoldRoutes = AccessParts & HoldParts & { readonly publicUrl: string };

const params = z.object({ id: z.uuid() });
const security = [{ access: [] }];

export const registerHolds = async (api: Api, parts: HoldRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "POST",
    url: "/sessions/:id/hold",
    schema: {
      summary:
        "Hold a session: retention leaves it and its bodies alone; for admin. One that is held stays as it was held",
      security,
      params,
      body: holdReason,
      response: { 200: heldSession, ...refusals },
    },
    handler: async (request, reply) => {
      const held = await holdSession(parts, knownReader(request), { ...request.params, ...request.body });
      if (isApiRefusal(held)) return reply.send(turnAway(parts, { request, reply }, held));
      return { session: sessionJson(parts.publicUrl, held.session), bodies: held.bodies };
    },
  });
  api.route({
    method: "DELETE",
    url: "/sessions/:id/hold",
    schema: {
      summary: "Release a session that is held: it goes when it is old; for admin",
      security,
      params,
      body: holdReason,
      response: { 200: session, ...refusals },
    },
    handler: async (request, reply) => {
      const released = await releaseSession(parts, knownReader(request), { ...request.params, ...request.body });
      if (isApiRefusal(released)) return reply.send(turnAway(parts, { request, reply }, released));
      return sessionJson(parts.publicUrl, released);
    },
  });
};
