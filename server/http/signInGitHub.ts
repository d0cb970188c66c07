/** The routes of signing in with GitHub: away, and back. */

import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import {
  beginSignIn,
  callbackPath,
  finishSignIn,
  type GitHubSignInParts,
  isSignInRefusal,
  signedInFor,
} from "../journeys/signIn.ts";
import { messagePage, refusedPage } from "../web/signIn.ts";
import { type Cookies, ownPath } from "./cookies.ts";
import { sendPage } from "./page.ts";

export type GitHubRoutes = { readonly github: GitHubSignInParts | null; readonly cookies: Cookies };

/** A minute and address, which everybody behind a proxy shares: every one leaves a row for ten minutes. */
const limited = { config: { rateLimit: { max: 300, timeWindow: 60_000 } } };

export function registerGitHubSignIn(app: FastifyInstance, { github, cookies }: GitHubRoutes): void {
  if (github === null) {
    app.get("/sign-in/github", (_request, reply) => sendPage(reply.code(404), notOffered));
    return;
  }
  app.get("/sign-in/github", limited, async (request, reply) => {
    const to = ownPath(departure.parse(request.query).to, "/approvals");
    // Kept while it lasts: the same browser may be on its way in two tabs.
    const known = cookies.read(request, "browser") ?? "";
    const browser = /^[\w-]{43}$/.test(known) ? known : randomBytes(32).toString("base64url");
    cookies.write(reply, "browser", { value: browser, until: new Date(Date.now() + awayFor) });
    return reply.redirect(await beginSignIn(github, { browser, to }), 303);
  });
  app.get(callbackPath, limited, async (request, reply) => {
    const { state, code, error } = arrival.parse(request.query);
    const outcome = await finishSignIn(github, {
      browser: cookies.read(request, "browser"),
      state,
      code: code ?? null,
      error: error ?? null,
      before: cookies.read(request, "person"),
      from: request.ip,
    });
    if (isSignInRefusal(outcome)) return sendPage(reply.code(403), refusedPage(outcome));
    cookies.write(reply, "person", { value: outcome.cookie, until: new Date(Date.now() + signedInFor) });
    return reply.redirect(ownPath(outcome.to, "/approvals"), 303);
  });
}

/** ms; a little longer than a trip may take, which the store says. */
const awayFor = 15 * 60_000;

const departure = z.object({ to: z.string().max(2048).optional() });
const arrival = z.object({
  state: z.string().max(200).default(""),
  code: z.string().max(200).optional(),
  error: z.string().max(200).optional(),
});

const notOffered = messagePage(
  "Not signed in",
  "People cannot sign in with GitHub here: github.clientId and github.clientSecret are not in dogwatch.yaml, or signIn.github is false. Sign in with an access token.",
);
