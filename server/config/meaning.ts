/** What the shape of single values does not show: names used twice, settings that contradict each other or that nothing would obey yet. */

import type { Finding } from "../model/config.ts";
import { isLoopback } from "../model/loopback.ts";
import { sandboxesAsLive } from "./sandboxes.ts";
import type { ConfigFile } from "./schema.ts";
import type { Located } from "./source.ts";

/** Findings that make the configuration unusable. A safety setting that nothing would obey is one of them. */
export const contradictions = (file: ConfigFile): Located[] => [
  ...twice(["identity", "issuers"], file.identity.issuers, "name"),
  ...twice(["identity", "issuers"], file.identity.issuers, "issuer"),
  ...twice(["connections"], file.connections, "name"),
  ...twice(["access", "tokens"], file.access.tokens, "name"),
  ...twice(["policy", "rules"], file.policy.rules, "name"),
  ...twice(["policy", "masks"], file.policy.masks, "name"),
  ...sameTokens(file.access.tokens),
  ...sandboxesAsLive(file),
  ...missingAddress(file),
  ...file.identity.issuers.flatMap(issuerContradictions),
  ...file.policy.rules.flatMap(ruleContradictions),
  ...unanswerable(file),
  ...halfSignIn(file),
  ...twice(["signIn", "oidc"], file.signIn?.oidc ?? [], "name"),
  ...roleless(file),
];

/** Findings that are said loudly at start, and do not stop it. */
export const notices = (file: ConfigFile): Located[] => [
  ...observed(file),
  ...unprotectedAddress(file),
  ...unsharedMaskKeys(file),
  ...unsharedSignKey(file),
  ...idleTeams(file),
  ...file.access.tokens.flatMap(({ token }, index) =>
    token.reveal().length < 20
      ? [
          {
            path: ["access", "tokens", index, "token"],
            message: "is short for a token that never expires; make one with openssl rand -hex 32",
          },
        ]
      : [],
  ),
  ...withoutSignIn(file),
  ...file.policy.rules.flatMap(({ effect }, index) =>
    effect === "approve" && file.github === undefined
      ? [
          {
            path: ["policy", "rules", index, "effect"],
            message:
              "asks nobody in a pull request: there is no github section (dogwatch github setup makes the App); calls of workflow jobs that it holds are refused",
          },
        ]
      : [],
  ),
];

const twice = <K extends string>(
  path: readonly string[],
  items: readonly Readonly<Record<K, string>>[],
  key: K,
): Located[] =>
  items.flatMap((item, index) =>
    items.findIndex((other) => other[key] === item[key]) < index
      ? [{ path: [...path, index, key], message: `${item[key]} is used twice; every ${key} must be its own` }]
      : [],
  );

const sameTokens = (tokens: ConfigFile["access"]["tokens"]): Located[] =>
  tokens.flatMap(({ token }, index) => {
    const first = tokens.findIndex((other) => other.token.reveal() === token.reveal());
    return first < index
      ? [
          {
            path: ["access", "tokens", index, "token"],
            message: `is the same token as that of ${tokens[first]?.name}; every name needs its own`,
          },
        ]
      : [];
  });

const missingAddress = ({ publicUrl, listen }: ConfigFile): Located[] =>
  publicUrl === undefined && !isLoopback(bracketed(listen.host))
    ? [
        {
          path: ["publicUrl"],
          message: "is required when the gateway listens on more than loopback: clients and links need its address",
        },
      ]
    : [];

export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

const issuerContradictions = (
  { events, kind, issuer }: ConfigFile["identity"]["issuers"][number],
  index: number,
): Located[] =>
  events.length > 0 && (kind ?? kindOfIssuer(issuer)) === "oidc"
    ? [
        {
          path: ["identity", "issuers", index, "events"],
          message: "belongs to issuers of GitHub Actions; add kind: github if this is one",
        },
      ]
    : [];

/** github.com, ghe.com and GitHub Enterprise Server (`https://HOST/_services/token`) are known by their address. */
export const kindOfIssuer = (issuer: string): "github" | "oidc" => {
  const { hostname, pathname } = new URL(issuer);
  const isGitHub =
    hostname === "token.actions.githubusercontent.com" || /^token\.actions\.[a-z0-9-]+\.ghe\.com$/.test(hostname);
  return isGitHub || pathname === "/_services/token" ? "github" : "oidc";
};

const approvalKeys = ["approvers", "groups", "via", "grants", "expires"] as const;

const ruleContradictions = (rule: ConfigFile["policy"]["rules"][number], index: number): Located[] => {
  const path = ["policy", "rules", index];
  const found: Located[] = [];
  if (rule.phase === "response" && rule.effect !== "deny")
    found.push({
      path: [...path, "effect"],
      message: `a rule on responses can only deny: the call was made, and nothing is left to ${rule.effect}`,
    });
  if (rule.limit !== undefined && rule.effect !== "allow")
    found.push({
      path: [...path, "limit"],
      at: "key",
      message: `belongs to rules with effect: allow; a rule that stops to ${rule.effect} would let more pass`,
    });
  if (rule.effect === "allow" && rule.observe)
    found.push({
      path: [...path, "observe"],
      message: "is for deny and approve rules; an allow rule has nothing to only observe",
    });
  if (rule.effect !== "approve")
    for (const key of approvalKeys)
      if (rule[key] !== undefined)
        found.push({
          path: [...path, key],
          at: "key",
          message: `belongs to rules with effect: approve; nobody is asked by a rule that says ${rule.effect}`,
        });
  return found;
};

/** Nobody could ever answer on GitHub, so the calls of such a rule would be held for nothing. */
const unanswerable = ({ github, policy }: ConfigFile): Located[] =>
  policy.rules.flatMap(({ effect, via }, index) =>
    github === undefined && effect === "approve" && via !== undefined && !via.includes("page")
      ? [
          {
            path: ["policy", "rules", index, "via"],
            message: `accepts answers by ${via.join(" and ")} only, and there is no github section; add one, or page to via`,
          },
        ]
      : [],
  );

const halfSignIn = ({ github }: ConfigFile): Located[] =>
  github !== undefined && (github.clientId === undefined) !== (github.clientSecret === undefined)
    ? [
        {
          path: ["github", github.clientId === undefined ? "clientSecret" : "clientId"],
          at: "key",
          message: "clientId and clientSecret belong together: with both, people sign in with GitHub",
        },
      ]
    : [];

/** Whom no group gives a role is not let in: with such a provider, everybody. */
const roleless = ({ signIn }: ConfigFile): Located[] =>
  (signIn?.oidc ?? []).flatMap(({ roles, name }, index) =>
    Object.values(roles).every((groups) => groups.length === 0)
      ? [
          {
            path: ["signIn", "oidc", index, "roles"],
            message: `names no group, so nobody could sign in with ${name}: name some, like auditor: [security]`,
          },
        ]
      : [],
  );

const idleTeams = ({ github, signIn }: ConfigFile): Located[] =>
  typeof signIn?.github === "object" && github?.clientId === undefined
    ? [
        {
          path: ["signIn", "github"],
          at: "key",
          message: "names teams, and nobody signs in with GitHub: github.clientId and clientSecret are not set",
        },
      ]
    : [];

/** The page takes answers of people who signed in as themselves alone. */
const withoutSignIn = ({ github, signIn, policy }: ConfigFile): Located[] => {
  if (github === undefined || (signIn?.oidc ?? []).length > 0) return [];
  if (github.clientId !== undefined && signIn?.github !== false) return [];
  const why = github.clientId === undefined ? "github.clientId is not set" : "signIn.github is false";
  return policy.rules.flatMap(({ effect, via }, index) =>
    effect === "approve" && via?.every((way) => way === "page") === true
      ? [
          {
            path: ["policy", "rules", index, "via"],
            message: `accepts answers on the page only, and nobody signs in with GitHub there: ${why}`,
          },
        ]
      : [],
  );
};

const observed = ({ policy }: ConfigFile): Finding[] => [
  ...(policy.observe
    ? [
        {
          path: ["policy", "observe"],
          message: "is on: what would be denied is forwarded and only recorded, except what destroys",
        },
      ]
    : []),
  ...policy.rules.flatMap(({ observe, name }, index) =>
    observe
      ? [
          {
            path: ["policy", "rules", index, "observe"],
            message: `rule ${name} only observes: what it would refuse is forwarded`,
          },
        ]
      : [],
  ),
];

const unprotectedAddress = ({ publicUrl }: ConfigFile): Finding[] =>
  publicUrl?.startsWith("http:") && !isLoopback(new URL(publicUrl).hostname)
    ? [
        {
          path: ["publicUrl"],
          message: "is http: session tokens would travel readable; put TLS in front and write https:",
        },
      ]
    : [];

/** What one gateway sealed, another one with a key of its own cannot open. */
const unsharedMaskKeys = ({ database, keys, policy }: ConfigFile): Located[] =>
  database !== undefined && keys?.mask === undefined && policy.masks.some(({ where }) => where.includes("reply"))
    ? [
        {
          path: ["policy", "masks"],
          at: "key",
          message:
            "mask with a key that this gateway makes for itself (data/keys/mask); where several gateways share the database, name one for all of them in keys.mask",
        },
      ]
    : [];

/** A log has one key: a second gateway with one of its own signs nothing. */
const unsharedSignKey = ({ database, keys }: ConfigFile): Located[] =>
  database !== undefined && keys?.sign === undefined
    ? [
        {
          path: ["database"],
          at: "key",
          message:
            "is shared by gateways perhaps, and this one signs its seals with a key that it makes for itself (data/keys/sign); where there are several, name one for all of them in keys.sign",
        },
      ]
    : [];
