/** Sessions, their calls and bodies, and the audit log, read over HTTP; and a session's own end. */

import { Readable } from "node:stream";
import { z } from "zod";
import { auditEvent, call, closeAnswer, page, session } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { closeSession, type CloseParts } from "../journeys/close.ts";
import {
  listAudit,
  listCalls,
  listSessions,
  readBody,
  readCall,
  readSession,
  type HistoryParts,
  type Side,
} from "../journeys/history.ts";
import type { StoredBodyMeta } from "../model/receipt.ts";
import { admit, knownReader, turnAway, type AccessParts, refusals } from "./access.ts";
import { auditJson, callJson, closeJson, pageJson, sessionJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type RecordingParts = AccessParts &
  Omit<HistoryParts, "sessions"> &
  Pick<CloseParts, "seal"> & {
    readonly publicUrl: string;
    readonly sessions: HistoryParts["sessions"] & CloseParts["sessions"];
  };

const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(500).optional(),
});
const sessionParams = z.object({ id: z.uuid() });
const callParams = sessionParams.extend({ n: z.coerce.number().int().min(1).max(2_147_483_647) });
/** A stream is sent as it is; the schema is for the description only. */
const bytes = { description: "The bytes", content: { "application/octet-stream": { schema: z.any() } } };
const security = [{ session: [] }, { access: [] }];

export const registerRecordings = async (api: Api, parts: RecordingParts): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  registerSessions(api, parts);
  registerCalls(api, parts);
  registerBodies(api, parts);
};

const registerSessions = (api: Api, parts: RecordingParts): void => {
  api.route({
    method: "GET",
    url: "/sessions",
    schema: {
      summary: "All sessions, newest first",
      security,
      querystring: pageQuery,
      response: { 200: page(session), ...refusals },
    },
    handler: async (request, reply) => {
      const found = await listSessions(parts, knownReader(request), request.query);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, (item) => sessionJson(parts.publicUrl, item));
    },
  });
  api.route({
    method: "GET",
    url: "/sessions/:id",
    schema: { summary: "One session", security, params: sessionParams, response: { 200: session, ...refusals } },
    handler: async (request, reply) => {
      const found = await readSession(parts, knownReader(request), request.params.id);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return sessionJson(parts.publicUrl, found);
    },
  });
  api.route({
    method: "POST",
    url: "/sessions/:id/close",
    schema: {
      summary: "Close a session, by its own token; again gives the same answer",
      security: [{ session: [] }],
      params: sessionParams,
      response: { 200: closeAnswer, ...refusals },
    },
    handler: async (request, reply) => {
      const closed = await closeSession(parts, knownReader(request), request.params.id);
      if (isApiRefusal(closed)) return reply.send(turnAway(parts, { request, reply }, closed));
      return closeJson(parts.publicUrl, closed);
    },
  });
  api.route({
    method: "GET",
    url: "/audit",
    schema: {
      summary: "Audit events, newest first",
      security,
      querystring: pageQuery,
      response: { 200: page(auditEvent), ...refusals },
    },
    handler: async (request, reply) => {
      const found = await listAudit(parts, knownReader(request), request.query);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, auditJson);
    },
  });
};

const registerCalls = (api: Api, parts: RecordingParts): void => {
  api.route({
    method: "GET",
    url: "/sessions/:id/calls",
    schema: {
      summary: "The calls of a session in order; bodies over 32 KiB are left out",
      security,
      params: sessionParams,
      querystring: pageQuery,
      response: { 200: page(call), ...refusals },
    },
    handler: async (request, reply) => {
      const found = await listCalls(parts, knownReader(request), { session_id: request.params.id, ...request.query });
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, (item) => callJson(parts.publicUrl, item));
    },
  });
  api.route({
    method: "GET",
    url: "/sessions/:id/calls/:n",
    schema: {
      summary: "One call; bodies over 8 MiB are left out and stream from their own address",
      security,
      params: callParams,
      response: { 200: call, ...refusals },
    },
    handler: async (request, reply) => {
      const found = await readCall(parts, knownReader(request), nameOf(request.params));
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return callJson(parts.publicUrl, found);
    },
  });
};

const registerBodies = (api: Api, parts: RecordingParts): void => {
  const sides: readonly Side[] = ["request", "response"];
  for (const side of sides)
    api.route({
      method: "GET",
      url: `/sessions/:id/calls/:n/${side}/body`,
      exposeHeadRoute: false,
      schema: {
        summary: `The recorded ${side} body, byte for byte as it is stored`,
        description: "Still in its own coding: dogwatch-content-type and dogwatch-content-encoding name what it was.",
        security,
        params: callParams,
        response: { 200: bytes, ...refusals },
      },
      handler: async (request, reply) => {
        const found = await readBody(parts, knownReader(request), { ...nameOf(request.params), side });
        if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
        const name = `${request.params.id}-${request.params.n}-${side}`;
        return reply.headers(bodyHeaders(found.meta, name)).send(Readable.from(found.stream, { objectMode: false }));
      },
    });
};

/** Whatever a caller or Datadog sent must never run in the browser of somebody who is signed in here. */
const bodyHeaders = (meta: StoredBodyMeta, name: string): Record<string, string> => ({
  "content-type": "application/octet-stream",
  "content-disposition": `attachment; filename="${name}"`,
  "content-security-policy": "sandbox; default-src 'none'",
  "x-content-type-options": "nosniff",
  "dogwatch-truncated": String(meta.truncated),
  ...headerOf("dogwatch-content-type", meta.content_type),
  ...headerOf("dogwatch-content-encoding", meta.encoding),
});

/** Recorded text goes into a header only if it can stand there. */
const headerOf = (name: string, value: string | null): Record<string, string> =>
  value === null || !/^[\x20-\x7e]{1,500}$/.test(value) ? {} : { [name]: value };

const nameOf = ({ id, n }: z.infer<typeof callParams>): { session_id: string; n: number } => ({ session_id: id, n });
