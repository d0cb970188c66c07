/**
 * A stand-in for GitHub on this machine: its API, its webhooks, its pages and its identity tokens, with a memory. Tests and `npm start` use it.
 *
 * API under `{url}/api/v3`, as on GitHub Enterprise Server; web pages under `{url}`; the issuer of Actions' identity tokens is `{url}`.
 */

import type { DemoJob, IdTokenAccess } from "../github.ts";
import type { Apps } from "./apps.ts";
import type { Accounts } from "./accounts.ts";
import type { Checks } from "./checks.ts";
import type { Comments } from "./comments.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Faults } from "./faults.ts";
import type { Limits } from "./limits.ts";
import type { Person } from "./person.ts";
import type { Pulls } from "./pulls.ts";
import type { Repositories } from "./repositories.ts";
import type { Asked } from "./requests.ts";
import type { Runs } from "./runs.ts";
import type { Visitors } from "./visitors.ts";

export type GitHubOptions = {
  readonly clock: () => Date;
  /** 0 takes any free one; a fixed one keeps the issuer's name from start to start. */
  readonly port?: number;
  /** Hears every request to the API with its answer, whole: `test/standins/githubSpec.ts` checks them. */
  readonly onExchange?: (exchange: Exchange) => void;
};

/** As `test/standins/githubSpec.ts` takes it; `path` has no `/api/v3`. */
export type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseBody: unknown;
};

export type GitHubStandin = {
  /** Its web, and the exact `iss` of its identity tokens: `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly issuer: string;
  /** `{url}/api/v3`, for `github.apiUrl` */
  readonly apiUrl: string;
  /** Lets a job ask for identity tokens; each one it gets is new. */
  grant(job: DemoJob): IdTokenAccess;
  readonly accounts: Accounts;
  readonly repositories: Repositories;
  readonly pulls: Pulls;
  readonly runs: Runs;
  readonly comments: Comments;
  readonly checks: Checks;
  readonly apps: Apps;
  readonly deliveries: Deliveries;
  readonly limits: Limits;
  readonly faults: Faults;
  /** Who visits its web pages; `visitors.preset("mona")` signs in without asking. */
  readonly visitors: Visitors;
  /** Everything the API was asked, in order. */
  readonly requests: readonly Asked[];
  /** Somebody at a keyboard: comments, replies, edits, deletes, presses buttons. @throws Error when there is no such user */
  as(login: string): Person;
  close(): Promise<void>;
};

export const startGitHub = async (options: GitHubOptions): Promise<GitHubStandin> => {
  throw new Error(`not built yet (${Object.keys(options).join()})`);
};
