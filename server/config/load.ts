/** Reads dogwatch.yaml into a configuration, or says everything that is wrong with it, each with file, line, column and the fix. */

import { resolve } from "node:path";
import type { Config, Finding, Problem, GitHubSource } from "../model/config.ts";
import { explainIssues, noMessage } from "./explain.ts";
import { bracketed, contradictions, kindOfIssuer, notices } from "./meaning.ts";
import { ruleSource } from "./rule.ts";
import { type ConfigFile, configFile } from "./schema.ts";
import { type Located, parseSource, readText, type Source, type Surroundings } from "./source.ts";

export type Environment = Surroundings["env"];

/** Looks at a configuration whose shape is right, and finds what only the engine knows: whether its conditions compile. */
export type Examine = (config: Config) => readonly Finding[];

/**
 * The configuration in `file`, with `${env:…}` taken from `env`; or every problem, in the order of the file.
 * Nothing is thrown: what cannot be read is a problem too.
 */
export const loadConfig = (file: string, env: Environment, examine: Examine = () => []): Config | Problem[] => {
  const text = readText(file);
  return typeof text === "string" ? parseConfig(text, { file, env }, examine) : text;
};

export const isConfig = (loaded: Config | Problem[]): loaded is Config => !Array.isArray(loaded);

/** References are resolved beside `surroundings.file`. */
export const parseConfig = (text: string, surroundings: Surroundings, examine: Examine): Config | Problem[] => {
  const source = parseSource(text, surroundings);
  return Array.isArray(source) ? source.toSorted(inOrder) : shape(source, surroundings.file, examine);
};

/**
 * A text with `policy:` alone, as it would be beside the `rest` of a configuration. Whoever wrote it may be nobody who reads this machine's
 * environment and files: nothing that it refers to is looked at.
 */
export const parsePolicy = (
  text: string,
  rest: Readonly<Record<string, unknown>>,
  examine: Examine,
): Config | Problem[] => {
  const file = "policy";
  const source = parseSource(text, { file, env: {}, references: "refused" });
  if (Array.isArray(source)) return source.toSorted(inOrder);
  const strangers = besidePolicy(source.value);
  if (strangers.length > 0) return placed(strangers, source);
  return shape({ ...source, value: { ...rest, ...(source.value as object) } }, file, examine);
};

const besidePolicy = (value: unknown): readonly Located[] => {
  if (typeof value !== "object" || value === null || !("policy" in value))
    return [{ path: [], message: "must be a map with the key policy, and the rules under it" }];
  return Object.keys(value).flatMap((key) =>
    key === "policy" ? [] : [{ path: [key], at: "key" as const, message: "is no part of a policy; leave it out" }],
  );
};

const shape = (source: Source, file: string, examine: Examine): Config | Problem[] => {
  const shaped = configFile.safeParse(source.value, { error: noMessage, reportInput: true });
  if (!shaped.success) return placed(explainIssues(shaped.error.issues, source.expanded), source);
  const findings = contradictions(shaped.data);
  const config = configOf(shaped.data, file, placed(notices(shaped.data), source));
  const all = [...findings, ...examine(config)];
  return all.length > 0 ? placed(all, source) : config;
};

/** `dogwatch.yaml:5:13 policy.rules.0.when: unknown name operation.acess; did you mean access?` */
export const formatProblem = ({ file, line, column, path, message }: Problem): string =>
  `${file}:${line}:${column} ${path.length === 0 ? "" : `${path.join(".")}: `}${message}`;

const placed = (findings: readonly Located[], source: Source): Problem[] =>
  findings.map(source.place).toSorted(inOrder);

const inOrder = (a: Problem, b: Problem): number => a.line - b.line || a.column - b.column;

const githubOf = ({ appId, clientId, clientSecret, ...rest }: NonNullable<ConfigFile["github"]>): GitHubSource => ({
  ...rest,
  appId: String(appId),
  ...(clientId !== undefined && { clientId }),
  ...(clientSecret !== undefined && { clientSecret }),
});

const signInOf = (signIn: ConfigFile["signIn"]): Config["signIn"] => {
  const github = signIn?.github ?? true;
  return {
    github: github === true ? { admins: [], auditors: [] } : github === false ? null : github,
    oidc: (signIn?.oidc ?? []).map(({ clientSecret, ...provider }) => ({
      ...provider,
      ...(clientSecret !== undefined && { clientSecret }),
    })),
  };
};

const usualRetention = { bodies: 90 * 86_400_000, receipts: 400 * 86_400_000 };

/** Of connections that say something else than the rest. */
const retentionOf = ({ retention, connections }: ConfigFile): Config["retention"] => {
  const usual = retention ?? usualRetention;
  const own = connections.flatMap(({ name, retention: kept }) =>
    kept === undefined
      ? []
      : [{ name, bodies: kept.bodies ?? usual.bodies, receipts: kept.receipts ?? usual.receipts }],
  );
  return { ...usual, connections: own };
};

const configOf = (data: ConfigFile, file: string, noticed: readonly Problem[]): Config => {
  const publicUrl = data.publicUrl ?? `http://${bracketed(data.listen.host)}:${data.listen.port}`;
  return {
    file,
    publicUrl,
    listen: data.listen,
    ...(data.database && { database: data.database }),
    dataDir: resolve(data.dataDir),
    identity: {
      issuers: data.identity.issuers.map(({ groups, kind, audience, ...issuer }) => ({
        ...issuer,
        audience: audience ?? publicUrl,
        kind: kind ?? kindOfIssuer(issuer.issuer),
        ...(groups !== undefined && { groups }),
      })),
    },
    connections: data.connections.map(({ endpoint, allow, retention: _kept, ...connection }) => ({
      ...connection,
      ...(endpoint !== undefined && { endpoint }),
      ...(allow !== undefined && { allow }),
    })),
    access: data.access,
    ...(data.github !== undefined && { github: githubOf(data.github) }),
    signIn: signInOf(data.signIn),
    policy: { ...data.policy, rules: data.policy.rules.map(ruleSource) },
    ...(data.keys?.mask !== undefined && { maskKeys: data.keys.mask }),
    ...(data.keys?.sign !== undefined && { signKeys: data.keys.sign }),
    hold: data.hold,
    ...(data.dataHosts !== undefined && { dataHosts: data.dataHosts }),
    limits: data.limits,
    replay: { volatile: data.replay?.volatile ?? {} },
    retention: retentionOf(data),
    notices: noticed,
  };
};
