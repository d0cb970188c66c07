/** The pages of replays, and the forms that start, stop and clean up after one. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { outcomes } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { readSession } from "../journeys/history.ts";
import {
  cleanUpReplay,
  listReplayedCalls,
  listReplays,
  offerReplay,
  type ReplayParts,
  startReplay,
  stopReplay,
  watchReplay,
} from "../journeys/replay.ts";
import { mayAct } from "../journeys/ownSession.ts";
import { replayPage } from "../web/replay.ts";
import { replaysPage } from "../web/replays.ts";
import { type FormParts, takeForm } from "./forms.ts";
import { show } from "./page.ts";
import { replayedCallJson, replayJson } from "./replays.ts";

export type ReplayPagesParts = FormParts & { readonly replaying: ReplayParts; readonly publicUrl: string };

export function registerReplayPages(app: FastifyInstance, parts: ReplayPagesParts): void {
  registerOfSession(app, parts);
  registerOne(app, parts);
}

function registerOfSession(app: FastifyInstance, parts: ReplayPagesParts): void {
  const { replaying, publicUrl, signIn } = parts;
  app.get("/sessions/:id/replays", (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const { id } = params.parse(request.params);
      const session = await readSession(replaying, reader, id);
      if (isApiRefusal(session)) return session;
      const found = await listReplays(replaying, reader, { session_id: id, limit: 50, ...cursor.parse(request.query) });
      if (isApiRefusal(found)) return found;
      return replaysPage({
        session_id: id,
        replays: found.items.map((one) => replayJson(publicUrl, one)),
        next_cursor: found.next_cursor,
        offer: offerReplay(replaying, reader, session),
        form: signIn.cookies.formToken(request),
      });
    }),
  );
  app.post("/sessions/:id/replays", acting, (request, reply) => {
    const { id } = params.parse(request.params);
    return takeForm(parts, { request, reply, back: `/sessions/${id}/replays` }, async ({ reader }) => {
      const { connection, pace, dry_run, stop_on_difference } = startForm.parse(request.body ?? {});
      const options = { pace, dry_run, stop_on_difference, masked: "stand-in" } as const;
      const started = await startReplay(replaying, reader, { session_id: id, connection, options });
      return isApiRefusal(started) ? started : { to: `/replays/${started.id}` };
    });
  });
}

function registerOne(app: FastifyInstance, parts: ReplayPagesParts): void {
  const { replaying, publicUrl, signIn } = parts;
  app.get("/replays/:id", (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const { id } = params.parse(request.params);
      const { outcome, ...page } = callsQuery.parse(request.query);
      const found = await listReplayedCalls(replaying, reader, { id, limit: 100, outcome, ...page });
      if (isApiRefusal(found)) return found;
      return replayPage({
        replay: replayJson(publicUrl, found.replay),
        calls: found.calls.items.map(replayedCallJson),
        next_cursor: found.calls.next_cursor,
        outcome: outcome ?? null,
        form: mayAct(reader) === null ? signIn.cookies.formToken(request) : null,
      });
    }),
  );
  app.get("/replays/:id/state", watching, async (request, reply) => {
    const viewer = await signIn.viewer(request);
    const { id } = params.parse(request.params);
    const replay = viewer === null ? null : await watchReplay(replaying, viewer.reader, id);
    if (replay === null || isApiRefusal(replay)) return reply.code(404).send({ errors: ["there is no such replay"] });
    return reply.send(replayJson(publicUrl, replay));
  });
  for (const [name, act] of [
    ["stop", stopReplay],
    ["cleanup", cleanUpReplay],
  ] as const)
    app.post(`/replays/:id/${name}`, acting, (request, reply) => {
      const { id } = params.parse(request.params);
      return takeForm(parts, { request, reply, back: `/replays/${id}` }, async ({ reader }) => {
        const done = await act(replaying, reader, id);
        return isApiRefusal(done) ? done : { to: `/replays/${id}` };
      });
    });
}

/** Of one address, which everybody behind a proxy shares; an open page looks once a second. */
const watching = { config: { rateLimit: { max: 3_000, timeWindow: 60_000 } } };
const acting = { config: { rateLimit: { max: 300, timeWindow: 60_000 } } };

const params = z.object({ id: z.uuid() });
const cursor = z.object({ cursor: z.string().min(1).max(1000).optional() });
const callsQuery = cursor.extend({ outcome: z.enum(outcomes).optional() });
const ticked = z
  .literal("yes")
  .optional()
  .transform((value) => value === "yes");
const startForm = z.object({
  connection: z.string().min(1).max(64),
  pace: z.enum(["fast", "recorded"]).default("fast"),
  dry_run: ticked,
  stop_on_difference: ticked,
});
