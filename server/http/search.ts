/** Search over HTTP, and recordings to take along. */

import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ExportFormat, exportFormats, page, searchHit, type SearchHitJson } from "../contract.ts";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import { exportSearch, exportSession, type ExportParts } from "../journeys/export.ts";
import { writeCurl } from "../journeys/export/curl.ts";
import { writeHar } from "../journeys/export/har.ts";
import type { ReadCall } from "../journeys/history.ts";
import { plainJson } from "../model/plainJson.ts";
import { type Hit, searchCalls } from "../journeys/search/search.ts";
import { type AccessParts, admit, knownReader, readerOf, refusals, turnAway } from "./access.ts";
import { callJson, pageJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type SearchRoutes = AccessParts & ExportParts & { readonly publicUrl: string; readonly version: string };

const q = z
  .string()
  .max(10_000)
  .default("")
  .describe("The search, as docs/search.md has its language; empty: every call");
const searchQuery = z.strictObject({
  q,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(500).optional(),
});
const format = z.enum(exportFormats).default("jsonl");
const security = [{ access: [] }];
const mediaTypes: Readonly<Record<ExportFormat, string>> = {
  har: "application/json",
  jsonl: "application/x-ndjson",
  curl: "text/x-shellscript; charset=utf-8",
};
const endings: Readonly<Record<ExportFormat, string>> = { har: "har", jsonl: "jsonl", curl: "sh" };
/** Sent as it is; the schema is for the description only. */
const exported = {
  description: "HAR 1.2, JSON Lines of calls, or a shell script",
  content: { "application/octet-stream": { schema: z.any() } },
};

export const registerSearch = async (api: Api, parts: SearchRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "GET",
    url: "/search",
    schema: {
      summary:
        "Calls that a search finds, newest first, without bodies; for auditor, admin, and people of their repositories",
      description:
        "A page may have fewer items than asked for, or none, and a next_cursor: the time for it was over, and the next page goes on.",
      security,
      querystring: searchQuery,
      response: { 200: page(searchHit), ...refusals },
    },
    handler: async (request, reply) => {
      const found = await searchCalls(parts, knownReader(request), request.query);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, (hit) => hitJson(parts.publicUrl, hit));
    },
  });
  api.route({
    method: "GET",
    url: "/search/export",
    exposeHeadRoute: false,
    schema: {
      summary:
        "Calls that a search finds, newest first, with their bodies; for auditor, admin, and people of their repositories",
      security,
      querystring: z.strictObject({ q, format }),
      response: { 200: exported, ...refusals },
    },
    handler: async (request, reply) => {
      const found = await exportSearch(parts, knownReader(request), {
        q: request.query.q,
        readerNow: () => readerOf(parts, request),
      });
      return give(parts, { request, reply, format: request.query.format, name: "dogwatch-search" }, found);
    },
  });
  api.route({
    method: "GET",
    url: "/sessions/:id/export",
    // Without a reader all of it would be read at once, for nobody.
    exposeHeadRoute: false,
    schema: {
      summary: "The calls of a session in order, with their bodies; for auditor, admin, and people of its repository",
      security,
      params: z.object({ id: z.uuid() }),
      querystring: z.strictObject({ format }),
      response: { 200: exported, ...refusals },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const found = await exportSession(parts, knownReader(request), {
        id,
        readerNow: () => readerOf(parts, request),
      });
      return give(parts, { request, reply, format: request.query.format, name: `dogwatch-${id}` }, found);
    },
  });
};

export const hitJson = (publicUrl: string, { call, connection, caller, excerpts }: Hit): SearchHitJson => ({
  ...callJson(publicUrl, { call, bodies: { request: null, response: null } }),
  connection,
  subject: caller.subject,
  repository: repositoryOf(caller.claims["repository"]),
  excerpts: excerpts.map(({ where, text, marks }) => ({ where, text, marks: marks.map(([from, to]) => [from, to]) })),
});

const repositoryOf = (claim: unknown): string | null => (typeof claim === "string" && claim !== "" ? claim : null);

type Given = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly format: ExportFormat;
  readonly name: string;
};

/** What breaks on the way ends the connection, and a file without its end is known to be cut. */
const give = (
  parts: SearchRoutes,
  { request, reply, format: wanted, name }: Given,
  found: AsyncIterable<ReadCall> | ApiRefusal,
): FastifyReply => {
  if ("code" in found) return reply.send(turnAway(parts, { request, reply }, found));
  return reply
    .headers({
      "content-disposition": `attachment; filename="${name}.${endings[wanted]}"`,
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    })
    .type(mediaTypes[wanted])
    .send(Readable.from(written(parts, wanted, found), { objectMode: false }));
};

const written = (parts: SearchRoutes, wanted: ExportFormat, calls: AsyncIterable<ReadCall>): AsyncIterable<string> => {
  switch (wanted) {
    case "har":
      return writeHar(calls, parts.version);
    case "curl":
      return writeCurl(calls);
    case "jsonl":
      return writeLines(parts.publicUrl, calls);
    default:
      return wanted satisfies never;
  }
};

async function* writeLines(publicUrl: string, calls: AsyncIterable<ReadCall>): AsyncGenerator<string> {
  for await (const call of calls) yield `${plainJson(callJson(publicUrl, call))}\n`;
}
