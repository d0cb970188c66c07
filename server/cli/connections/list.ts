/** `dogwatch connections`: the Datadog organizations that a configuration names, without their keys. */

import { existsSync } from "node:fs";
import { type Environment, isConfig, loadConfig } from "../../config/load.ts";
import type { Connection } from "../../model/connection.ts";
import { plainJsonLines } from "../../model/plainJson.ts";
import type { Answer } from "../answer.ts";
import { defaultFile, explainMissing } from "../check.ts";
import { inColumns, listProblems, readable, wrongUsage } from "../words.ts";

export type ConnectionsRequest = {
  /** Default: `dogwatch.yaml`. */
  readonly file?: string;
  readonly env: Environment;
  readonly json?: true;
};

export const connections = ({ file = defaultFile, env, json }: ConnectionsRequest): Answer => {
  if (!existsSync(file)) return wrongUsage(explainMissing(file).trimEnd());
  const loaded = loadConfig(file, env);
  if (!isConfig(loaded)) return listProblems(loaded);
  const text = json
    ? plainJsonLines(loaded.connections.map(shown))
    : inColumns(loaded.connections.map(cellsOf)).join("\n");
  return { exitCode: 0, output: `${text}\n` };
};

/** Field by field: a field that a connection gets later is not printed before somebody decided that it may be. */
const shown = ({ name, kind, site, endpoint, allow }: Connection): object => ({
  name,
  kind,
  site,
  endpoint: endpoint ?? null,
  allow: allow ?? null,
});

const cellsOf = ({ name, kind, site, endpoint, allow }: Connection): readonly string[] => {
  const narrowed = allow === undefined ? "" : `, for callers with ${readable(allow)}`;
  return [readable(name), kind, site, `${readable(endpoint ?? "Datadog itself")}${narrowed}`];
};
