/** Signs people in on the pages: with an access token, or once with a link that `npm start` prints. The cookie is proof, not state. */

import { createHash, createHmac, randomBytes } from "node:crypto";
import type {} from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AuditEvent } from "../model/audit.ts";
import type { AccessToken } from "../model/config.ts";
import type { Html } from "../web/html.ts";
import { messagePage, signInPage } from "../web/signIn.ts";
import { sameSecret } from "./sameSecret.ts";

export type SignInParts = {
  readonly publicUrl: string;
  tokens(): readonly AccessToken[];
  now(): Date;
  audit(event: AuditEvent): void;
};

export type SignIn = {
  /** The routes of `/sign-in`. */
  register(app: FastifyInstance): Promise<void>;
  /** Who is signed in, by the request's cookie. */
  who(request: FastifyRequest): AccessToken | null;
  /** A path that signs in as this token's holder, once, within ten minutes; then leads to `to`. */
  invite(name: string, to: string): string;
};

const cookieName = "dogwatch_sign_in";
const signedInFor = 12 * 60 * 60 * 1000;
const invitedFor = 10 * 60 * 1000;
/** Sign-ins a minute that one address may try: a person needs one, and a guess should be expensive. */
const triesPerMinute = 30;

export const sendPage = (reply: FastifyReply, page: Html): FastifyReply =>
  reply.type("text/html; charset=utf-8").send(page.text);

export function createSignIn(parts: SignInParts): SignIn {
  const invitations = new Map<string, { readonly name: string; readonly to: string; readonly until: number }>();
  const welcome = (reply: FastifyReply, token: AccessToken, to: string): FastifyReply => {
    const until = parts.now().getTime() + signedInFor;
    parts.audit({ kind: "sign_in", who: `${token.name} (${token.role})`, what: to, reason: "access token" });
    return reply
      .setCookie(cookieName, seal(token, until), {
        path: "/",
        httpOnly: true,
        sameSite: "lax",
        secure: parts.publicUrl.startsWith("https:"),
        expires: new Date(until),
      })
      .redirect(to, 303);
  };

  const turnAway = (reply: FastifyReply, to: string, complaint: string): FastifyReply =>
    sendPage(reply.code(401), signInPage(to, complaint));

  const register = async (app: FastifyInstance): Promise<void> => {
    await app.register(rateLimit, { global: false });
    app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    app.get("/sign-in", (request, reply) => sendPage(reply, signInPage(ownPath(query.parse(request.query).to), null)));

    const limited = { config: { rateLimit: { max: triesPerMinute, timeWindow: 60_000 } } };
    app.post("/sign-in", limited, (request, reply) => {
      const { token: presented, to: asked } = form.parse(request.body ?? {});
      const to = ownPath(asked);
      if (!fromHere(request)) return sendPage(reply.code(403), elsewhere);
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
  };

  return {
    register,
    who: (request) => {
      const cookie = request.cookies[cookieName];
      return cookie === undefined ? null : open(cookie, parts.tokens(), parts.now().getTime());
    },
    invite: (name, to) => {
      const invitation = randomBytes(24).toString("base64url");
      invitations.set(digestOf(invitation), { name, to, until: parts.now().getTime() + invitedFor });
      return `/sign-in/once/${invitation}`;
    },
  };
}

const query = z.object({ to: z.string().max(2048).optional() });
const form = z.object({ token: z.string().max(4096).default(""), to: z.string().max(2048).optional() });
const invitationParams = z.object({ invitation: z.string().max(100) });

/** A page of another site must not sign anybody in as somebody else. Browsers say where a form was; curl says nothing. */
const fromHere = (request: FastifyRequest): boolean =>
  ["same-origin", "none", undefined].includes(request.headers["sec-fetch-site"]?.toString());

const elsewhere = messagePage("Not signed in", "The form was on another site. Sign in on this gateway's own page.");

/** Only a path of this gateway: nobody is sent elsewhere after signing in. */
const ownPath = (to: string | undefined): string =>
  to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : "/sessions";

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
