/** The routes of signing in as oneself: away to a provider, and back. */

import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import {
  beginSignIn,
  callbackPathOf,
  finishSignIn,
  type IdentityProvider,
  isSignInRefusal,
  signedInFor,
  type SignInParts,
} from "../journeys/signIn.ts";
import { messagePage, refusedPage } from "../web/signIn.ts";
import { type Cookies, ownPath } from "./cookies.ts";
import { sendPage } from "./page.ts";

export type ProviderRoutes = { readonly people: SignInParts; readonly cookies: Cookies };

/** A minute and address, which everybody behind a proxy shares: every one leaves a row for ten minutes. */
const limited = { config: { rateLimit: { max: 300, timeWindow: 60_000 } } };

export function registerProviders(app: FastifyInstance, { people, cookies }: ProviderRoutes): void {
  const providerOf = (params: unknown): IdentityProvider | undefined =>
    people.providers().find(({ name }) => name === providerParams.parse(params).provider);

  app.get("/sign-in/:provider", limited, async (request, reply) => {
    const provider = providerOf(request.params);
    if (provider === undefined) return sendPage(reply.code(404), notOffered);
    const to = ownPath(departure.parse(request.query).to, landing);
    // Kept while it lasts: the same browser may be on its way in two tabs.
    const known = cookies.read(request, "browser") ?? "";
    const browser = /^[\w-]{43}$/.test(known) ? known : randomBytes(32).toString("base64url");
    const address = await beginSignIn(people, provider, { browser, to });
    if (typeof address !== "string") return sendPage(reply.code(502), refusedPage(address));
    cookies.write(reply, "browser", { value: browser, until: new Date(Date.now() + awayFor) });
    return reply.redirect(address, 303);
  });
  app.get(callbackPathOf(":provider"), limited, async (request, reply) => {
    const provider = providerOf(request.params);
    if (provider === undefined) return sendPage(reply.code(404), notOffered);
    const outcome = await finishSignIn(people, provider, {
      browser: cookies.read(request, "browser"),
      state: arrival.parse(request.query).state,
      query: request.url.split("?").slice(1).join("?"),
      before: cookies.read(request, "person"),
      from: request.ip,
    });
    if (isSignInRefusal(outcome)) return sendPage(reply.code(403), refusedPage(outcome));
    cookies.write(reply, "person", { value: outcome.cookie, until: new Date(Date.now() + signedInFor) });
    return reply.redirect(ownPath(outcome.to, landing), 303);
  });
}

/** ms; a little longer than a trip may take, which the store says. */
const awayFor = 15 * 60_000;

const landing = "/approvals";

const providerParams = z.object({ provider: z.string().max(100) });
const departure = z.object({ to: z.string().max(2048).optional() });
/** A state that is there twice is none. */
const arrival = z.object({ state: z.string().max(200).catch("").default("") });

const notOffered = messagePage(
  "Not signed in",
  "People cannot sign in that way here: for GitHub it takes github.clientId and github.clientSecret in dogwatch.yaml, for any other provider an entry in signIn.oidc. Sign in with an access token.",
);
