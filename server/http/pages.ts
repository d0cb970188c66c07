/** The pages for people: sessions, one session, one call, what waits for an answer. Whoever is not signed in is asked to, and told nothing else. */

import { Readable } from "node:stream";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { apiStatusOf, isApiRefusal } from "../errors.ts";
import type { PageParts as ApprovalParts } from "../journeys/approval/page.ts";
import { type Page, listSessions, readBody, readCall } from "../journeys/history.ts";
import { type OutlineParts, readOutline } from "../journeys/outline.ts";
import type { PolicyParts } from "../journeys/rules.ts";
import type { TryParts } from "../journeys/policy/tryText.ts";
import { findsOf } from "../journeys/search/who.ts";
import { readAsset } from "../web/assets.ts";
import { overviewPage } from "../web/policy.ts";
import { callPage, sessionPage, sessionsPage } from "../web/sessions.ts";
import { registerApprovalPages } from "./approvalPages.ts";
import { callJson, sessionJson } from "./json.ts";
import { type Asked, answerPageError, refusalPage, sendPage, show, strictPolicy } from "./page.ts";
import { outlinedCallJson } from "./outline.ts";
import { registerPolicyPages } from "./policyPages.ts";
import { registerReplayPages, type ReplayPagesParts } from "./replayPages.ts";
import { registerSearchPage, type SearchPageParts } from "./searchPage.ts";
import { registerSetupPages, type SetupPagesParts } from "./setup.ts";
import type { SignIn } from "./signIn.ts";
import { registerUndoPages, type UndoPagesParts } from "./undoPages.ts";

export type PageParts = {
  readonly history: OutlineParts & PolicyParts & TryParts;
  readonly search: SearchPageParts["search"];
  readonly approvals: ApprovalParts;
  readonly signIn: SignIn;
  readonly replaying: ReplayPagesParts["replaying"];
  readonly undoing: UndoPagesParts["undoing"];
  readonly publicUrl: string;
  /** The digest of the policy that decides now. */
  policyInForce(): string;
  readonly setup: Omit<SetupPagesParts, "signIn" | "approvals">;
};

export async function registerPages(app: FastifyInstance, parts: PageParts): Promise<void> {
  const { history, publicUrl, signIn } = parts;
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: strictPolicy },
    strictTransportSecurity: false,
    // Nothing to others, and to ourselves enough that a form says where it was.
    referrerPolicy: { policy: "same-origin" },
  });
  await app.register(rateLimit, { global: false });
  app.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  });
  app.setErrorHandler(answerPageError);
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  signIn.register(app);
  registerApprovalPages(app, parts);
  registerSearchPage(app, parts);
  registerSetupPages(app, { ...parts.setup, signIn, approvals: parts.approvals });
  app.get("/", async (request, reply) => {
    const viewer = await signIn.viewer(request);
    return reply.redirect(viewer?.reader.kind === "person" ? "/approvals" : "/sessions");
  });
  app.get("/assets/:file", (request, reply) => {
    const asset = readAsset(request.url);
    if (asset === null) return reply.code(404).send("");
    // The name says what is in it.
    return reply.type(asset.type).header("cache-control", "public, max-age=31536000, immutable").send(asset.bytes);
  });

  app.get("/sessions", (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const sessions = await listSessions(history, reader, { limit: 50, ...cursorOf(request) });
      return isApiRefusal(sessions)
        ? sessions
        : sessionsPage(mapPage(sessions, (session) => sessionJson(publicUrl, session)));
    }),
  );
  app.get("/sessions/:id", (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const { id } = sessionParams.parse(request.params);
      const found = await readOutline(history, reader, { session_id: id, limit: 200, after: afterOf(request) });
      if (isApiRefusal(found)) return found;
      return sessionPage(sessionJson(publicUrl, found.session), {
        items: found.items.map(outlinedCallJson),
        more: found.more,
        provable: findsOf(reader) === "everything",
      });
    }),
  );
  app.get("/sessions/:id/calls/:n", (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const { id, n } = callParams.parse(request.params);
      const call = await readCall(history, reader, { session_id: id, n });
      return isApiRefusal(call) ? call : callPage(callJson(publicUrl, call));
    }),
  );
  // It says nothing by itself: what is on it the script reads as whoever looks.
  app.get("/overview", (request, reply) => show(parts, { request, reply }, async () => overviewPage));
  const forms = { ...parts, audit: parts.approvals.audit };
  registerPolicyPages(app, forms);
  registerReplayPages(app, forms);
  registerUndoPages(app, forms);
  app.get("/sessions/:id/calls/:n/:side/body", { exposeHeadRoute: false }, (request, reply) =>
    sendBody(parts, { request, reply }),
  );
}

/** Bytes as they were recorded, for saving: never rendered by a browser as anything. */
async function sendBody(parts: PageParts, { request, reply }: Asked): Promise<FastifyReply> {
  const viewer = await parts.signIn.viewer(request);
  if (viewer === null) return reply.redirect(`/sign-in?to=${encodeURIComponent(request.url)}`);
  const { id, n, side } = bodyParams.parse(request.params);
  const body = await readBody(parts.history, viewer.reader, { session_id: id, n, side });
  if (isApiRefusal(body)) return sendPage(reply.code(apiStatusOf[body.code]), refusalPage(body));
  return reply
    .header("content-disposition", `attachment; filename="${id}-${n}-${side}"`)
    .type("application/octet-stream")
    .send(Readable.from(body.stream));
}

const sessionParams = z.object({ id: z.uuid() });
const callParams = sessionParams.extend({ n: z.coerce.number().int().min(1).max(2_147_483_647) });

const bodyParams = callParams.extend({ side: z.enum(["request", "response"]) });

const cursorOf = (request: FastifyRequest): { readonly cursor?: string } => {
  const { cursor } = z.object({ cursor: z.string().max(1000).optional() }).parse(request.query);
  return cursor === undefined ? {} : { cursor };
};

const afterOf = (request: FastifyRequest): number =>
  z.object({ after: z.coerce.number().int().min(0).max(2_147_483_647).default(0) }).parse(request.query).after;

const mapPage = <T, J>(page: Page<T>, item: (value: T) => J): Page<J> => ({
  items: page.items.map(item),
  next_cursor: page.next_cursor,
});
