/** `dogwatch check [FILE]`: everything that is wrong with a configuration, each with its place and the fix. */

import { existsSync } from "node:fs";
import type { Config, Problem } from "../model/config.ts";
import { plainJsonLines } from "../model/plainJson.ts";
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
  readonly json?: true;
};

/** What to print, and the exit code: 0 the configuration can be used, 2 it cannot. */
export type CheckResult = { readonly exitCode: 0 | 2; readonly output: string };

export const check = ({ file = defaultFile, env, examine, json }: CheckRequest): CheckResult => {
  if (!json && !existsSync(file)) return { exitCode: 2, output: explainMissing(file) };
  const loaded = loadConfig(file, env, examine);
  if (json) return { exitCode: isConfig(loaded) ? 0 : 2, output: asJson(file, loaded) };
  if (isConfig(loaded)) return { exitCode: 0, output: summary(loaded) };
  const count = loaded.length === 1 ? "1 problem" : `${loaded.length} problems`;
  return { exitCode: 2, output: `${loaded.map(formatProblem).join("\n")}\n${count}\n` };
};

const asJson = (file: string, loaded: Config | readonly Problem[]): string => {
  const [problems, notices] = "notices" in loaded ? [[], loaded.notices] : [loaded, []];
  return `${plainJsonLines({ file, problems: problems.map(placed), notices: notices.map(placed) })}\n`;
};

const placed = ({ line, column, path, message }: Problem): object => ({ line, column, path: path.join("."), message });

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
