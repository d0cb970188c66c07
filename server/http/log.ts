/** The log of seals over HTTP, as C2SP's tlog-tiles lays it out, and exports with their proof. */

import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import { whileAllowed } from "../journeys/export/whileAllowed.ts";
import { seesEverything } from "../journeys/history.ts";
import { type LogParts, readCheckpoint, readEntries, readKeys, readLogTile } from "../journeys/log.ts";
import { exportProof, type ProofParts } from "../journeys/proof.ts";
import { plainJson } from "../model/plainJson.ts";
import { admit, knownReader, readerOf, turnAway, type AccessParts, refusals } from "./access.ts";
import type { Api } from "./zodRoutes.ts";

export type LogRoutes = AccessParts & LogParts & ProofParts & { monotonic(): number };

/** Sent as they are; the schemas are for the description only. */
const text = (description: string) => ({ description, content: { "text/plain": { schema: z.any() } } });
const bytes = (description: string) => ({ description, content: { "application/octet-stream": { schema: z.any() } } });
const lines = { description: "JSON Lines", content: { "application/x-ndjson": { schema: z.any() } } };
const security = [{ session: [] }, { access: [] }];

/** Of one export: its address has to fit. */
const mostSessions = 100;

const proofQuery = z
  .strictObject({
    session: z
      .union([z.uuid(), z.array(z.uuid()).max(mostSessions)])
      .optional()
      .describe("Id of a session; several times for several"),
    all: z.literal("true").optional().describe("Every session that has ended"),
  })
  .refine(({ session, all }) => (session === undefined) !== (all === undefined), {
    error: "either session or all=true",
  });

export const registerLog = async (api: Api, parts: LogRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  registerHeads(api, parts);
  registerTiles(api, parts);
  api.route({
    method: "GET",
    url: "/proof",
    exposeHeadRoute: false,
    schema: {
      summary: "Sessions with their receipts, bodies, seals and proofs, for dogwatch verify; for auditor and admin",
      security: [{ access: [] }],
      querystring: proofQuery,
      response: { 200: lines, ...refusals },
    },
    handler: async (request, reply) => {
      const { session, all } = request.query;
      const wanted = all === undefined ? [session ?? []].flat() : "all";
      const found = await exportProof(parts, knownReader(request), wanted);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      const mayStill = async (): Promise<boolean> => {
        const now = await readerOf(parts, request);
        return !isApiRefusal(now) && seesEverything(now) === null;
      };
      const allowed = whileAllowed(found, { mayStill, monotonic: parts.monotonic });
      reply.header("content-disposition", 'attachment; filename="dogwatch-proof.jsonl"');
      // What breaks on the way ends the connection: without its last line the file is known to be cut.
      return reply.type("application/x-ndjson").send(Readable.from(written(allowed), { objectMode: false }));
    },
  });
};

const registerHeads = (api: Api, parts: LogRoutes): void => {
  api.route({
    method: "GET",
    url: "/log/checkpoint",
    schema: {
      summary: "The newest checkpoint of the log of seals, a signed note",
      security,
      response: { 200: text("https://c2sp.org/tlog-checkpoint"), ...refusals },
    },
    handler: async (request, reply) =>
      give(parts, { request, reply, type: "text/plain; charset=utf-8" }, await readCheckpoint(parts)),
  });
  api.route({
    method: "GET",
    url: "/log/key",
    schema: {
      summary: "Public keys of the log of seals, as signed notes write them; the first is the one that signs",
      security,
      response: { 200: text("One a line"), ...refusals },
    },
    handler: async (request, reply) =>
      give(parts, { request, reply, type: "text/plain; charset=utf-8" }, readKeys(parts)),
  });
};

const registerTiles = (api: Api, parts: LogRoutes): void => {
  const params = z.object({ "*": z.string().max(60) });
  api.route({
    method: "GET",
    url: "/log/tile/*",
    schema: {
      summary: "A tile of hashes, L/N[.p/W]",
      security,
      params,
      response: { 200: bytes("https://c2sp.org/tlog-tiles"), ...refusals },
    },
    handler: async (request, reply) =>
      give(parts, { request, reply, type: "application/octet-stream" }, await readLogTile(parts, request.params["*"])),
  });
  api.route({
    method: "GET",
    url: "/log/tile/entries/*",
    schema: {
      summary: "A bundle of seals, entries/N[.p/W]; for auditor and admin",
      security: [{ access: [] }],
      params,
      response: { 200: bytes("https://c2sp.org/tlog-tiles"), ...refusals },
    },
    handler: async (request, reply) =>
      give(
        parts,
        { request, reply, type: "application/octet-stream" },
        await readEntries(parts, knownReader(request), request.params["*"]),
      ),
  });
};

type Asked = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly type: string };

const give = (parts: LogRoutes, { request, reply, type }: Asked, found: string | Buffer | ApiRefusal): FastifyReply => {
  if (typeof found === "string" || Buffer.isBuffer(found)) return reply.type(type).send(found);
  return reply.send(turnAway(parts, { request, reply }, found));
};

async function* written(found: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of found) yield `${plainJson(line)}\n`;
}
