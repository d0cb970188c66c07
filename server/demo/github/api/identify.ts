/** Who asks: App, installation, job, user or nobody, by the token in `authorization`. */

import { jwtVerify, decodeJwt, errors } from "jose";
import type { Visitors } from "../visitors.ts";
import type { World } from "../world.ts";
import { type Caller, type Reply, refusal } from "./reply.ts";

export type Identified =
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly reply: Reply };

/** An App's token may live this long from now, in seconds. */
const longestLife = 600;

const badCredentials: Identified = { kind: "refused", reply: refusal(401, "Bad credentials") };

export async function identify(
  world: World,
  visitors: Visitors,
  authorization: string | undefined,
): Promise<Identified> {
  if (authorization === undefined) return { kind: "caller", caller: { kind: "nobody" } };
  const [, token] = /^(?:bearer|token) +(\S+)$/i.exec(authorization) ?? [];
  if (token === undefined) return badCredentials;
  if (token.split(".").length === 3) return identifyApp(world, token);
  const caller = bearerOf(world, visitors, token);
  return caller === null ? badCredentials : { kind: "caller", caller };
}

function bearerOf(world: World, visitors: Visitors, token: string): Caller | null {
  const installation = world.apps.byToken(token);
  if (installation !== null) return { kind: "installation", ...installation };
  const job = world.runs.byToken(token);
  if (job !== null) return { kind: "job", ...job };
  const user = visitors.byToken(token);
  return user === null ? null : { kind: "user", ...user };
}

/** In GitHub's words, by which clients know that their clock is off. */
const words = {
  undecodable: "A JSON web token could not be decoded",
  expired:
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
  tooFar: "'Expiration time' claim ('exp') is too far in the future",
  early: "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
};

/** @see https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
async function identifyApp(world: World, token: string): Promise<Identified> {
  const refuse = (message: string, status = 401): Identified => ({ kind: "refused", reply: refusal(status, message) });
  try {
    // A number, or in digits, or the client id.
    const { iss } = decodeJwt<{ iss: unknown }>(token);
    const app = world.apps.identified(typeof iss === "number" ? String(iss) : typeof iss === "string" ? iss : "");
    if (app === null || app.public_key === null) return refuse("Integration not found", 404);
    const now = world.clock();
    const { payload } = await jwtVerify(token, app.public_key, { algorithms: ["RS256"], currentDate: now });
    const seconds = now.getTime() / 1_000;
    if (payload.exp === undefined) return refuse(words.expired);
    if (payload.exp > seconds + longestLife) return refuse(words.tooFar);
    if (payload.iat === undefined || payload.iat > seconds) return refuse(words.early);
    return { kind: "caller", caller: { kind: "app", app } };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refuse(words.expired);
    if (error instanceof errors.JOSEError) return refuse(words.undecodable);
    throw error;
  }
}

/** Names who asks, for limits and for tests to read; never a token. */
export function nameOf(caller: Caller): string {
  switch (caller.kind) {
    case "nobody":
      return "nobody";
    case "app":
      return `app ${caller.app.id}`;
    case "installation":
      return `installation ${caller.installation.id}`;
    case "job":
      return `job ${caller.run.id}`;
    case "user":
      return `user ${caller.account.login}`;
    default:
      return caller satisfies never;
  }
}
