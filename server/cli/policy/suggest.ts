/** `dogwatch policy suggest`: the least policy that allows what was recorded, ready to read. */

import { existsSync } from "node:fs";
import { isConfig } from "../../config/load.ts";
import { buildCatalogue } from "../../datadog/catalogue.ts";
import { suggest } from "../../journeys/policy/suggest.ts";
import { defaultFile } from "../check.ts";
import { readConfiguration } from "./policyFile.ts";
import {
  type CommandContext,
  databaseMissing,
  filterOf,
  isAnswer,
  openRecordings,
  type Selection,
} from "./recordings.ts";
import { writeSuggestion } from "./suggestionText.ts";
import { listProblems, wrongUsage } from "../words.ts";
import type { Answer } from "../answer.ts";

export type SuggestRequest = Selection & {
  readonly config?: string | undefined;
  readonly database?: string | undefined;
  readonly includeDestructive?: boolean | undefined;
};

/** Exit code 0: a policy; 2: wrong usage, or nothing was recorded that fits. @throws GatewayError without a database */
export async function suggestPolicy(request: SuggestRequest, { env, now }: CommandContext): Promise<Answer> {
  const { since, repo = [], session = [], database } = request;
  if (since === undefined && repo.length === 0 && session.length === 0)
    return wrongUsage("say which calls: --session ID, --repo OWNER/NAME, or --since 7d");
  const filter = filterOf(request, now);
  if (isAnswer(filter)) return filter;
  const file = request.config ?? defaultFile;
  if (database === undefined && !existsSync(file))
    return wrongUsage(
      `${file} is not there: name the gateway's configuration with --config, or its database with --database`,
    );
  const config = database === undefined ? readConfiguration({ file, env, catalogue: buildCatalogue() }) : null;
  if (config !== null && !isConfig(config)) return listProblems(config);
  const missing = databaseMissing(config, database);
  if (missing !== null) return missing;

  const { reader, close } = await openRecordings(config, database);
  try {
    const options = { includeDestructive: request.includeDestructive === true };
    const suggestions = await suggest(reader.pages(filter), options);
    if (suggestions.calls === 0) return wrongUsage(`no recorded call fits ${sourceOf(request)}`);
    return { exitCode: 0, output: writeSuggestion(suggestions, sourceOf(request)) };
  } finally {
    await close();
  }
}

const sourceOf = ({ since, repo = [], session = [] }: Selection): string =>
  [
    ...repo.map((name) => `--repo ${name}`),
    ...session.map((id) => `--session ${id}`),
    ...(since === undefined ? [] : [`--since ${since}`]),
  ].join(" ");
