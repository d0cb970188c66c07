/** Pull requests, their files and reviews. */

import { z } from "zod";
import { reviewJson } from "../json/issue.ts";
import { commitJson, fileJson, pullInListJson, pullJson } from "../json/pull.ts";
import type { Pull, Review } from "../state.ts";
import { isTooLong, tooLong } from "./bodies.ts";
import { inRepository } from "./handler.ts";
import type { OperationId } from "./operations.ts";
import { paged } from "./pages.ts";
import { authorOf } from "./permit.ts";
import { type Reply, type RepositoryCall, invalid, notFound, ok } from "./reply.ts";

const states: Readonly<Record<string, Review["state"]>> = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
};

const newReview = z.object({
  commit_id: z.string().optional(),
  body: z.string().default(""),
  event: z.enum(["APPROVE", "REQUEST_CHANGES", "COMMENT"]).default("COMMENT"),
});

export const pullHandlers = {
  "pulls/list": inRepository((call) => paged(call, matching(call), (pull) => pullInListJson(call.world, pull))),
  "pulls/get": inRepository((call) => withPull(call, (pull) => ok(pullJson(call.world, pull)))),
  "pulls/list-commits": inRepository((call) =>
    withPull(call, (pull) => paged(call, pull.commits.slice(0, mostCommits), (sha) => commitOf(call, sha))),
  ),
  "pulls/list-files": inRepository((call) =>
    withPull(call, (pull) => paged(call, pull.files, (file) => fileJson(call.world, pull, file))),
  ),
  "pulls/list-reviews": inRepository((call) =>
    withPull(call, ({ number }) =>
      paged(
        call,
        call.world.comments.reviews(call.repository).filter((review) => review.number === number),
        (review) => reviewJson(call.world, review),
      ),
    ),
  ),
  "pulls/create-review": inRepository((call) =>
    withPull(call, (pull) => {
      const asked = newReview.safeParse(call.body ?? {});
      if (!asked.success) return invalid("PullRequestReview", "event");
      const { body, event, commit_id = pull.head_sha } = asked.data;
      if (isTooLong(body)) return tooLong("PullRequestReview");
      if (!pull.commits.includes(commit_id)) return invalid("PullRequestReview", "commit_id");
      const { author } = authorOf(call.world, call.caller);
      const state = states[event] ?? "COMMENTED";
      return ok(reviewJson(call.world, call.world.comments.review(pull, { author, body, state, commit_id })));
    }),
  ),
} as const satisfies Partial<Record<OperationId, unknown>>;

/** Of more than these GitHub lists the oldest. */
const mostCommits = 250;

function commitOf({ world, repository }: RepositoryCall, sha: string): object {
  const commit = world.pulls.commit(repository, sha);
  if (commit === null) throw new Error(`a pull request proposes commit ${sha}, and there is none`);
  return commitJson(world, repository, commit);
}

export function withPull({ world, repository, params }: RepositoryCall, then: (pull: Pull) => Reply): Reply {
  const pull = world.pulls.findPull(repository, Number(params["pull_number"]));
  return pull === null ? notFound : then(pull);
}

/** Newest first unless it is asked for otherwise. */
function matching({ world, repository, query }: RepositoryCall): Pull[] {
  const { state = "open", head, base, direction } = query;
  const fitting = world.pulls
    .in(repository)
    .filter((pull) => state === "all" || pull.open === (state === "open"))
    .filter((pull) => head === undefined || `${pull.from.owner.login}:${pull.branch}` === head)
    .filter((pull) => base === undefined || pull.base.ref === base);
  return direction === "asc" ? fitting : fitting.toReversed();
}
