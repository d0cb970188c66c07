/** The pages for people: sessions, one session, one call. Whoever is not signed in is asked to, and told nothing else. */

import { Readable } from "node:stream";
import helmet from "@fastify/helmet";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ApiRefusal, apiStatusOf, isApiRefusal } from "../errors.ts";
import {
  type HistoryParts,
  type Page,
  type Reader,
  listCalls,
  listSessions,
  readBody,
  readCall,
  readSession,
} from "../journeys/history.ts";
import { type PolicyParts, readPolicy } from "../journeys/rules.ts";
import type { Html } from "../web/html.ts";
import { stylesheet } from "../web/layout.ts";
import { policyPage } from "../web/policy.ts";
import { callPage, sessionPage, sessionsPage } from "../web/sessions.ts";
import { messagePage, signInPage } from "../web/signIn.ts";
import { refusalOf } from "./complain.ts";
import { callJson, sessionJson } from "./json.ts";
import { digestParams, policyJson } from "./policies.ts";
import { type SignIn, sendPage } from "./signIn.ts";

export type PageParts = {
  readonly history: HistoryParts & PolicyParts;
  readonly signIn: SignIn;
  readonly publicUrl: string;
};

export async function registerPages(app: FastifyInstance, parts: PageParts): Promise<void> {
  const { history, publicUrl } = parts;
  await app.register(helmet, { contentSecurityPolicy, strictTransportSecurity: false });
  app.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  });
  app.setErrorHandler(answerPageError);
  await app.register(async (scope) => parts.signIn.register(scope));
  app.get("/", (_request, reply) => reply.redirect("/sessions"));
  app.get("/assets/dogwatch.css", (_request, reply) =>
    reply.type("text/css").header("cache-control", "max-age=300").send(stylesheet),
  );

  app.get("/sessions", (request, reply) =>
    show(parts, { request, reply }, async (reader) => {
      const sessions = await listSessions(history, reader, { limit: 50, ...cursorOf(request) });
      return isApiRefusal(sessions)
        ? sessions
        : sessionsPage(mapPage(sessions, (session) => sessionJson(publicUrl, session)));
    }),
  );
  app.get("/sessions/:id", (request, reply) =>
    show(parts, { request, reply }, async (reader) => {
      const { id } = sessionParams.parse(request.params);
      const session = await readSession(history, reader, id);
      if (isApiRefusal(session)) return session;
      const calls = await listCalls(history, reader, { session_id: id, limit: 200, ...cursorOf(request) });
      if (isApiRefusal(calls)) return calls;
      return sessionPage(
        sessionJson(publicUrl, session),
        mapPage(calls, (call) => callJson(publicUrl, call)),
      );
    }),
  );
  app.get("/sessions/:id/calls/:n", (request, reply) =>
    show(parts, { request, reply }, async (reader) => {
      const { id, n } = callParams.parse(request.params);
      const call = await readCall(history, reader, { session_id: id, n });
      return isApiRefusal(call) ? call : callPage(callJson(publicUrl, call));
    }),
  );
  app.get("/policies/:digest", (request, reply) =>
    show(parts, { request, reply }, async (reader) => {
      const policy = await readPolicy(history, reader, digestParams.parse(request.params).digest);
      return isApiRefusal(policy) ? policy : policyPage(policyJson(publicUrl, policy));
    }),
  );
  app.get("/sessions/:id/calls/:n/:side/body", (request, reply) => sendBody(parts, { request, reply }));
}

/** Bytes as they were recorded, for saving: never rendered by a browser as anything. */
async function sendBody(parts: PageParts, { request, reply }: Asked): Promise<FastifyReply> {
  const reader = readerOf(parts, request);
  if (reader === null) return reply.redirect(`/sign-in?to=${encodeURIComponent(request.url)}`);
  const { id, n, side } = bodyParams.parse(request.params);
  const body = await readBody(parts.history, reader, { session_id: id, n, side });
  if (isApiRefusal(body)) return sendRefusal(reply, body);
  return reply
    .header("content-disposition", `attachment; filename="${id}-${n}-${side}"`)
    .type("application/octet-stream")
    .send(Readable.from(body.stream));
}

type Asked = { readonly request: FastifyRequest; readonly reply: FastifyReply };

async function show(
  parts: PageParts,
  { request, reply }: Asked,
  page: (reader: Reader) => Promise<Html | ApiRefusal>,
): Promise<FastifyReply> {
  const reader = readerOf(parts, request);
  if (reader === null) return sendPage(reply.code(401), signInPage(request.url, null));
  const content = await page(reader);
  return isApiRefusal(content) ? sendRefusal(reply, content) : sendPage(reply, content);
}

function readerOf({ signIn }: PageParts, request: FastifyRequest): Reader | null {
  const token = signIn.who(request);
  return token === null ? null : { kind: "access", name: token.name, role: token.role };
}

const sendRefusal = (reply: FastifyReply, { code, message }: ApiRefusal): FastifyReply =>
  sendPage(reply.code(apiStatusOf[code]), messagePage(code === "not_found" ? "Not found" : "Not shown", message));

/** An address that no link of ours has is not found; what else went wrong is said without a word of the inside. */
function answerPageError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof z.ZodError) return sendPage(reply.code(404), noSuchPage);
  const refusal = refusalOf(error);
  if (refusal !== null) return sendRefusal(reply, refusal);
  request.log.error({ err: error, route: request.routeOptions.url }, "a page failed");
  return sendPage(reply.code(500), brokenPage);
}

const noSuchPage = messagePage(
  "Not found",
  "There is no such session, call or policy. Links to recordings end in /sessions/ID or /sessions/ID/calls/N.",
);

const brokenPage = messagePage("Not shown", "Something is broken in the gateway; its log says what.");

const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

const sessionParams = z.object({ id: z.uuid() });
const callParams = sessionParams.extend({ n: z.coerce.number().int().min(1).max(2_147_483_647) });

const bodyParams = callParams.extend({ side: z.enum(["request", "response"]) });

const cursorOf = (request: FastifyRequest): { readonly cursor?: string } => {
  const { cursor } = z.object({ cursor: z.string().max(1000).optional() }).parse(request.query);
  return cursor === undefined ? {} : { cursor };
};

const mapPage = <T, J>(page: Page<T>, item: (value: T) => J): Page<J> => ({
  items: page.items.map(item),
  next_cursor: page.next_cursor,
});
