/**
 * What a webhook delivery says.
 *
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */

import type { Happening } from "./happenings.ts";
import { nodeId } from "./ids.ts";
import { userJson } from "./json/account.ts";
import { installationJson } from "./json/app.ts";
import { checkJson } from "./json/check.ts";
import { issueCommentJson, issueJson, reviewCommentJson } from "./json/issue.ts";
import { pullInListJson, pullJson } from "./json/pull.ts";
import { repositoryJson } from "./json/repository.ts";
import type { Account, Installation, Repository } from "./state.ts";
import type { Surroundings } from "./world.ts";

export type Origin = {
  readonly sender: Account;
  readonly repository: Repository | null;
  /** Of the App that is told. */
  readonly installation: Installation;
};

export const payloadOf = (world: Surroundings, happening: Happening, origin: Origin): object => ({
  action: happening.action,
  ...subjectOf(world, happening, origin),
  ...(origin.repository === null ? {} : { repository: repositoryJson(world, origin.repository) }),
  sender: userJson(world, origin.sender),
});

function subjectOf(world: Surroundings, happening: Happening, { installation }: Origin): object {
  const short = { installation: { id: installation.id, node_id: nodeId("Installation", installation.id) } };
  switch (happening.event) {
    case "pull_request_review_comment":
      return {
        ...changes(happening.was),
        comment: reviewCommentJson(world, happening.comment),
        pull_request: pullInListJson(world, happening.pull),
        ...short,
      };
    case "issue_comment":
      return {
        ...changes(happening.was),
        issue: issueJson(world, happening.issue),
        comment: issueCommentJson(world, happening.comment),
        ...short,
      };
    case "check_run":
      return {
        check_run: checkJson(world, happening.check),
        ...(happening.identifier === undefined ? {} : { requested_action: { identifier: happening.identifier } }),
        ...short,
      };
    case "pull_request":
      return {
        number: happening.pull.number,
        pull_request: pullJson(world, happening.pull),
        ...(happening.before === undefined ? {} : { before: happening.before, after: happening.pull.head_sha }),
        ...short,
      };
    case "installation":
      return { installation: installationJson(world, happening.installation), repositories: [], requester: null };
    default:
      return happening satisfies never;
  }
}

const changes = (was: string | undefined): object => (was === undefined ? {} : { changes: { body: { from: was } } });
