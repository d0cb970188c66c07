/** Signs people in on the pages: with GitHub as themselves, with an access token, or once with a link that `npm start` prints. */

import { createHash, createHmac, randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Viewer } from "../journeys/approval/page.ts";
import { endSignIn, type GitHubSignInParts, personOf } from "../journeys/signIn.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { AccessToken } from "../model/config.ts";
import type { Person } from "../model/person.ts";
import { messagePage, type SignInWays, signInPage } from "../web/signIn.ts";
import { type Cookies, createCookies, isFromElsewhere, ownPath } from "./cookies.ts";
import { sendPage } from "./page.ts";
import { sameSecret } from "./sameSecret.ts";
import { registerGitHubSignIn } from "./signInGitHub.ts";

export type SignInParts = {
  readonly publicUrl: string;
  tokens(): readonly AccessToken[];
  now(): Date;
  audit(event: AuditEvent): void;
  /** Null where people cannot sign in with GitHub. */
  readonly github: GitHubSignInParts | null;
};

export type SignIn = {
  readonly cookies: Cookies;
  /** The routes of `/sign-in` and `/sign-out`. */
  register(app: FastifyInstance): void;
  /** Who is signed in with an access token, by the request's cookie: proof, not state. */
  holder(request: FastifyRequest): AccessToken | null;
  /** Who is signed in as themselves. Rejects with `GatewayError` when that cannot be looked up. */
  person(request: FastifyRequest): Promise<Person | null>;
  /** As whom a browser looks: with the token that sees everything, else as the person, else with the token. Null for strangers. */
  viewer(request: FastifyRequest): Promise<Viewer | null>;
  /** What the page for strangers offers; `to`: the page that was asked for. */
  ways(to: string): SignInWays;
  /** A path that signs in as this token's holder, once, within ten minutes; then leads to `to`. */
  invite(name: string, to: string): string;
};

const signedInFor = 12 * 60 * 60 * 1000;
const invitedFor = 10 * 60 * 1000;
/** Sign-ins a minute that one address may try: a person needs one, and a guess should be expensive. */
const triesPerMinute = 30;

export function createSignIn(parts: SignInParts): SignIn {
  const cookies = createCookies(parts.publicUrl);
  const invitations: Invitations = new Map();
  const holder = (request: FastifyRequest): AccessToken | null => {
    const cookie = cookies.read(request, "sign_in");
    return cookie === null ? null : open(cookie, parts.tokens(), parts.now().getTime());
  };
  const person = async (request: FastifyRequest): Promise<Person | null> => {
    const cookie = cookies.read(request, "person");
    return cookie === null || parts.github === null ? null : personOf(parts.github, cookie);
  };
  const ways = (to: string): SignInWays => ({ to, github: parts.github !== null, complaint: null });
  return {
    cookies,
    holder,
    person,
    ways,
    viewer: async (request) => {
      const token = holder(request);
      const somebody = await person(request);
      const seesAll = token?.role === "auditor" || token?.role === "admin";
      if (somebody !== null && !seesAll) return { reader: { kind: "person", person: somebody }, person: somebody };
      return token === null
        ? null
        : { reader: { kind: "access", name: token.name, role: token.role }, person: somebody };
    },
    register: (app) => {
      registerWithToken(app, parts, { cookies, invitations, ways });
      registerSignOut(app, parts, cookies);
      registerGitHubSignIn(app, { github: parts.github, cookies });
    },
    invite: (name, to) => {
      const invitation = randomBytes(24).toString("base64url");
      invitations.set(digestOf(invitation), { name, to, until: parts.now().getTime() + invitedFor });
      return `/sign-in/once/${invitation}`;
    },
  };
}

type Invitations = Map<string, { readonly name: string; readonly to: string; readonly until: number }>;

type Desk = { readonly cookies: Cookies; readonly invitations: Invitations; ways(to: string): SignInWays };

function registerWithToken(app: FastifyInstance, parts: SignInParts, { cookies, invitations, ways }: Desk): void {
  const welcome = (reply: FastifyReply, token: AccessToken, to: string): FastifyReply => {
    const until = new Date(parts.now().getTime() + signedInFor);
    parts.audit({ kind: "sign_in", who: nameOf(token), what: to, reason: "access token" });
    cookies.write(reply, "sign_in", { value: seal(token, until.getTime()), until });
    return reply.redirect(to, 303);
  };
  const turnAway = (reply: FastifyReply, to: string, complaint: string): FastifyReply =>
    sendPage(reply.code(401), signInPage({ ...ways(to), complaint }));

  app.get("/sign-in", (request, reply) =>
    sendPage(reply, signInPage(ways(ownPath(query.parse(request.query).to, "/sessions")))),
  );
  const limited = { config: { rateLimit: { max: triesPerMinute, timeWindow: 60_000 } } };
  app.post("/sign-in", limited, (request, reply) => {
    const { token: presented, to: asked } = form.parse(request.body ?? {});
    const to = ownPath(asked, "/sessions");
    if (isFromElsewhere(request)) return sendPage(reply.code(403), elsewhere);
    const token = parts.tokens().find((known) => sameSecret(known.token.reveal(), presented));
    if (token !== undefined) return welcome(reply, token, to);
    parts.audit({ kind: "sign_in_refused", who: request.ip, what: to, reason: "no such access token" });
    return turnAway(reply, to, "That is no access token of this gateway.");
  });
  app.get("/sign-in/once/:invitation", (request, reply) => {
    const digest = digestOf(invitationParams.parse(request.params).invitation);
    const invitation = invitations.get(digest);
    invitations.delete(digest);
    const token = parts.tokens().find(({ name }) => name === invitation?.name);
    const valid = invitation !== undefined && invitation.until >= parts.now().getTime();
    if (valid && token !== undefined) return welcome(reply, token, invitation.to);
    return turnAway(reply, "/sessions", "That link has been used or has expired.");
  });
}

/** A token's cookie is proof without state: it ends with the browser's copy, a person's sign-in everywhere. */
function registerSignOut(app: FastifyInstance, { tokens, now, audit, github }: SignInParts, cookies: Cookies): void {
  app.post("/sign-out", async (request, reply) => {
    const { form: presented } = signOutForm.parse(request.body ?? {});
    if (!cookies.isOurForm(request, presented)) return sendPage(reply.code(403), notOurForm);
    const person = cookies.read(request, "person");
    if (person !== null && github !== null) await endSignIn(github, person);
    const token = open(cookies.read(request, "sign_in") ?? "", tokens(), now().getTime());
    if (token !== null) audit({ kind: "sign_out", who: nameOf(token), what: "access token", reason: "asked to" });
    for (const name of ["person", "sign_in", "browser"] as const) cookies.clear(reply, name);
    return reply.redirect("/sign-in", 303);
  });
}

const query = z.object({ to: z.string().max(2048).optional() });
const form = z.object({ token: z.string().max(4096).default(""), to: z.string().max(2048).optional() });
const signOutForm = z.object({ form: z.string().max(200).default("") });
const invitationParams = z.object({ invitation: z.string().max(100) });

const elsewhere = messagePage("Not signed in", "The form was on another site. Sign in on this gateway's own page.");

export const notOurForm = messagePage(
  "Nothing was done",
  "This form does not belong to your sign-in any more, or came from another site. Go back, reload the page, and send it again.",
);

const nameOf = ({ name, role }: AccessToken): string => `${name} (${role})`;

/** Keyed by the access token itself: replacing the token ends every sign-in with it, on every replica. */
const seal = (token: AccessToken, until: number): string => {
  const claim = `${Buffer.from(token.name).toString("base64url")}.${until}`;
  return `${claim}.${macOf(token, claim)}`;
};

function open(cookie: string, tokens: readonly AccessToken[], now: number): AccessToken | null {
  const [name = "", until = "", mac = ""] = cookie.split(".");
  const token = tokens.find((known) => known.name === Buffer.from(name, "base64url").toString());
  if (token === undefined || !sameSecret(macOf(token, `${name}.${until}`), mac)) return null;
  return Number(until) > now ? token : null;
}

const macOf = (token: AccessToken, claim: string): string =>
  createHmac("sha256", token.token.reveal()).update(`dogwatch sign-in ${claim}`).digest("base64url");

const digestOf = (value: string): string => createHash("sha256").update(value).digest("hex");
