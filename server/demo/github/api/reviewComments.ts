/** Comments on files of a pull request's diff, and the threads below them. */

import { z } from "zod";
import { reviewCommentJson } from "../json/issue.ts";
import type { Pull, ReviewComment } from "../state.ts";
import { readBody } from "./bodies.ts";
import { inRepository } from "./handler.ts";
import { inOrder } from "./lists.ts";
import type { OperationId } from "./operations.ts";
import { paged } from "./pages.ts";
import { authorOf } from "./permit.ts";
import { withPull } from "./pulls.ts";
import { type Reply, type RepositoryCall, invalid, notFound, ok } from "./reply.ts";

const resource = "PullRequestReviewComment";

const newThread = z.object({
  commit_id: z.string(),
  path: z.string(),
  subject_type: z.enum(["line", "file"]).default("line"),
  line: z.int().positive().optional(),
  position: z.int().positive().optional(),
  in_reply_to: z.int().optional(),
});

export const reviewCommentHandlers = {
  "pulls/list-review-comments-for-repo": inRepository((call) => list(call, commentsIn(call))),
  "pulls/list-review-comments": inRepository((call) =>
    withPull(call, ({ number }) =>
      list(
        call,
        commentsIn(call).filter((comment) => comment.number === number),
      ),
    ),
  ),
  "pulls/create-review-comment": inRepository((call) => withPull(call, (pull) => createThread(call, pull))),
  "pulls/create-reply-for-review-comment": inRepository((call) =>
    withPull(call, (pull) =>
      withComment(call, (to) => {
        if (to.number !== pull.number) return notFound;
        const body = readBody(call.body, resource);
        return typeof body === "string" ? reply(call, to, body) : body;
      }),
    ),
  ),
  "pulls/get-review-comment": inRepository((call) =>
    withComment(call, (comment) => ok(reviewCommentJson(call.world, comment))),
  ),
  // Whoever may write may change what others wrote: the author stays who it was.
  "pulls/update-review-comment": inRepository((call) =>
    withComment(call, (comment) => {
      const body = readBody(call.body, resource);
      if (typeof body !== "string") return body;
      call.world.comments.edit(comment, body, authorOf(call.world, call.caller).author);
      return ok(reviewCommentJson(call.world, comment));
    }),
  ),
} as const satisfies Partial<Record<OperationId, unknown>>;

/** @see https://docs.github.com/en/rest/pulls/comments#create-a-review-comment-for-a-pull-request */
function createThread(call: RepositoryCall, pull: Pull): Reply {
  const body = readBody(call.body, resource);
  if (typeof body !== "string") return body;
  const asked = newThread.safeParse(call.body);
  if (!asked.success) return invalid(resource, String(asked.error.issues[0]?.path[0] ?? "path"));
  const { commit_id, path, subject_type, line, position, in_reply_to } = asked.data;
  if (in_reply_to !== undefined) {
    const to = call.world.comments.find(call.repository, "review_comment", in_reply_to);
    return to === null || to.number !== pull.number ? invalid(resource, "in_reply_to") : reply(call, to, body);
  }
  const thread = "pull_request_review_thread";
  if (!pull.commits.includes(commit_id))
    return invalid(resource, `${thread}.commit_id`, {
      code: "custom",
      message: `${thread}.commit_id is not part of the pull request`,
    });
  if (!pull.files.some((file) => file.path === path)) return invalid(resource, `${thread}.path`);
  if (subject_type === "line" && line === undefined && position === undefined)
    return invalid(resource, `${thread}.line`, { code: "missing_field" });
  const { author } = authorOf(call.world, call.caller);
  const at = line ?? (subject_type === "line" ? (position ?? null) : null);
  const comment = { author, body, path, commit_id, subject_type, line: at };
  return created(call, call.world.comments.startThread(pull, comment));
}

const reply = (call: RepositoryCall, to: ReviewComment, body: string): Reply =>
  created(call, call.world.comments.reply(to, { author: authorOf(call.world, call.caller).author, body }));

const created = ({ world }: RepositoryCall, comment: ReviewComment): Reply => ({
  status: 201,
  body: reviewCommentJson(world, comment),
});

const commentsIn = ({ world, repository }: RepositoryCall): ReviewComment[] =>
  world.comments.in(repository).filter((comment) => comment.kind === "review_comment");

const list = (call: RepositoryCall, comments: readonly ReviewComment[]): Reply =>
  paged(call, inOrder(comments, call.query), (comment) => reviewCommentJson(call.world, comment));

function withComment({ world, repository, params }: RepositoryCall, then: (comment: ReviewComment) => Reply): Reply {
  const comment = world.comments.find(repository, "review_comment", Number(params["comment_id"]));
  return comment === null ? notFound : then(comment);
}
