/** `dogwatch check [FILE]`: everything that is wrong with a configuration, each with its place and the fix. */

import { existsSync } from "node:fs";
import type { Config } from "../model/config.ts";
import { type Environment, type Examine, formatProblem, isConfig, loadConfig } from "../config/load.ts";

export const defaultFile = "dogwatch.yaml";

/** One line for whoever has no configuration yet. */
export const explainMissing = (file: string): string =>
  `${file} is not there: name yours, or begin with a copy of deploy/dogwatch.example.yaml; \`dogwatch demo\` needs none\n`;

export type CheckRequest = {
  /** Default: `dogwatch.yaml`. */
  readonly file?: string;
  readonly env: Environment;
  readonly examine: Examine;
};

/** Text for people, and the exit code: 0 the configuration can be used, 2 it cannot. */
export type CheckResult = { readonly exitCode: 0 | 2; readonly output: string };

export const check = ({ file = defaultFile, env, examine }: CheckRequest): CheckResult => {
  if (!existsSync(file)) return { exitCode: 2, output: explainMissing(file) };
  const loaded = loadConfig(file, env, examine);
  if (isConfig(loaded)) return { exitCode: 0, output: summary(loaded) };
  const count = loaded.length === 1 ? "1 problem" : `${loaded.length} problems`;
  return { exitCode: 2, output: `${loaded.map(formatProblem).join("\n")}\n${count}\n` };
};

const summary = (config: Config): string => {
  const parts = [
    counted(config.identity.issuers.length, "issuer"),
    counted(config.connections.length, "connection"),
    counted(config.policy.rules.length, "rule"),
  ];
  const notices = config.notices.map((notice) => `note: ${formatProblem(notice)}\n`);
  return `${notices.join("")}${config.file} is good: ${parts.join(", ")}\n`;
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
