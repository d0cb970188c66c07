/** A session as it happens, over server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */

import { Readable } from "node:stream";
import { z } from "zod";
import { isApiRefusal, refuseApi } from "../errors.ts";
import { followSession, type FollowParts, type Happening } from "../journeys/follow.ts";
import { readerName } from "../journeys/history.ts";
import { type AccessParts, admit, knownReader, readerOf, refusals, turnAway } from "./access.ts";
import { callJson, sessionJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type EventRoutes = AccessParts & FollowParts & { readonly publicUrl: string };

/** That one gateway serves at a time: each asks the database twice a second. */
const mostListeners = 200;
/** Of one reader: nobody keeps all others out. */
const mostOfOne = 40;
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
  const listening = new Listening();
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
      const reader = knownReader(request);
      const full = listening.begin(readerName(reader));
      if (full !== null) return reply.send(turnAway(parts, { request, reply }, refuseApi("gateway_busy", full)));
      const gone = new AbortController();
      reply.raw.once("close", () => {
        gone.abort();
        listening.end(readerName(reader));
      });
      const lastEventId = request.headers["last-event-id"];
      const found = await followSession(parts, reader, {
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

/** How many there are, and of whom. */
class Listening {
  #all = 0;
  readonly #of = new Map<string, number>();

  /** Why not, or null: then there is one more, until `end`. */
  begin(who: string): string | null {
    const own = this.#of.get(who) ?? 0;
    if (this.#all >= mostListeners) return "too many listen at this gateway";
    if (own >= mostOfOne) return `${who} listens ${mostOfOne} times at this gateway already`;
    this.#all += 1;
    this.#of.set(who, own + 1);
    return null;
  }

  end(who: string): void {
    const own = this.#of.get(who) ?? 0;
    this.#all -= 1;
    if (own > 1) this.#of.set(who, own - 1);
    else this.#of.delete(who);
  }
}

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
