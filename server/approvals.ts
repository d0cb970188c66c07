/** Joins what approvals are made of: the questions in the store, the people on GitHub, the calls that wait. */

import { randomBytes } from "node:crypto";
import { createGitHub, type GitHubApp } from "./github/client.ts";
import { PeopleApproving } from "./journeys/approval/approving.ts";
import type { ApprovalParts } from "./journeys/approval/parts.ts";
import type { ShowParts } from "./journeys/approval/show.ts";
import { AskedRepositoryAccess } from "./journeys/repositoryAccess.ts";
import type { Config } from "./model/config.ts";
import type { Log } from "./model/log.ts";
import type { Store } from "./store/database.ts";

export type Approvals = {
  readonly approving: PeopleApproving;
  /** What the API and the pages read, wait for and answer with. */
  readonly answering: ShowParts;
  /** Nobody is held any longer. */
  stop(): void;
  close(): Promise<void>;
};

export type ApprovalSurroundings = {
  readonly config: Config;
  readonly store: Store;
  readonly log: Log;
  /** ms */
  hold(): number;
};

const sweepEvery = 5_000;

export async function joinApprovals({ config, store, log, hold }: ApprovalSurroundings): Promise<Approvals> {
  const stopping = new AbortController();
  const github = gitHubOf(config, log);
  const parts: ApprovalParts = {
    store: store.approvals,
    directory: null,
    key: await store.approvals.agreedKey("approval-codes"),
    publicUrl: config.publicUrl,
    show: () => undefined,
    audit: (event) => store.audit.append(event),
    log,
    now: () => new Date(),
    chance: randomBytes,
  };
  const approving = new PeopleApproving(parts, { hold, stopping: stopping.signal });
  const sweep = setInterval(() => void expire(parts), sweepEvery);
  return {
    approving,
    answering: {
      ...parts,
      store: store.approvals,
      sessions: store.sessions,
      receipts: store.receipts,
      repositories: new AskedRepositoryAccess({ github, log, monotonic: () => performance.now() }),
      watch: (id, ms, signal) => approving.watch(id, ms, signal),
    },
    stop: () => stopping.abort(),
    close: async () => {
      clearInterval(sweep);
      approving.stop();
    },
  };
}

/** Null without a GitHub App. */
const gitHubOf = ({ github }: Config, log: Log): GitHubApp | null =>
  github === undefined ? null : createGitHub({ ...github, log, clock: () => new Date() });

const expire = async ({ store, show, log }: ApprovalParts): Promise<void> => {
  try {
    for (const id of await store.expire()) show(id);
  } catch (error) {
    log.warn({ err: error }, "questions whose time is over wait for the database");
  }
};
