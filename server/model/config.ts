/** The configuration once it has been read and validated: durations in milliseconds, sizes in bytes, secrets wrapped. */

import type { Grants, Permission, Way } from "./approval.ts";
import type { Connection, Secret } from "./connection.ts";
import type { Effect } from "./decision.ts";

export type Issuer = {
  readonly name: string;
  /** Exact `iss`. */
  readonly issuer: string;
  /** The single `aud` we accept. */
  readonly audience: string;
  /** CEL over `caller`: who may open a session at all. Required. */
  readonly allow: string;
  /** JSONPath of the groups claim, `$.groups`. */
  readonly groups?: string;
  /** GitHub event names that are accepted although they are refused by default. */
  readonly events: readonly string[];
  /** JWS algorithms accepted from this issuer; default RS256. */
  readonly algorithms: readonly string[];
  /** GitHub Actions claims rules apply (github.com, *.ghe.com, GHES `/_services/token`, or said so by `kind: github`). */
  readonly kind: "github" | "oidc";
};

export type Role = "viewer" | "approver" | "auditor" | "admin";

export type AccessToken = { readonly name: string; readonly role: Role; readonly token: Secret };

export type RuleSource = {
  readonly name: string;
  readonly effect: Effect;
  /** CEL; left out: always matches. */
  readonly when: string;
  /** Before the call is forwarded, or before its answer is released. */
  readonly phase: "request" | "response";
  readonly observe: boolean;
  /** Shorthands: each that is there must hold, and so must `when`. */
  readonly callers?: readonly CallerPattern[];
  readonly operations?: readonly OperationPattern[];
  /** Inside any of these times; outside all of those. */
  readonly during?: readonly TimeWindow[];
  readonly outside?: readonly TimeWindow[];
  /** How many calls of one session an allow rule lets pass. */
  readonly limit?: RuleLimit;
  /** Who may answer; what is left out is the default of `stages/escalate/terms.ts`. */
  readonly approvers?: RuleApprovers;
  /** Who may answer for callers that are not GitHub's: the same as `approvers.groups`. */
  readonly groups?: readonly string[];
  readonly via?: readonly Way[];
  readonly grants?: Grants;
  /** ms */
  readonly expires?: number;
};

/** Any of the patterns of each key; every key that is there must fit. `*` stands for text without `/`, `**` for any text, `?` for one character but `/`. */
export type CallerPattern = Readonly<Partial<Record<CallerKey, readonly string[]>>>;

export const callerKeys = [
  "issuer",
  "subject",
  "repository",
  "owner",
  "ref",
  "environment",
  "workflow",
  "event",
  "actor",
  "groups",
] as const;
export type CallerKey = (typeof callerKeys)[number];

/** The same of an operation: `access` are classes, the others patterns. */
export type OperationPattern = Readonly<Partial<Record<OperationKey, readonly string[]>>>;

export const operationKeys = ["access", "api", "name", "id"] as const;
export type OperationKey = (typeof operationKeys)[number];

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

/** A time as the clocks of `zone` show it: every part that is there must fit. */
export type TimeWindow = {
  readonly days?: readonly Weekday[];
  /** `09:00` to before `17:00`; from `22:00` to `06:00` is a night that belongs to the day it begins on. */
  readonly hours?: { readonly from: string; readonly until: string };
  /** `2026-12-20` from its first minute, or `2026-12-20T18:00`. */
  readonly from?: string;
  /** `2027-01-05` to its last minute, or before `2027-01-05T08:00`. */
  readonly until?: string;
  /** IANA name, `Europe/Berlin`. */
  readonly zone: string;
};

export type RuleApprovers = {
  readonly permission?: Permission;
  readonly roles?: readonly string[];
  readonly teams?: readonly string[];
  readonly groups?: readonly string[];
  readonly count?: number;
  readonly self?: boolean;
};

export const limitPeriods = ["second", "minute", "hour", "day", "session"] as const;

/** `20/hour`: at most 20 in any sixty minutes; `20/session`: at most 20 ever. */
export type RuleLimit = { readonly count: number; readonly per: (typeof limitPeriods)[number] };

export type MaskSource = {
  readonly name: string;
  /** Kinds of values, groups of them, or names of own detectors. */
  readonly detect: readonly string[];
  /** JSONPaths. */
  readonly fields: readonly string[];
  /** Own patterns in the syntax of RE2: what matches (or group 1, where there is one) is masked as `name`. */
  readonly detectors?: readonly { readonly name: string; readonly pattern: string }[];
  readonly where: readonly ("reply" | "recording")[];
};

/** Something wrong or noteworthy at a place of the configuration, before it is known where in the file that is. */
export type Finding = {
  /** `["policy", "rules", 0, "when"]` */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** UTF-16 units into the text at that path. */
  readonly offset?: number;
};

/** A finding at its place in the file, lines and columns from 1. */
export type Problem = Finding & { readonly file: string; readonly line: number; readonly column: number };

/** The GitHub App through which questions are asked and answers heard. */
export type GitHubSource = {
  readonly apiUrl: string;
  readonly appId: string;
  readonly privateKey: Secret;
  readonly webhookSecret: Secret;
  /** With both, people sign in with GitHub. */
  readonly clientId?: string;
  readonly clientSecret?: Secret;
  /** Whether runs without a pull request are asked about in a new issue. */
  readonly issues: boolean;
};

export type SignInSource = {
  /** Whether people may sign in with GitHub, where its App can; null: they may not. Teams are `acme/platform-leads`. */
  readonly github: { readonly admins: readonly string[]; readonly auditors: readonly string[] } | null;
  readonly oidc: readonly OidcSource[];
};

/** An OpenID Connect provider that people sign in with. */
export type OidcSource = {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client. */
  readonly clientSecret?: Secret;
  /** Beside `openid profile email`. */
  readonly scopes: readonly string[];
  /** Paths of claims. */
  readonly groups: string;
  readonly login: string;
  readonly algorithm: string;
  /** Groups by the role that they give. */
  readonly roles: Readonly<Record<Role, readonly string[]>>;
};

/** A program that signs, for keys that nobody can read. */
export type SigningCommand = {
  readonly command: readonly string[];
  /** `<name>+<id>+<key>`, as signed notes write it. */
  readonly publicKey: string;
  readonly oldKeys: readonly string[];
};

/** ms */
type Kept = { readonly bodies: number; readonly receipts: number };

export type Config = {
  /** Path of the file that was read, for messages. */
  readonly file: string;
  readonly publicUrl: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Connection string; absent: embedded PostgreSQL under `dataDir`. */
  readonly database?: Secret;
  /** `./data` beside the configuration file's working directory: embedded database, keys. */
  readonly dataDir: string;
  readonly identity: { readonly issuers: readonly Issuer[] };
  readonly connections: readonly Connection[];
  readonly access: { readonly tokens: readonly AccessToken[] };
  readonly github?: GitHubSource;
  readonly signIn: SignInSource;
  readonly policy: {
    readonly rules: readonly RuleSource[];
    readonly masks: readonly MaskSource[];
    /** What becomes of a body in which nobody can look for what is to be masked. */
    readonly undecodable: "digest" | "refuse";
    readonly observe: boolean;
  };
  /** What tokens are sealed with, the newest first; absent: generated under `dataDir`. */
  readonly maskKeys?: Secret;
  /** What signs the log of seals; absent: generated under `dataDir`. */
  readonly signKeys?: Secret | SigningCommand;
  /** How long a plain client's connection is held for an approval, ms. */
  readonly hold: number;
  /** `*.dd.example.com` */
  readonly dataHosts?: string;
  /** Fields that differ from replay to replay: patterns (`data[].attributes.modified`) by operation, beside those that are known to. */
  readonly replay: { readonly volatile: Readonly<Record<string, readonly string[]>> };
  readonly limits: { readonly inspect: number; readonly record: number };
  readonly retention: Kept & {
    /** Those that have periods of their own. */
    readonly connections: readonly (Kept & { readonly name: string })[];
  };
  /** Accepted, but to be said loudly at start: what this version does not do yet, what is only observed. */
  readonly notices: readonly Problem[];
};
