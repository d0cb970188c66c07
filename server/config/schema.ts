/** The shape of dogwatch.yaml. Keys and defaults are the product's contract; the JSON Schema for editors is made from this. */

import { z } from "zod";
import { sites } from "../datadog/hosts.ts";
import { reservedProviders } from "../model/person.ts";
import { condition, rule } from "./rule.ts";
import {
  duration,
  endpointAddress,
  issuerAddress,
  listen,
  multilineSecret,
  name,
  publicAddress,
  secret,
  size,
} from "./values.ts";

/** JWS algorithms with a public key; `none` and the HS family would let anybody who knows the public key sign. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const required = (why: string) => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? `is required: ${why}` : undefined),
});

const claimPath = z.string().regex(/^\$((\.[A-Za-z_][\w-]*)|(\['[^'\]]+'\]))+$/, {
  error: "must be a path to a claim, like $.groups or $['https://example.com/groups']",
});

const issuer = z.strictObject({
  name: name.describe("Name of the issuer, as caller.issuer_name and in messages"),
  issuer: issuerAddress.describe("Exact iss of its tokens"),
  audience: z
    .string()
    .min(1, { error: "is empty" })
    .optional()
    .describe("The single aud that is accepted; default: publicUrl"),
  allow: z
    .string(required('it says who may open a session at all, like allow: caller.repository_owner_id == "1234"'))
    .min(1, { error: "is empty: it says who may open a session at all" })
    .max(10_000, { error: "is longer than 10000 characters" })
    .describe("CEL over caller: who may open a session at all"),
  groups: claimPath.optional().describe("Claim with the caller's groups, like $.groups"),
  events: z
    .array(
      z.string().regex(/^[a-z_]{1,50}$/, { error: "must be the name of a GitHub event, like pull_request_target" }),
    )
    .default([])
    .describe("GitHub events accepted although they are refused by default"),
  algorithms: z.array(z.enum(algorithms)).min(1).default(["RS256"]).describe("Signature algorithms that are accepted"),
  kind: z
    .enum(["github", "oidc"])
    .optional()
    .describe("Whether the claims are those of GitHub Actions; default: by the address"),
});

const keptFor = duration(86_400_000);

const connection = z.strictObject({
  name: name.describe("Name that clients ask for"),
  kind: z.enum(["live", "sandbox"]).describe("Replays go to sandbox connections only"),
  site: z.enum(sites).describe("Datadog site"),
  endpoint: endpointAddress.optional().describe("Replaces the address of every host of the site"),
  allow: condition.optional().describe("CEL over caller: narrows who may use this connection"),
  retention: z
    .strictObject({ bodies: keptFor.optional(), receipts: keptFor.optional() })
    .optional()
    .describe("How long bodies and receipts of its sessions are kept, where that is not what retention says"),
  apiKey: secret.describe("Datadog API key, like ${env:DD_API_KEY}"),
  appKey: secret.describe("Datadog application key, like ${env:DD_APP_KEY}"),
});

const accessToken = z.strictObject({
  name,
  role: z.enum(["viewer", "approver", "auditor", "admin"]).describe("What its bearer may see"),
  token: secret
    .refine((token) => token.reveal().length >= 8, {
      error: "is shorter than 8 characters: anybody could guess it; make one with openssl rand -hex 32",
    })
    .describe("Static token, like ${env:DOGWATCH_OPS_TOKEN}"),
});

const words = z.array(z.string().min(1, { error: "is empty" }));

const detector = z.strictObject({
  name: z.string().describe("The kind that its tokens have: lower case letters, digits, hyphens"),
  pattern: z.string().min(1, { error: "is empty" }).describe("RE2; group 1, where there is one, is what is masked"),
});

const mask = z.strictObject({
  name,
  detect: words.default([]).describe("Kinds of values, or groups of them: secret, personal, network"),
  fields: words.default([]).describe("JSONPaths, like $..attributes.email"),
  detectors: z.array(detector).default([]).describe("Own patterns"),
  where: z
    .array(z.enum(["reply", "recording"]))
    .min(1)
    .default(["reply", "recording"]),
});

const github = z.strictObject({
  apiUrl: issuerAddress.default("https://api.github.com").describe("GitHub Enterprise Server: https://HOST/api/v3"),
  appId: z.union([z.int().positive(), z.string().regex(/^\d+$/, { error: "must be the number of the GitHub App" })], {
    error: "must be the number of the GitHub App",
  }),
  privateKey: multilineSecret.describe("Private key of the GitHub App, like ${file:/run/secrets/app.pem}"),
  webhookSecret: secret.describe("Secret of the App's webhook, like ${env:GITHUB_WEBHOOK_SECRET}"),
  clientId: z
    .string()
    .regex(/^[\w.-]{1,100}$/, { error: "must be the client ID of the GitHub App" })
    .optional()
    .describe("Client ID of the App: people sign in with GitHub"),
  clientSecret: secret.optional().describe("Client secret of the App"),
  issues: z
    .boolean()
    .default(false)
    .describe("Ask in a new issue for runs without a pull request; needs issues: write"),
});

const teams = z
  .array(
    z.string().regex(/^[A-Za-z0-9][\w-]*\/[\w-]+$/, {
      error: "must be a team as its address names it, ORGANIZATION/TEAM, like acme/platform-leads",
    }),
  )
  .default([]);

const groupNames = z.array(z.string().min(1, { error: "is empty" })).default([]);

const oidcProvider = z.strictObject({
  name: name
    .refine((text) => !(reservedProviders as readonly string[]).includes(text), {
      error: `must not be one of ${reservedProviders.join(", ")}`,
    })
    .describe("Name of the provider: in its people's names, and on the button"),
  issuer: issuerAddress.describe(
    "Exact iss of its tokens; endpoints and keys are found through its discovery document",
  ),
  clientId: z.string().min(1, { error: "is empty" }).max(500).describe("Client ID of the gateway there"),
  clientSecret: secret.optional().describe("Its client secret; left out for a public client"),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: "must be the name of a scope" }))
    .default([])
    .describe("Asked for besides openid, profile and email; often groups"),
  groups: claimPath.default("$.groups").describe("Claim with the groups: in the ID token, or at the userinfo endpoint"),
  login: claimPath
    .default("$.sub")
    .describe("Claim that names people; must be unique there, and not theirs to change, like $.email in a company"),
  algorithm: z.enum(algorithms).default("RS256").describe("Signature algorithm of its ID tokens"),
  roles: z
    .strictObject({ viewer: groupNames, approver: groupNames, auditor: groupNames, admin: groupNames })
    .describe("Groups by the role that they give; the strongest counts, and who has none is not let in"),
});

const signIn = z.strictObject({
  github: z
    .union([z.boolean(), z.strictObject({ admins: teams, auditors: teams })], {
      error: "must be true, false, or a map with admins and auditors",
    })
    .default(true)
    .describe(
      "People sign in with GitHub, where github.clientId and clientSecret are set; as a map it names the teams of admins and auditors",
    ),
  oidc: z.array(oidcProvider).default([]).describe("OpenID Connect providers that people sign in with"),
});

const verifierKey = z.string().regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, {
  error: "must be the public key of a log, like dogwatch.example.com/v1/log+1a2b3c4d+AW…",
});

const signingCommand = z.strictObject({
  command: z
    .array(z.string().min(1, { error: "is empty" }))
    .min(1, { error: "must name a program" })
    .describe("Program and arguments: gets the bytes to sign on standard input, prints the signature as base64"),
  publicKey: verifierKey.describe("Its public key, with the name of the log"),
  oldKeys: z.array(verifierKey).default([]).describe("Public keys that signed before"),
});

/** Everything dogwatch.yaml may say. */
export const configFile = z
  .strictObject({
    publicUrl: publicAddress
      .optional()
      .describe("Where people and clients reach the gateway; default: the address it listens on, if that is loopback"),
    listen: listen.default({ host: "127.0.0.1", port: 8080 }).describe("HOST:PORT"),
    database: secret
      .optional()
      .describe("PostgreSQL connection string; left out: an embedded PostgreSQL under dataDir"),
    dataDir: z
      .string()
      .min(1, { error: "is empty" })
      .default("./data")
      .describe("Embedded database and generated keys, from the working directory"),
    identity: z.strictObject({ issuers: z.array(issuer).min(1, { error: "must have at least one issuer" }) }),
    connections: z.array(connection).min(1, { error: "must have at least one connection" }),
    access: z.strictObject({ tokens: z.array(accessToken).default([]) }).default({ tokens: [] }),
    github: github.optional().describe("GitHub App for approvals"),
    policy: z
      .strictObject({
        rules: z.array(rule).default([]),
        masks: z.array(mask).default([]),
        undecodable: z
          .enum(["digest", "refuse"])
          .default("digest")
          .describe("A body that cannot be read for masking: kept as digest only, or the call is refused"),
        observe: z.boolean().default(false).describe("Forward and record what would be denied, except what destroys"),
      })
      .default({ rules: [], masks: [], undecodable: "digest", observe: false }),
    hold: duration(0).default(50_000).describe("How long a plain client's connection is held for an approval"),
    dataHosts: z
      .string()
      .regex(/^\*(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?){2,}$/, {
        error: "must be a wildcard in lower case, like *.dd.example.com",
      })
      .optional()
      .describe("Wildcard domain whose hosts stand for Datadog's"),
    limits: z
      .strictObject({ inspect: size.default(8 * 2 ** 20), record: size.default(64 * 2 ** 20) })
      .default({ inspect: 8 * 2 ** 20, record: 64 * 2 ** 20 }),
    replay: z
      .strictObject({
        volatile: z
          .record(
            z.string().regex(/^[A-Za-z0-9_.-]{1,200}$/, { error: "must be an operation, like GetMonitor" }),
            z.array(
              z.string().regex(/^[^.\s[\]]+(?:\[\])*(?:\.[^.\s[\]]+(?:\[\])*)*$|^\[\](?:\.[^.\s[\]]+(?:\[\])*)*$/, {
                error: "must be a field, like data[].attributes.modified",
              }),
            ),
          )
          .default({})
          .describe("By operation: fields of its answers that differ although nothing is different"),
      })
      .optional()
      .describe("How sessions are replayed to sandboxes"),
    retention: z
      .strictObject({
        bodies: keptFor.default(90 * 86_400_000),
        receipts: keptFor.default(400 * 86_400_000),
      })
      .optional()
      .describe("How long bodies and receipts are kept; default: 90d and 400d"),
    signIn: signIn.optional().describe("How people sign in"),
    keys: z
      .strictObject({
        mask: multilineSecret.optional(),
        sign: z
          .union([multilineSecret, signingCommand], {
            error: "must be a key, like ${file:/run/secrets/sign}, or a map with command and publicKey",
          })
          .optional()
          .describe("Ed25519 key that signs the log of seals, or a command that signs with one"),
      })
      .optional()
      .describe("Generated under dataDir when left out"),
  })
  .describe("Configuration of a Dogwatch gateway");

export type ConfigFile = z.output<typeof configFile>;
