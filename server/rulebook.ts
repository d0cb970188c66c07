/** Turns a configuration into what decides: the policy, and who may open a session on what. Wrong conditions come back with their place. */

import type { Catalogue } from "./datadog/catalogue.ts";
import type { Config, Finding } from "./model/config.ts";
import type { Connection } from "./model/connection.ts";
import { type CallerCondition, type Policy, compileCondition, compilePolicy, isPolicy } from "./stages/decide/policy.ts";

/** Everything of a configuration that a running gateway can exchange without dropping a call. */
export type Rulebook = {
  readonly config: Config;
  readonly policy: Policy;
  readonly connections: ReadonlyMap<string, Connection>;
  /** By name of the issuer. */
  readonly issuerAllow: ReadonlyMap<string, CallerCondition>;
  /** By name of the connection; one without `allow` is absent. */
  readonly connectionAllow: ReadonlyMap<string, CallerCondition>;
};

export function compileRulebook(config: Config, catalogue: Catalogue): Rulebook | readonly Finding[] {
  const findings: Finding[] = [];
  const condition = (text: string, path: Finding["path"]): CallerCondition[] => {
    const compiled = compileCondition(text);
    if (!Array.isArray(compiled)) return [compiled];
    findings.push(...compiled.map((flaw) => ({ path, ...flaw })));
    return [];
  };
  const issuerAllow = new Map(
    config.identity.issuers.flatMap((issuer, i) =>
      condition(issuer.allow, ["identity", "issuers", i, "allow"]).map((allow) => [issuer.name, allow] as const),
    ),
  );
  const connectionAllow = new Map(
    config.connections.flatMap((connection, i) =>
      connection.allow === undefined
        ? []
        : condition(connection.allow, ["connections", i, "allow"]).map((allow) => [connection.name, allow] as const),
    ),
  );
  const policy = compilePolicy(config.policy, {
    "connection.name": config.connections.map(({ name }) => name),
    ...wordsOf(catalogue),
  });
  if (!isPolicy(policy)) return [...findings, ...policy];
  if (findings.length > 0) return findings;
  return { config, policy, connections: new Map(config.connections.map((one) => [one.name, one])), issuerAllow, connectionAllow };
}

export const isRulebook = (compiled: Rulebook | readonly Finding[]): compiled is Rulebook => !Array.isArray(compiled);

/** The values that names about operations can have: a rule with any other one could never match. */
const wordsOf = ({ entries }: Catalogue): Readonly<Record<string, readonly string[]>> => {
  const parts = entries.map(({ id }) => id.split("."));
  const distinct = (words: readonly (string | undefined)[]): string[] => [...new Set(words.filter((word) => word !== undefined))];
  return {
    "operation.id": ["unknown", ...entries.map(({ id }) => id)],
    "operation.name": ["unknown", ...distinct(parts.map((part) => part.at(-1)))],
    "operation.api": distinct(parts.map((part) => part.at(-2))),
  };
};
