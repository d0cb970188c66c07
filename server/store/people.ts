/** Who is signed in, and browsers that were sent away to be told who they are, and are to come back. */

import { sql } from "slonik";
import { z } from "zod";
import type { Identity } from "../model/person.ts";
import type { Rows } from "./rows.ts";

/** What a browser was sent away for. */
export type TripPurpose = "sign_in" | "github_app";

export type Trip = {
  readonly purpose: TripPurpose;
  /** SHA-256 of the `state` that comes back in the address. */
  readonly state: Buffer;
  /** SHA-256 of what the browser's cookie holds. */
  readonly browser: Buffer;
};

export type NewSignIn = {
  /** SHA-256 of the cookie. */
  readonly digest: Buffer;
  /** Of the cookie that the browser had. */
  readonly before: Buffer | null;
  /** 32 bytes that must be the same whenever it is used. */
  readonly terms: Buffer;
};

export type SignIn = Identity & { readonly terms: Buffer };

/** Every method rejects with `GatewayError` `recording_unavailable` when the database does not answer. */
export interface People {
  /** Signs in under the digest of a cookie; the browser's sign-in before, if any, ends in the same commit. `lasts`: ms. */
  signIn(who: Identity, cookie: NewSignIn, lasts: number): Promise<void>;
  /** Null when nobody is signed in under it, or not any more: its time is over, or nobody used it for `idle`, ms. */
  signedIn(digest: Buffer, idle: number): Promise<SignIn | null>;
  /** Ends this sign-in alone. Who was signed in; null when nobody was. */
  signOut(digest: Buffer): Promise<Identity | null>;
  /** Ends every sign-in of whoever is signed in under this one, in every browser. */
  signOutEverywhere(digest: Buffer): Promise<Identity | null>;
  /** `carried` comes back with the browser, `within` so many ms. */
  depart(trip: Trip, carried: object, within: number): Promise<void>;
  /** What the trip carried, once; null for one that never began, is over, or was begun by another browser. */
  arrive(trip: Trip): Promise<unknown>;
}

const identity = z.object({
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  login: z.string(),
  groups: z.array(z.string()),
});
const signInRow = identity.extend({ terms: z.instanceof(Buffer) });
const columns = sql.fragment`provider, issuer, subject, login, groups`;
const none = z.object({});

export const createPeople = (rows: Rows): People => ({
  signIn: (who, { digest, before, terms }, lasts) =>
    rows.transact(async (db) => {
      if (before !== null) await db.query(sql.type(none)`DELETE FROM sign_ins WHERE digest = ${sql.binary(before)}`);
      await db.query(sql.type(none)`
        INSERT INTO sign_ins (digest, ${columns}, terms, expires_at)
        VALUES (${sql.binary(digest)}, ${who.provider}, ${who.issuer}, ${who.subject}, ${who.login},
          ${JSON.stringify(who.groups)}::json, ${sql.binary(terms)},
          clock_timestamp() + ${lasts} * interval '1 millisecond')`);
    }),

  signedIn: (digest, idle) =>
    rows.ask((db) =>
      db.maybeOne(sql.type(signInRow)`
        WITH found AS (
          SELECT digest, ${columns}, terms FROM sign_ins
          WHERE digest = ${sql.binary(digest)} AND expires_at > clock_timestamp()
            AND used_at > clock_timestamp() - ${idle} * interval '1 millisecond'
        ), noted AS (
          UPDATE sign_ins s SET used_at = clock_timestamp() FROM found
          WHERE s.digest = found.digest AND s.used_at < clock_timestamp() - interval '1 minute'
        )
        SELECT ${columns}, terms FROM found`),
    ),

  signOut: (digest) =>
    rows.ask((db) =>
      db.maybeOne(sql.type(identity)`
        DELETE FROM sign_ins WHERE digest = ${sql.binary(digest)} RETURNING ${columns}`),
    ),

  signOutEverywhere: async (digest) => {
    const ended = await rows.ask((db) =>
      db.any(sql.type(identity)`
        WITH own AS (SELECT provider AS p, issuer AS i, subject AS s FROM sign_ins WHERE digest = ${sql.binary(digest)})
        DELETE FROM sign_ins USING own WHERE (provider, issuer, subject) = (p, i, s) RETURNING ${columns}`),
    );
    return ended[0] ?? null;
  },

  depart: async ({ purpose, state, browser }, carried, within) => {
    await rows.ask((db) =>
      db.query(sql.type(none)`
        INSERT INTO round_trips (state, browser, purpose, carried, expires_at)
        VALUES (${sql.binary(state)}, ${sql.binary(browser)}, ${purpose}, ${JSON.stringify(carried)}::json,
          clock_timestamp() + ${within} * interval '1 millisecond')`),
    );
  },

  arrive: async ({ purpose, state, browser }) => {
    const arrived = await rows.ask((db) =>
      db.any(sql.type(z.object({ carried: z.unknown() }))`
        DELETE FROM round_trips
        WHERE state = ${sql.binary(state)} AND browser = ${sql.binary(browser)} AND purpose = ${purpose}
          AND expires_at > clock_timestamp()
        RETURNING carried`),
    );
    return arrived[0]?.carried ?? null;
  },
});
