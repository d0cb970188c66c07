/** Compiles every condition of a configuration, so that `dogwatch check`, the start and a reload find what is wrong before a call does. */

import type { Config, Finding } from "../../model/config.ts";
import { ownIssuer, ownIssuerName } from "../../model/ownCaller.ts";
import { compileCondition, compilePolicy } from "./policy.ts";
import type { Flaw, Vocabulary } from "./flaws.ts";

/** Names the catalogue knows: `operations` are ids (`v1.MonitorsApi.DeleteMonitor`); left out, they are not checked. */
export type KnownNames = {
  readonly operations?: Iterable<{ readonly id: string; readonly name: string; readonly api: string }>;
};

/** Findings of all rules and of every `allow`; empty when the configuration can be used. */
export const examine = (config: Config, known: KnownNames = {}): Finding[] => {
  const vocabulary = vocabularyOf(config, known);
  const policy = compilePolicy(config.policy, vocabulary);
  return [
    ...config.identity.issuers.flatMap(({ allow }, index) =>
      conditionFindings(["identity", "issuers", index, "allow"], allow, vocabulary),
    ),
    ...config.connections.flatMap(({ allow }, index) =>
      allow === undefined ? [] : conditionFindings(["connections", index, "allow"], allow, vocabulary),
    ),
    ...(Array.isArray(policy) ? policy : []),
  ];
};

/** What names can be in this configuration: a rule about a connection that does not exist would never match. */
export const vocabularyOf = (config: Config, { operations }: KnownNames): Vocabulary => {
  const known = operations === undefined ? [] : [...operations];
  return {
    "connection.name": config.connections.map(({ name }) => name),
    // People have sessions of their own, when they undo what another one did.
    "caller.issuer_name": [...config.identity.issuers.map(({ name }) => name), ownIssuerName],
    "caller.issuer": [...config.identity.issuers.map(({ issuer }) => issuer), ownIssuer],
    ...(known.length > 0 && {
      "operation.id": distinct(known.map(({ id }) => id)),
      "operation.name": distinct(known.map(({ name }) => name)),
      "operation.api": distinct(known.map(({ api }) => api)),
    }),
  };
};

const distinct = (names: readonly string[]): readonly string[] => [...new Set([...names, "unknown"])];

const conditionFindings = (path: Finding["path"], text: string, vocabulary: Vocabulary): Finding[] => {
  const compiled = compileCondition(text, vocabulary);
  return Array.isArray(compiled) ? compiled.map((flaw: Flaw) => ({ path, ...flaw })) : [];
};
