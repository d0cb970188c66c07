/** The search page: who looks finds what the API finds for them, and what cannot be understood is said under the box. */

import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import type { Reader } from "../journeys/history.ts";
import { isQueryProblem, readQuery } from "../journeys/search/language.ts";
import { searchCalls, type SearchParts } from "../journeys/search/search.ts";
import { findsOf } from "../journeys/search/who.ts";
import type { Page } from "../web/layout.ts";
import { noSearchPage, searchPage } from "../web/search.ts";
import { type FrameParts, show } from "./page.ts";
import { hitJson } from "./search.ts";

export type SearchPageParts = FrameParts & { readonly search: SearchParts; readonly publicUrl: string };

/** A search may take a second and a half of the database's time; many share the address of their network. */
const limited = { config: { rateLimit: { max: 300, timeWindow: 60_000 } } };
const onOnePage = 50;

const asked = z.object({ q: z.string().max(10_000).optional(), cursor: z.string().min(1).max(500).optional() });

export function registerSearchPage(app: FastifyInstance, parts: SearchPageParts): void {
  app.get("/search", limited, (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      if (findsOf(reader) !== "nothing") return pageFor(parts, reader, request);
      reply.code(403);
      const gitHub = parts.signIn.ways("/search").providers.some(({ name }) => name === "github");
      return noSearchPage({ who: whoOf(reader), gitHub });
    }),
  );
}

const whoOf = (reader: Reader): Parameters<typeof noSearchPage>[0]["who"] => {
  switch (reader.kind) {
    case "person":
      return { kind: "person", name: reader.person.name };
    case "access":
      return { kind: "token", role: reader.role };
    case "session":
      throw new Error("nobody looks at a page with a session token");
    default:
      return reader satisfies never;
  }
};

/** What was not understood is a page all the same: the browser is to show it without complaint. */
const pageFor = async (
  { search, publicUrl }: SearchPageParts,
  reader: Reader,
  request: FastifyRequest,
): Promise<Page | ApiRefusal> => {
  const { q, cursor } = asked.parse(request.query);
  if (q === undefined) return searchPage({ kind: "not asked", q: "" });
  const read = readQuery(q, search.now());
  if (isQueryProblem(read)) return searchPage({ kind: "misunderstood", q, ...read });
  const found = await searchCalls(search, reader, { q, cursor, limit: onOnePage });
  if (isApiRefusal(found)) return found;
  return searchPage({
    kind: "found",
    q,
    items: found.items.map((hit) => hitJson(publicUrl, hit)),
    next_cursor: found.next_cursor,
    isFirst: cursor === undefined,
  });
};
