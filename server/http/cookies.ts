/** The cookies by which a browser is known here, and what proves that a form came from one of our pages in that browser. */

import { createHmac } from "node:crypto";
import type {} from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { sameSecret } from "./sameSecret.ts";

/** `sign_in`: the holder of an access token; `person`: somebody who signed in as themselves; `browser`: one that was sent to GitHub. */
export type CookieName = "sign_in" | "person" | "browser";

export type Cookies = {
  read(request: FastifyRequest, name: CookieName): string | null;
  write(reply: FastifyReply, name: CookieName, cookie: { readonly value: string; readonly until: Date }): void;
  clear(reply: FastifyReply, name: CookieName): void;
  /** What the forms of this browser's pages carry; null where nobody is signed in. */
  formToken(request: FastifyRequest): string | null;
  /** Whether a form was filled in on a page that this sign-in was shown. */
  isOurForm(request: FastifyRequest, token: string): boolean;
};

export function createCookies(publicUrl: string): Cookies {
  const secure = publicUrl.startsWith("https:");
  // `__Host-`: no other host of the domain, and nobody on a connection without TLS, can have set it (RFC 6265bis §4.1.3.2).
  const full = (name: CookieName): string => `${secure ? "__Host-" : ""}dogwatch_${name}`;
  const options = { path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  const read = (request: FastifyRequest, name: CookieName): string | null => request.cookies[full(name)] ?? null;
  const formToken = (request: FastifyRequest): string | null => {
    const signedIn = [read(request, "person") ?? "", read(request, "sign_in") ?? ""];
    return signedIn.every((value) => value === "")
      ? null
      : createHmac("sha256", JSON.stringify(signedIn)).update("dogwatch form").digest("base64url");
  };
  return {
    read,
    write: (reply, name, { value, until }) => void reply.setCookie(full(name), value, { ...options, expires: until }),
    clear: (reply, name) => void reply.clearCookie(full(name), options),
    formToken,
    isOurForm: (request, token) => {
      const expected = formToken(request);
      return isFromHere(request) && expected !== null && sameSecret(token, expected);
    },
  };
}

/** Browsers say where a request comes from (Fetch Metadata), older ones by Origin; without either nobody's browser sent it with a cookie. */
export const isFromHere = ({ headers, host }: FastifyRequest): boolean => {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  return isOwnOrigin(headers.origin, host);
};

/** Only what says that it comes from elsewhere does: programs say nothing, and bring no cookie. */
export const isFromElsewhere = ({ headers, host }: FastifyRequest): boolean => {
  const site = headers["sec-fetch-site"]?.toString();
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  return headers.origin !== undefined && !isOwnOrigin(headers.origin, host);
};

const isOwnOrigin = (origin: string | undefined, host: string): boolean =>
  origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;

/** Only a path of this gateway: nobody is sent elsewhere after signing in. */
export const ownPath = (to: string | undefined, otherwise: string): string =>
  to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : otherwise;
