/** The GitHub App's client: what journeys ask of GitHub, joined from one part for each noun. */

import { randomUUID } from "node:crypto";
import type { Secret } from "../model/connection.ts";
import type { GitHub } from "../model/github.ts";
import type { Log } from "../model/log.ts";
import { App } from "./app.ts";
import { Checks } from "./checks.ts";
import { Comments } from "./comments.ts";
import { Deliveries } from "./deliveries.ts";
import { type Sought, findComment, withSlack } from "./find.ts";
import { Installations } from "./installations.ts";
import { Issues } from "./issues.ts";
import { Limits } from "./limits.ts";
import { People } from "./people.ts";
import type { Uses } from "./permissions.ts";
import { Poll } from "./poll.ts";
import { Pulls } from "./pulls.ts";
import { Repositories } from "./repositories.ts";
import { readJobName, readRun } from "./runs.ts";
import { type Fetch, createSend } from "./send.ts";
import { type Member, Teams } from "./teams.ts";

export type GitHubOptions = Uses & {
  /** `https://api.github.com`, `https://HOST/api/v3` */
  readonly apiUrl: string;
  /** In digits. */
  readonly appId: string;
  /** PEM, as GitHub gave it. */
  readonly privateKey: Secret;
  readonly log: Log;
  readonly clock: () => Date;
  readonly fetch?: Fetch;
  /** How long one request may take, ms; default 10 seconds. */
  readonly patience?: number;
};

export type GitHubApp = GitHub & {
  /**
   * What the App lacks of the permissions and events it needs, one sentence each; empty when it has all.
   *
   * @throws GitHubFailure when GitHub cannot be asked, or does not accept the key
   */
  verify(): Promise<readonly string[]>;
  /** Whether the account is an active member of a team, `acme/platform-leads`. @throws GitHubFailure */
  isInTeam(team: string, who: Member): Promise<boolean>;
};

export const createGitHub = (options: GitHubOptions): GitHubApp => {
  const { apiUrl, appId, privateKey, log, clock } = options;
  const uses: Uses = { issues: options.issues };
  const send = createSend({
    apiUrl,
    log,
    // Looked up at every request: it may be replaced while the client lives.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    limits: new Limits(clock),
    patience: options.patience ?? 10_000,
    queue: randomUUID(),
  });
  const app = new App({ appId, privateKey, send });
  const repositories = new Repositories({ installations: new Installations({ app, uses, clock }), send });
  const pulls = new Pulls(repositories);
  const people = new People(repositories);
  const comments = new Comments(repositories);
  const issues = new Issues({ repositories, uses });
  const checks = new Checks(repositories);
  const poll = new Poll({ repositories, log });
  const deliveries = new Deliveries(app);
  const teams = new Teams({ app, send, clock });
  return {
    verify: () => app.verify(uses),
    isInTeam: (team, who) => teams.isMember(team, who),
    repository: (of) => repositories.repository(of),
    run: (of, run_id) => readRun(repositories, of, run_id),
    jobName: (of, job) => readJobName(repositories, of, job),
    pull: (of, number) => pulls.pull(of, number),
    pullsWith: (of, head_sha) => pulls.pullsWith(of, head_sha),
    changedFiles: (of, number) => pulls.changedFiles(of, number),
    committers: (of, sha) => pulls.committers(of, sha),
    headCommitters: (of, pull) => pulls.headCommitters(of, pull),
    account: (of, login) => people.account(of, login),
    access: (of, login) => people.access(of, login),
    isMember: (of, team, login) => people.isMember(of, team, login),
    comment: (of, kind, id) => comments.comment(of, kind, id),
    commentsSince: (of, kind, since) => poll.commentsSince(of, kind, since),
    deliveries: (since) => deliveries.deliveries(since),
    delivery: (id) => deliveries.delivery(id),
    createReviewComment: (of, asked) => comments.createReviewComment(of, asked),
    createComment: (of, asked) => comments.createComment(of, asked),
    createIssue: (of, asked) => issues.createIssue(of, asked),
    createCheckRun: (of, check) => checks.createCheckRun(of, check),
    find: async (of, { number, marker, since }) => {
      const { slug } = await app.about();
      const sought: Sought = { marker, since: withSlack(since), appId, slug };
      return number === null ? issues.findIssue(of, sought) : findComment(repositories, of, { number, sought });
    },
    reply: (of, place, body) => comments.reply(of, place, body),
    edit: (of, place, body) => comments.edit(of, place, body),
    updateCheckRun: (of, id, content) => checks.updateCheckRun(of, id, content),
  };
};
