/** Joins what approvals are made of: the questions in the store, the people on GitHub, the calls that wait. */

import { randomBytes, randomUUID } from "node:crypto";
import { createGitHub, type GitHubApp } from "./github/client.ts";
import { readDelivery } from "./github/heard.ts";
import { verifySignature } from "./github/signature.ts";
import { PeopleApproving } from "./journeys/approval/approving.ts";
import { createDirectory } from "./journeys/approval/directory.ts";
import { Hearing } from "./journeys/approval/hear.ts";
import type { Outcome } from "./journeys/approval/hear/parts.ts";
import type { ApprovalParts, Directory } from "./journeys/approval/parts.ts";
import { Polling } from "./journeys/approval/poll.ts";
import type { PageParts } from "./journeys/approval/page.ts";
import { Showing } from "./journeys/approval/show.ts";
import { AskedRepositoryAccess } from "./journeys/repositoryAccess.ts";
import { createVisibleSessions } from "./journeys/visible.ts";
import type { Config, GitHubSource } from "./model/config.ts";
import type { Heard } from "./model/github.ts";
import type { Log } from "./model/log.ts";
import { Trouble } from "./model/trouble.ts";
import type { Store } from "./store/database.ts";

export type Approvals = {
  readonly approving: PeopleApproving;
  /** What the API and the pages read, wait for and answer with. */
  readonly answering: PageParts & { readonly repositories: AskedRepositoryAccess };
  /** The App's client; null without an App. */
  readonly github: GitHubApp | null;
  /** Null without a GitHub App. */
  readonly deliveries: Deliveries | null;
  /** Nobody is held any longer. */
  stop(): void;
  close(): Promise<void>;
};

/** What the App's webhook takes; `http/webhooks.ts` serves it. */
export type Deliveries = {
  verify(body: Buffer, signature: string | undefined): boolean;
  read(event: string, payload: unknown): Heard | null;
  hear(heard: Heard): Promise<Outcome>;
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
  const holder = randomUUID();
  const now = (): Date => new Date();
  const app = config.github === undefined ? null : joinApp(config.github, log, now);
  const common = {
    store: store.approvals,
    publicUrl: config.publicUrl,
    issues: config.github?.issues ?? false,
    audit: store.audit.append,
    log,
    now,
  };
  const showing = new Showing({ ...common, github: app?.github ?? null, holder, seals: store.seals });
  const parts: ApprovalParts = {
    ...common,
    directory: app?.directory ?? null,
    key: await store.approvals.agreedKey("approval-codes"),
    show: (id) => showing.show(id),
    chance: randomBytes,
  };
  const approving = new PeopleApproving(parts, { hold, stopping: stopping.signal });
  const ears = app === null ? null : listen({ ...parts, holder }, app);
  const sweep = setInterval(expiring(parts), sweepEvery);
  showing.start();
  const repositories = new AskedRepositoryAccess({
    github: app?.github ?? null,
    log,
    monotonic: () => performance.now(),
  });
  return {
    approving,
    answering: {
      ...parts,
      store: store.approvals,
      sessions: store.sessions,
      receipts: store.receipts,
      repositories,
      scope: createVisibleSessions({
        sessions: store.sessions,
        access: repositories,
        apiUrl: app?.source.apiUrl ?? null,
      }).scope,
      watch: (id, ms, signal) => approving.watch(id, ms, signal),
      auditFirst: store.audit.write,
    },
    github: app?.github ?? null,
    deliveries: ears?.deliveries ?? null,
    stop: () => stopping.abort(),
    close: async () => {
      clearInterval(sweep);
      await Promise.all([showing.stop(), ears?.polling.stop()]);
      approving.stop();
    },
  };
}

type App = { readonly github: GitHubApp; readonly directory: Directory; readonly source: GitHubSource };

function joinApp(source: GitHubSource, log: Log, clock: () => Date): App {
  const github = createGitHub({ ...source, log, clock });
  return { github, directory: createDirectory({ github, apiUrl: source.apiUrl, log }), source };
}

/** Both ways in which answers on GitHub are heard. */
function listen(
  parts: ApprovalParts & { readonly holder: string },
  { github, directory, source }: App,
): { readonly polling: Polling; readonly deliveries: Deliveries } {
  const hearing = new Hearing({ ...parts, github, directory });
  const polling = new Polling({ ...parts, github, directory, hear: (heard, proof) => hearing.hear(heard, proof) });
  polling.start();
  void tellLacks(github, parts.log);
  return {
    polling,
    deliveries: {
      verify: (body, signature) => verifySignature(source.webhookSecret, body, signature),
      read: (event, payload) => readDelivery(event, payload, source.appId),
      hear: (heard) => hearing.hear(heard, "signature"),
    },
  };
}

/** What the App lacks is said at every start; it keeps nothing from running that needs none of it. */
const tellLacks = async (github: GitHubApp, log: Log): Promise<void> => {
  try {
    for (const lack of await github.verify()) log.warn({}, lack);
  } catch (error) {
    log.warn({ err: error }, "the GitHub App could not be looked at");
  }
};

const expiring = ({ store, show, log }: ApprovalParts): (() => void) => {
  const trouble = new Trouble(
    { log, monotonic: () => performance.now() },
    "questions whose time is over wait for the database",
  );
  const expire = async (): Promise<void> => {
    try {
      for (const id of await store.expire()) show(id);
      trouble.worked();
    } catch (error) {
      trouble.failed(error);
    }
  };
  return () => void expire();
};
