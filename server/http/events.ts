/** A session as it happens, over server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */

import { Readable } from "node:stream";
import { z } from "zod";
import { isApiRefusal, refuseApi } from "../errors.ts";
import { followSession, type FollowParts, type Happening } from "../journeys/follow.ts";
import { type AccessParts, admit, knownReader, readerOf, refusals, turnAway } from "./access.ts";
import { callJson, sessionJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type EventRoutes = AccessParts & FollowParts & { readonly publicUrl: string };

/** That one gateway serves at a time: each asks the database twice a second. */
const mostListeners = 200;
/** ms after which a browser comes back by itself. */
const retry = 2_000;
/** Events that wait for a slow listener; the database is asked for more when they are gone. */
const mostWaiting = 8;

const bytes = { description: "Events `call` and `end`", content: { "text/event-stream": { schema: z.any() } } };

export const registerEvents = async (api: Api, parts: EventRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  const stopping = new AbortController();
  let listeners = 0;
  api.addHook("preClose", async () => stopping.abort());
  api.route({
    method: "GET",
    url: "/sessions/:id/events",
    exposeHeadRoute: false,
    schema: {
      summary: "A session as it happens: a call when it begins and when it ends, without bodies; ends with the session",
      description:
        "Server-sent events, at least once each. Last-Event-ID goes on after what was told; after 15 minutes the stream ends, to be asked for again.",
      security: [{ session: [] }, { access: [] }],
      params: z.object({ id: z.uuid() }),
      querystring: z.strictObject({
        last_event_id: z
          .string()
          .max(1_500)
          .optional()
          .describe("In place of the header for whoever begins: browsers send Last-Event-ID only when they come back"),
      }),
      response: { 200: bytes, ...refusals },
    },
    handler: async (request, reply) => {
      if (listeners >= mostListeners)
        return reply.send(
          turnAway(parts, { request, reply }, refuseApi("gateway_busy", "too many listen at this gateway")),
        );
      const gone = new AbortController();
      listeners += 1;
      reply.raw.once("close", () => {
        gone.abort();
        listeners -= 1;
      });
      const lastEventId = request.headers["last-event-id"];
      const found = await followSession(parts, knownReader(request), {
        session_id: request.params.id,
        lastEventId: typeof lastEventId === "string" ? lastEventId : (request.query.last_event_id ?? null),
        signal: AbortSignal.any([gone.signal, stopping.signal]),
        readerNow: () => readerOf(parts, request),
      });
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      reply.headers({ "x-content-type-options": "nosniff", "x-accel-buffering": "no" }).type("text/event-stream");
      return reply.send(Readable.from(written(parts.publicUrl, found), { highWaterMark: mostWaiting }));
    },
  });
};

async function* written(publicUrl: string, happenings: AsyncIterable<Happening>): AsyncGenerator<string> {
  yield `retry: ${retry}\n\n`;
  for await (const happening of happenings) yield write(publicUrl, happening);
}

const write = (publicUrl: string, happening: Happening): string => {
  switch (happening.kind) {
    case "call":
      return event(happening, callJson(publicUrl, { call: happening.call, bodies: { request: null, response: null } }));
    case "end":
      return event(happening, sessionJson(publicUrl, happening.session));
    case "silence":
      return ": nothing happened\n\n";
    default:
      return happening satisfies never;
  }
};

const event = ({ kind, id }: { readonly kind: string; readonly id: string }, data: object): string =>
  `event: ${kind}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
