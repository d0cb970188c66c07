/** Joins what makes the GitHub App on a running gateway: its pages, the files it is kept in, and what is asked of an App that is there. */

import { randomBytes } from "node:crypto";
import type { Environment } from "./config/load.ts";
import { hasKeptApp, keepApp, whyNotKept } from "./config/keepApp.ts";
import { AppTrial } from "./github/trial.ts";
import { webAddress, webOfIssuer } from "./github/web.ts";
import { createdPath, type SetupParts } from "./journeys/setup.ts";
import type { AuditEvent } from "./model/audit.ts";
import type { Config, GitHubSource } from "./model/config.ts";
import type { Log } from "./model/log.ts";
import type { Store } from "./store/database.ts";

export type SetupSurroundings = {
  /** The one in force. */
  config(): Config;
  readonly env: Environment;
  readonly store: Pick<Store, "people">;
  readonly log: Log;
  audit(event: AuditEvent): void;
};

export type Setup = {
  readonly setup: SetupParts;
  app(): { readonly appId: string; readonly trial: AppTrial } | null;
  readonly web: string;
};

export function joinSetup({ config, env, store, log, audit }: SetupSurroundings): Setup {
  const { publicUrl, dataDir, file } = config();
  return {
    web: webOf(config()),
    app: () => {
      const { github } = config();
      return github === undefined ? null : { appId: github.appId, trial: trialOf(github, { config: config(), log }) };
    },
    setup: {
      trips: store.people,
      publicUrl,
      redirect: publicUrl + createdPath,
      teams: () => namesTeams(config()),
      whyNotKept: () => whyNotKept(dataDir),
      hasApp: () => config().github !== undefined || hasKeptApp(dataDir),
      keep: (app, { issues, existing }) => keepApp(app, { file, dataDir, env, issues }, existing),
      fetch,
      audit,
      chance: randomBytes,
    },
  };
}

/** Of the App that the configuration names. */
export const trialOf = (
  { apiUrl, appId, privateKey, issues }: GitHubSource,
  { config, log }: { readonly config: Config; readonly log: Log },
): AppTrial =>
  new AppTrial({ apiUrl, appId, privateKey, issues, teams: namesTeams(config), log, clock: () => new Date(), fetch });

/** Only then does the App have to know who is in which. */
export const namesTeams = ({ policy, signIn }: Pick<Config, "policy" | "signIn">): boolean =>
  policy.rules.some(({ approvers }) => (approvers?.teams ?? []).length > 0) ||
  (signIn.github?.admins ?? []).length + (signIn.github?.auditors ?? []).length > 0;

/** The GitHub whose jobs come here: that of the App, else that of an issuer, else the one that everybody has. */
export const webOf = ({ github, identity }: Pick<Config, "github" | "identity">): string =>
  github === undefined
    ? (identity.issuers.map(({ issuer }) => webOfIssuer(issuer)).find((web) => web !== null) ?? "https://github.com")
    : webAddress(github.apiUrl);
