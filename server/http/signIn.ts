/** Signs people in on the pages: as themselves with a provider, with an access token, or once with a link that `npm start` prints. */

import { createHash, randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Viewer } from "../journeys/approval/page.ts";
import { isSeer } from "../journeys/history.ts";
import { endSignIn, personOf, signedInFor, type SignInParts as PeopleParts, titleOf } from "../journeys/signIn.ts";
import { endTokenSignIn, holderOf, signInWith, type TokenSignInParts } from "../journeys/tokenSignIn.ts";
import type { AccessToken } from "../model/config.ts";
import type { Person } from "../model/person.ts";
import { messagePage, type SignInWays, signInPage } from "../web/signIn.ts";
import { type Cookies, createCookies, isFromElsewhere, ownPath } from "./cookies.ts";
import { sendPage } from "./page.ts";
import { sameSecret } from "./sameSecret.ts";
import { registerProviders } from "./signInProviders.ts";

export type SignInParts = PeopleParts & TokenSignInParts & { now(): Date };

export type SignIn = {
  readonly cookies: Cookies;
  /** The routes of `/sign-in` and `/sign-out`. */
  register(app: FastifyInstance): void;
  /** Who is signed in with an access token. Rejects with `GatewayError` when that cannot be looked up. */
  holder(request: FastifyRequest): Promise<AccessToken | null>;
  /** Who is signed in as themselves. Rejects with `GatewayError` when that cannot be looked up. */
  person(request: FastifyRequest): Promise<Person | null>;
  /** As whom a browser looks: as the person, but with the token where that alone sees everything. Null for strangers. */
  viewer(request: FastifyRequest): Promise<Viewer | null>;
  /** What the page for strangers offers; `to`: the page that was asked for. */
  ways(to: string): SignInWays;
  /** A path that signs in as this token's holder, once, within ten minutes; then leads to `to`. */
  invite(name: string, to: string): string;
};

const invitedFor = 10 * 60 * 1000;
/** Links that wait at a time: the oldest makes room. */
const mostInvitations = 1_000;
/** Sign-ins a minute that one address may try: a person needs one, and a guess should be expensive. */
const triesPerMinute = 30;

export function createSignIn(parts: SignInParts): SignIn {
  const cookies = createCookies(parts.publicUrl);
  const invitations: Invitations = new Map();
  const holder = async (request: FastifyRequest): Promise<AccessToken | null> => {
    const cookie = cookies.read(request, "sign_in");
    return cookie === null ? null : holderOf(parts, cookie);
  };
  const person = async (request: FastifyRequest): Promise<Person | null> => {
    const cookie = cookies.read(request, "person");
    const reads = request.method === "GET" || request.method === "HEAD";
    // Whoever acts has the right now; whoever looks had it a minute ago.
    return cookie === null ? null : personOf(parts, cookie, reads ? "lately" : "now");
  };
  const ways = (to: string): SignInWays => ({
    to,
    providers: parts.providers().map(({ name }) => ({ name, title: titleOf(name) })),
    complaint: null,
  });
  return {
    cookies,
    holder,
    person,
    ways,
    viewer: async (request) => {
      const [token, somebody] = await Promise.all([holder(request), person(request)]);
      const byToken = token !== null && isSeer(token.role) && !(somebody !== null && isSeer(somebody.role));
      if (somebody !== null && !byToken) return { reader: { kind: "person", person: somebody }, person: somebody };
      return token === null
        ? null
        : { reader: { kind: "access", name: token.name, role: token.role }, person: somebody };
    },
    register: (app) => {
      registerWithToken(app, parts, { cookies, invitations, ways });
      registerSignOut(app, parts, cookies);
      registerProviders(app, { people: parts, cookies });
    },
    invite: (name, to) => {
      const invitation = randomBytes(32).toString("base64url");
      const [oldest] = invitations.keys();
      if (invitations.size >= mostInvitations && oldest !== undefined) invitations.delete(oldest);
      invitations.set(digestOf(invitation), { name, to, until: parts.now().getTime() + invitedFor });
      return `/sign-in/once/${invitation}`;
    },
  };
}

type Invitations = Map<string, { readonly name: string; readonly to: string; readonly until: number }>;

type Desk = { readonly cookies: Cookies; readonly invitations: Invitations; ways(to: string): SignInWays };

type Welcome = { readonly token: AccessToken; readonly to: string; readonly how: string };

function registerWithToken(app: FastifyInstance, parts: SignInParts, { cookies, invitations, ways }: Desk): void {
  const welcome = async (request: FastifyRequest, reply: FastifyReply, { token, ...more }: Welcome) => {
    const before = cookies.read(request, "sign_in");
    const value = await signInWith(parts, token, { ...more, before });
    cookies.write(reply, "sign_in", { value, until: new Date(parts.now().getTime() + signedInFor) });
    return reply.redirect(more.to, 303);
  };
  const turnAway = (reply: FastifyReply, to: string, complaint: string): FastifyReply =>
    sendPage(reply.code(401), signInPage({ ...ways(to), complaint }));
  const refused = (request: FastifyRequest, what: string, reason: string): void =>
    parts.audit({ kind: "sign_in_refused", who: request.ip, what, reason });

  app.get("/sign-in", (request, reply) =>
    sendPage(reply, signInPage(ways(ownPath(query.parse(request.query).to, "/sessions")))),
  );
  const limited = { config: { rateLimit: { max: triesPerMinute, timeWindow: 60_000 } } };
  app.post("/sign-in", limited, async (request, reply) => {
    const { token: presented, to: asked } = form.parse(request.body ?? {});
    const to = ownPath(asked, "/sessions");
    if (isFromElsewhere(request)) return sendPage(reply.code(403), elsewhere);
    const [token] = parts.tokens().filter((known) => sameSecret(known.token.reveal(), presented));
    if (token !== undefined) return welcome(request, reply, { token, to, how: "access token" });
    refused(request, to, "no such access token");
    return turnAway(reply, to, "That is no access token of this gateway.");
  });
  app.get("/sign-in/once/:invitation", limited, async (request, reply) => {
    // A page that sends browsers here signs nobody in as somebody else.
    if (isFromElsewhere(request)) return sendPage(reply.code(403), linkElsewhere);
    const digest = digestOf(invitationParams.parse(request.params).invitation);
    const invitation = invitations.get(digest);
    invitations.delete(digest);
    const token = parts.tokens().find(({ name }) => name === invitation?.name);
    const valid = invitation !== undefined && invitation.until >= parts.now().getTime();
    if (valid && token !== undefined)
      return welcome(request, reply, { token, to: invitation.to, how: "link that works once" });
    refused(request, "link that works once", "it was used, has expired, or never was");
    return turnAway(reply, "/sessions", "That link has been used or has expired.");
  });
}

function registerSignOut(app: FastifyInstance, parts: SignInParts, cookies: Cookies): void {
  app.post("/sign-out", async (request, reply) => {
    const { form: presented } = signOutForm.parse(request.body ?? {});
    if (!cookies.isOurForm(request, presented)) return sendPage(reply.code(403), notOurForm);
    const [person, token] = [cookies.read(request, "person"), cookies.read(request, "sign_in")];
    if (person !== null) await endSignIn(parts, person);
    if (token !== null) await endTokenSignIn(parts, token);
    for (const name of ["person", "sign_in", "browser"] as const) cookies.clear(reply, name);
    return reply.redirect("/sign-in", 303);
  });
}

const query = z.object({ to: z.string().max(2048).optional() });
const form = z.object({ token: z.string().max(4096).default(""), to: z.string().max(2048).optional() });
const signOutForm = z.object({ form: z.string().max(200).default("") });
const invitationParams = z.object({ invitation: z.string().max(100) });

const elsewhere = messagePage("Not signed in", "The form was on another site. Sign in on this gateway's own page.");

const linkElsewhere = messagePage(
  "Not signed in",
  "The link was on another site's page. It still works: copy it into the browser's address line.",
);

export const notOurForm = messagePage(
  "Nothing was done",
  "This form does not belong to your sign-in any more, or came from another site. Go back, reload the page, and send it again.",
);

const digestOf = (value: string): string => createHash("sha256").update(value).digest("hex");
