/** Finds the recordings that a command is about: which database, and which calls in it. */

import type { Environment } from "../../config/load.ts";
import type { Config } from "../../model/config.ts";
import { purposeOf } from "../../model/ownCaller.ts";
import { type CallFilter, type CallReader, openCallReader, type RecordedSession } from "../../store/replayCalls.ts";
import { visitEmbedded } from "../../store/embedded/visit.ts";
import { putAwayOnSignal } from "../stop.ts";
import { standIn } from "./policyFile.ts";
import { sinceWhen, wrongUsage } from "../words.ts";
import type { Answer } from "../answer.ts";

/** What the command line says of them. */
export type Selection = {
  readonly since?: string | undefined;
  /** `OWNER/NAME`, or a repository's id. */
  readonly repo?: readonly string[] | undefined;
  /** Id of a session, or the address of its page. */
  readonly session?: readonly string[] | undefined;
};

/** Where a command finds things out. */
export type CommandContext = { readonly env: Environment; readonly now: Date };

export type Reading = { readonly reader: CallReader; close(): Promise<void> };

/** @throws GatewayError `recording_unavailable` when there is no such database, or it does not answer */
export async function openRecordings(config: Config | null, database: string | undefined): Promise<Reading> {
  const connectionString = database ?? config?.database?.reveal();
  if (connectionString !== undefined) {
    const reader = await openCallReader(connectionString);
    return { reader, close: async () => reader.close() };
  }
  if (config === null) throw new TypeError("a command without --database has a configuration");
  const visiting = visitEmbedded({ dataDir: config.dataDir, log: silent });
  // Before there is a server that would outlive this process.
  const unheed = putAwayOnSignal(async () => (await visiting.catch(() => null))?.leave());
  const visit = await visiting;
  const leave = async (): Promise<void> => {
    await visit.leave();
    unheed();
  };
  const reader = await openCallReader(visit.connectionString).catch(async (error: unknown) => {
    await leave();
    throw error;
  });
  return {
    reader,
    close: async () => {
      reader.close();
      await leave();
    },
  };
}

/** Why the configuration's database cannot be asked for; null when it can. */
export const databaseMissing = (config: Config | null, database: string | undefined): Answer | null =>
  database === undefined && config?.database?.reveal().startsWith(standIn) === true
    ? wrongUsage(
        `${config.file}: database names an environment variable or a file that is not there: set it, or use --database`,
      )
    : null;

/** What the command line selects, or what is wrong with it. */
export function filterOf({ since, repo = [], session = [] }: Selection, now: Date): CallFilter | Answer {
  const from = since === undefined ? undefined : sinceWhen(since, now);
  if (from === null)
    return wrongUsage(`--since ${since}: write a time like 7d, 12h, 30m, 2026-05-04 or 2026-05-04T12:00:00Z`);
  const sessions: string[] = [];
  for (const written of session) {
    const id = uuid.exec(written)?.[0];
    if (id === undefined)
      return wrongUsage(`--session ${written}: write the id of a session, or the address of its page`);
    sessions.push(id.toLowerCase());
  }
  const repositories = repo.map((name) => name.toLowerCase());
  for (const name of repositories)
    if (!/^([\w.-]+\/[\w.-]+|\d+)$/.test(name))
      return wrongUsage(`--repo ${name}: write OWNER/NAME, or a repository's id`);
  return {
    ...(from !== undefined && { since: from }),
    sessions,
    // No rule decided of a replay's calls.
    isWanted: (one) => purposeOf(one.caller) !== "replay" && (repositories.length === 0 || isOf(one, repositories)),
  };
}

export const isAnswer = (value: object): value is Answer => "exitCode" in value;

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** GitHub's names do not tell case. */
const isOf = ({ caller: { claims } }: RecordedSession, repositories: readonly string[]): boolean =>
  [claims["repository"], claims["repository_id"]].some(
    (claim) => typeof claim === "string" && repositories.includes(claim.toLowerCase()),
  );

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
