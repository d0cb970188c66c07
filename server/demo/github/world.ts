/** All nouns of the stand-in, for what needs several of them. */

import type { Accounts } from "./accounts.ts";
import type { Apps } from "./apps.ts";
import type { Checks } from "./checks.ts";
import type { Comments } from "./comments.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Ids } from "./ids.ts";
import type { Pulls } from "./pulls.ts";
import type { Repositories } from "./repositories.ts";
import type { Runs } from "./runs.ts";

export type World = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `{url}/api/v3` */
  readonly apiUrl: string;
  readonly clock: () => Date;
  readonly ids: Ids;
  readonly accounts: Accounts;
  readonly repositories: Repositories;
  readonly pulls: Pulls;
  readonly runs: Runs;
  readonly comments: Comments;
  readonly checks: Checks;
  readonly apps: Apps;
  readonly deliveries: Deliveries;
};

/** What objects are written with: addresses, and what else is known of them. */
export type Surroundings = Pick<
  World,
  "url" | "apiUrl" | "accounts" | "repositories" | "pulls" | "comments" | "checks" | "apps"
>;
