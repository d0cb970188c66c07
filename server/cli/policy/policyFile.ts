/** Reads the policy that a command is about: a whole dogwatch.yaml, or a file with the `policy:` block alone. */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { type Environment, isConfig, parseConfig } from "../../config/load.ts";
import { readText } from "../../config/source.ts";
import type { Catalogue } from "../../datadog/catalogue.ts";
import type { Config, Problem } from "../../model/config.ts";
import { findingsIn, type Rulebook, rulebookOf } from "../../rulebook.ts";
import { defaultFile } from "../check.ts";

export type PolicyRequest = {
  readonly file: string;
  /** The configuration that a bare `policy:` block belongs to; default: dogwatch.yaml beside it, or in the working directory. */
  readonly config?: string | undefined;
  readonly env: Environment;
  readonly catalogue: Catalogue;
};

/** The rulebook, or every problem with its place. Secrets need not be there: no policy depends on them. */
export const readPolicyFile = (request: PolicyRequest): Rulebook | Problem[] => {
  const text = readText(request.file);
  if (typeof text !== "string") return text;
  if (isWhole(text)) return compiled(parse(text, request), request.catalogue);
  const base = readBase(request);
  if (!isConfig(base)) return base;
  const config = parse(`${text}\n${surroundingsOf(base)}`, request);
  if (!isConfig(config)) return config;
  return compiled({ ...base, file: request.file, policy: config.policy }, request.catalogue);
};

export const isRulebook = (read: Rulebook | Problem[]): read is Rulebook => !Array.isArray(read);

/** A configuration for what surrounds a policy and where the recordings are; secrets that are not there are stood for. */
export const readConfiguration = ({ file, env, catalogue }: PolicyRequest): Config | Problem[] => {
  const text = readText(file);
  return typeof text === "string" ? parse(text, { file, env, catalogue }) : text;
};

/** Begins every text that stands for a secret which is not there. */
export const standIn = "not-set-";

const isWhole = (text: string): boolean => {
  const document = parseDocument(text, { prettyErrors: false });
  // What is no YAML is explained as what it most likely is.
  return (
    document.errors.length > 0 || document.has("identity") || document.has("connections") || !document.has("policy")
  );
};

const parse = (text: string, { file, env, catalogue }: PolicyRequest): Config | Problem[] => {
  const surroundings = { file, env: { ...standInsFor(text), ...env } };
  return parseConfig(withoutMissingFiles(text, file), surroundings, (config) => findingsIn(config, catalogue));
};

const compiled = (config: Config | Problem[], catalogue: Catalogue): Rulebook | Problem[] =>
  isConfig(config) ? rulebookOf(config, catalogue) : config;

const readBase = (request: PolicyRequest): Config | Problem[] => {
  const beside = join(dirname(request.file), defaultFile);
  const found = request.config ?? [beside, defaultFile].find((file) => existsSync(file));
  if (found !== undefined && resolve(found) !== resolve(request.file))
    return readConfiguration({ ...request, file: found });
  return [
    {
      file: request.file,
      line: 1,
      column: 1,
      path: [],
      message: "has a policy alone: name the configuration it belongs to with --config FILE",
    },
  ];
};

/** What rules can name, in one line each: they follow the policy, so that its own lines keep their numbers. */
const surroundingsOf = ({ identity, connections }: Config): string => {
  const issuers = identity.issuers.map(({ name, issuer }) => ({ name, issuer, audience: "dogwatch", allow: "true" }));
  const named = connections.map(({ name, kind, site }) => ({ name, kind, site, apiKey: "none", appKey: "none" }));
  return `identity: ${JSON.stringify({ issuers })}\nconnections: ${JSON.stringify(named)}\n`;
};

/** By name: no two secrets are the same. */
const standInsFor = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/\$\{env:([^}]+)\}/g)].map(([, name = ""]) => [name, `${standIn}${name.padEnd(32, "-")}`]),
  );

/** Of the same length, so that every column stays. */
const withoutMissingFiles = (text: string, file: string): string => {
  let count = 0;
  return text.replaceAll(/\$\{file:([^}]+)\}/g, (reference, path: string) =>
    existsSync(resolve(dirname(resolve(file)), path))
      ? reference
      : `${standIn}${count++}`.slice(0, reference.length).padEnd(reference.length, "-"),
  );
};
