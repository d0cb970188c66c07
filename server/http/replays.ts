/** Replays over HTTP: started, watched, stopped and cleaned up after by people and by access tokens of admins. */

import { z } from "zod";
import {
  outcomes,
  page,
  replay,
  type ReplayedCallJson,
  replayedCall,
  type ReplayJson,
  replayRequest,
} from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import {
  cleanUpReplay,
  listReplayedCalls,
  listReplays,
  readReplay,
  type ReplayParts,
  startReplay,
  stopReplay,
} from "../journeys/replay.ts";
import type { Replay } from "../model/replay.ts";
import { type AccessParts, admit, knownReader, refusals, turnAway } from "./access.ts";
import { pageJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type ReplayRoutes = AccessParts & { readonly publicUrl: string; readonly replaying: ReplayParts };

const params = z.object({ id: z.uuid() });
const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(500).optional(),
});
const callsQuery = pageQuery.extend({ outcome: z.enum(outcomes).optional() });
const security = [{ access: [] }];

export const registerReplays = async (api: Api, parts: ReplayRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  registerStart(api, parts);
  registerReading(api, parts);
  registerEnds(api, parts);
};

const registerStart = (api: Api, parts: ReplayRoutes): void => {
  api.route({
    method: "POST",
    url: "/sessions/:id/replays",
    schema: {
      summary:
        "Send a session again to a sandbox and compare the answers; for people with role approver or admin who see it, and access tokens with role admin",
      security,
      params,
      body: replayRequest,
      response: { 201: replay, ...refusals },
    },
    handler: async (request, reply) => {
      const { connection, ...options } = request.body;
      const asked = { session_id: request.params.id, connection, options };
      const started = await startReplay(parts.replaying, knownReader(request), asked);
      if (isApiRefusal(started)) return reply.send(turnAway(parts, { request, reply }, started));
      return reply.code(201).send(replayJson(parts.publicUrl, started));
    },
  });
};

const registerReading = (api: Api, parts: ReplayRoutes): void => {
  const { publicUrl, replaying } = parts;
  api.route({
    method: "GET",
    url: "/sessions/:id/replays",
    schema: {
      summary: "The replays of a session, newest first",
      security,
      params,
      querystring: pageQuery,
      response: { 200: page(replay), ...refusals },
    },
    handler: async (request, reply) => {
      const asked = { session_id: request.params.id, ...request.query };
      const found = await listReplays(replaying, knownReader(request), asked);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, (one) => replayJson(publicUrl, one));
    },
  });
  api.route({
    method: "GET",
    url: "/replays/:id",
    schema: { summary: "One replay, as far as it has come", security, params, response: { 200: replay, ...refusals } },
    handler: async (request, reply) => {
      const found = await readReplay(replaying, knownReader(request), request.params.id);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return replayJson(publicUrl, found);
    },
  });
  api.route({
    method: "GET",
    url: "/replays/:id/calls",
    schema: {
      summary: "What became of each call, in their order; with outcome, of those alone that came to it",
      security,
      params,
      querystring: callsQuery,
      response: { 200: page(replayedCall), ...refusals },
    },
    handler: async (request, reply) => {
      const asked = { id: request.params.id, ...request.query };
      const found = await listReplayedCalls(replaying, knownReader(request), asked);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found.calls, replayedCallJson);
    },
  });
};

const registerEnds = (api: Api, parts: ReplayRoutes): void => {
  const acts = [
    ["stop", "Stop a replay before its next call", stopReplay],
    [
      "cleanup",
      "Delete what the replay created, by its own recording; asked again it goes on with what is left",
      cleanUpReplay,
    ],
  ] as const;
  for (const [name, summary, act] of acts)
    api.route({
      method: "POST",
      url: `/replays/:id/${name}`,
      schema: { summary, security, params, response: { 200: replay, ...refusals } },
      handler: async (request, reply) => {
        const done = await act(parts.replaying, knownReader(request), request.params.id);
        if (isApiRefusal(done)) return reply.send(turnAway(parts, { request, reply }, done));
        return replayJson(parts.publicUrl, done);
      },
    });
};

export const replayJson = (publicUrl: string, one: Replay): ReplayJson => {
  const { own_session_id, options, sandbox: _, cleanup, ...rest } = one;
  return {
    ...rest,
    ...options,
    url: `${publicUrl.replace(/\/$/, "")}/v1/replays/${one.id}`,
    replay_session_id: own_session_id,
    started_at: one.started_at.toISOString(),
    ended_at: one.ended_at?.toISOString() ?? null,
    cleanup: cleanup === null ? null : { ...cleanup, reasons: [...cleanup.reasons] },
  };
};

type Row = Extract<Awaited<ReturnType<typeof listReplayedCalls>>, { calls: unknown }>["calls"]["items"][number];

export const replayedCallJson = ({ own_n, status, differences, ...rest }: Row): ReplayedCallJson => ({
  ...rest,
  replay_n: own_n,
  replayed_status: status,
  differences: differences === null ? null : differences.map((one) => ({ ...one })),
});
