/** The caller of sessions that the gateway opens itself, for a person: to replay a session, or to undo one. */

import type { Caller } from "./caller.ts";

/** What a session of the gateway's own is for. */
export const purposes = ["replay", "undo"] as const;
export type Purpose = (typeof purposes)[number];

/** No issuer of dogwatch.yaml can be it: those are web addresses. */
export const ownIssuer = "urn:dogwatch:people";
/** Nor can one be called so: their names have no colon. */
export const ownIssuerName = "dogwatch:people";

/** Who it is for, and about which session. */
export type OwnCaller = {
  /** `github:octocat`, `accessToken:ops`. */
  readonly subject: string;
  readonly groups: readonly string[];
  readonly purpose: Purpose;
  readonly of: { readonly id: string; readonly caller: Caller };
};

/**
 * Claims: `purpose`, `replay_of` or `undo_of`, and `origin`, the caller of the session that it is about (of a replay of a replay: the first
 * one's). What a job's token claims stands in `origin` alone, so that no rule about jobs takes a person for one.
 */
export const ownCaller = ({ subject, groups, purpose, of }: OwnCaller): Caller => ({
  issuer: ownIssuer,
  issuer_name: ownIssuerName,
  subject,
  groups,
  claims: { purpose, [`${purpose}_of`]: of.id, origin: originOf(of.caller) ?? of.caller },
});

/** What a session is for that the gateway opened itself; null for everybody who came with an identity token, whatever it claims. */
export const purposeOf = ({ issuer, claims }: Caller): Purpose | null =>
  issuer === ownIssuer ? (purposes.find((purpose) => purpose === claims["purpose"]) ?? null) : null;

/** The session that it is about. */
export const aboutOf = (caller: Caller): string | null => {
  const purpose = purposeOf(caller);
  const id = purpose === null ? null : caller.claims[`${purpose}_of`];
  return typeof id === "string" ? id : null;
};

/** Whose session it is about; null for callers that came with an identity token. */
export const originOf = ({ issuer, claims: { origin } }: Caller): Caller | null =>
  issuer === ownIssuer && isCaller(origin) ? origin : null;

/**
 * What whoever started it may be called on GitHub: `octocat` of `github:octocat`, and of `okta:mona@example.com` both `mona@example.com` and `mona`, for
 * nobody answers under another name for what they have started. Who stands behind an access token is not known.
 */
export const starterNames = ({ subject }: Pick<Caller, "subject">): readonly string[] => {
  const [, provider, name = ""] = /^([^:]*):(.*)$/s.exec(subject) ?? [];
  if (provider === undefined || provider === "accessToken" || name === "") return [];
  return [...new Set([name, name.split("@")[0] ?? ""])].filter((one) => one !== "");
};

/** In whose repository a session happens: people who may read that one see it. */
export const homeOf = (caller: Caller): Pick<Caller, "issuer" | "claims"> => originOf(caller) ?? caller;

const isCaller = (value: unknown): value is Caller =>
  typeof value === "object" &&
  value !== null &&
  "issuer" in value &&
  typeof value.issuer === "string" &&
  "claims" in value &&
  typeof value.claims === "object" &&
  value.claims !== null;
