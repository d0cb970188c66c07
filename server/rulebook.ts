/** Turns dogwatch.yaml into what decides: the policy, and who may open a session on what. */

import { type Environment, type Examine, isConfig, loadConfig } from "./config/load.ts";
import { type Catalogue, buildCatalogue } from "./datadog/catalogue.ts";
import type { Config, Finding, Problem } from "./model/config.ts";
import type { Connection } from "./model/connection.ts";
import { type KnownNames, examine, vocabularyOf } from "./stages/decide/examine.ts";
import {
  type CallerCondition,
  type Policy,
  compileCondition,
  compilePolicy,
  isPolicy,
} from "./stages/decide/policy.ts";
import { areMasks, readMasks } from "./stages/mask/configured.ts";
import type { Mask } from "./stages/mask/plan.ts";
import { isMaskKeys, readMaskKeys } from "./stages/mask/token/keys.ts";

/** Everything of a configuration that a running gateway can exchange without dropping a call. */
export type Rulebook = {
  readonly config: Config;
  readonly policy: Policy;
  readonly masks: readonly Mask[];
  readonly connections: ReadonlyMap<string, Connection>;
  /** By name of the issuer. */
  readonly issuerAllow: ReadonlyMap<string, CallerCondition>;
  /** By name of the connection; one without `allow` is absent. */
  readonly connectionAllow: ReadonlyMap<string, CallerCondition>;
};

/** The configuration in a file, compiled; or every problem, each with its place in the file. */
export function readRulebook(file: string, env: Environment, catalogue: Catalogue): Rulebook | Problem[] {
  const config = loadConfig(file, env, (shaped) => findingsIn(shaped, catalogue));
  return isConfig(config) ? rulebookOf(config, catalogue) : config;
}

/** For `dogwatch check`. */
export const examinerOf = (): Examine => {
  const catalogue = buildCatalogue();
  return (config) => findingsIn(config, catalogue);
};

/** What is wrong with the conditions, the masks and their keys, of a configuration whose shape is right. */
export const findingsIn = (config: Config, catalogue: Catalogue): readonly Finding[] => {
  const masks = readMasks(config.policy.masks);
  return [
    ...examine(config, namesOf(catalogue)),
    ...(areMasks(masks) ? [] : masks),
    ...maskKeyFindings(config),
    ...volatileFindings(config, catalogue),
  ];
};

/** A field of an operation that there is not would never be left out. */
const volatileFindings = ({ replay: { volatile } }: Config, { entries }: Catalogue): Finding[] =>
  Object.keys(volatile).flatMap((named) =>
    entries.some(({ id }) => id === named || id.endsWith(`.${named}`))
      ? []
      : [{ path: ["replay", "volatile", named], message: `there is no operation ${named}` }],
  );

const maskKeyFindings = ({ maskKeys }: Config): Finding[] => {
  const read = maskKeys === undefined ? undefined : readMaskKeys(maskKeys.reveal());
  return read === undefined || isMaskKeys(read) ? [] : [{ path: ["keys", "mask"], message: read }];
};

/** Of a configuration in which `findingsIn` found nothing. */
export function rulebookOf(config: Config, catalogue: Catalogue): Rulebook {
  const vocabulary = vocabularyOf(config, namesOf(catalogue));
  const condition = (text: string): CallerCondition => {
    const compiled = compileCondition(text, vocabulary);
    if (Array.isArray(compiled)) throw new Error(`${config.file} was found good, and ${text} does not compile`);
    return compiled;
  };
  const policy = compilePolicy(config.policy, vocabulary);
  const masks = readMasks(config.policy.masks);
  if (!areMasks(masks)) throw new Error(`${config.file} was found good, and its masks do not compile`);
  if (!isPolicy(policy)) throw new Error(`${config.file} was found good, and its rules do not compile`);
  return {
    config,
    policy,
    masks,
    connections: new Map(config.connections.map((one) => [one.name, one])),
    issuerAllow: new Map(config.identity.issuers.map(({ name, allow }) => [name, condition(allow)])),
    connectionAllow: new Map(
      config.connections.flatMap(({ name, allow }) => (allow === undefined ? [] : [[name, condition(allow)] as const])),
    ),
  };
}

const namesOf = ({ entries }: Catalogue): KnownNames => ({
  operations: entries.map(({ id }) => {
    const [name = "", api = ""] = id.split(".").toReversed();
    return { id, name, api };
  }),
});
