/** Issues and what is written below them; pull requests are issues here. */

import { z } from "zod";
import { issueCommentJson, issueJson, issuePage } from "../json/issue.ts";
import type { Issue, IssueComment } from "../state.ts";
import { isTooLong, readBody, tooLong } from "./bodies.ts";
import { inRepository } from "./handler.ts";
import { inOrder } from "./lists.ts";
import type { OperationId } from "./operations.ts";
import { paged } from "./pages.ts";
import { authorOf } from "./permit.ts";
import { type Reply, type RepositoryCall, invalid, notFound, ok } from "./reply.ts";

const newIssue = z.object({ title: z.union([z.string().min(1), z.number()]), body: z.string().optional() });

const changedIssue = z.object({
  title: z.union([z.string().min(1), z.number()]).optional(),
  body: z.string().nullable().optional(),
  state: z.enum(["open", "closed"]).optional(),
});

export const issueHandlers = {
  "issues/create": inRepository(({ world, caller, repository, body }) => {
    const asked = newIssue.safeParse(body);
    if (!asked.success) return invalid("Issue", "title", { code: "missing_field" });
    if (isTooLong(asked.data.body)) return tooLong("Issue");
    const { author } = authorOf(world, caller);
    const issue = world.pulls.openIssue(repository, {
      author: author.login,
      title: String(asked.data.title),
      body: asked.data.body ?? "",
    });
    return { status: 201, body: issueJson(world, issue), headers: { location: issuePage(world, issue) } };
  }),
  "issues/get": inRepository((call) => withIssue(call, (issue) => ok(issueJson(call.world, issue)))),
  "issues/update": inRepository((call) =>
    withIssue(call, (issue) => {
      const asked = changedIssue.safeParse(call.body);
      if (!asked.success) return invalid("Issue", "title");
      const { title, body, state } = asked.data;
      if (isTooLong(body ?? undefined)) return tooLong("Issue");
      call.world.pulls.edit(issue, {
        ...(title === undefined ? {} : { title: String(title) }),
        ...(body === undefined ? {} : { body: body ?? "" }),
        ...(state === undefined ? {} : { open: state === "open" }),
      });
      return ok(issueJson(call.world, issue));
    }),
  ),
  "issues/list-comments-for-repo": inRepository((call) =>
    paged(call, inOrder(commentsIn(call), call.query), (comment) => issueCommentJson(call.world, comment)),
  ),
  "issues/list-comments": inRepository((call) =>
    withIssue(call, ({ number }) =>
      paged(
        call,
        inOrder(
          commentsIn(call).filter((comment) => comment.number === number),
          // There it is by id only.
          call.query["since"] === undefined ? {} : { since: call.query["since"] },
        ),
        (comment) => issueCommentJson(call.world, comment),
      ),
    ),
  ),
  "issues/create-comment": inRepository((call) =>
    withIssue(call, (issue) => {
      const body = readBody(call.body, "IssueComment");
      if (typeof body !== "string") return body;
      const { author, app } = authorOf(call.world, call.caller);
      return created(call, call.world.comments.write(issue, { author, body, via: app }));
    }),
  ),
  "issues/get-comment": inRepository((call) =>
    withComment(call, (comment) => ok(issueCommentJson(call.world, comment))),
  ),
  // Whoever may write may change what others wrote: the author stays who it was.
  "issues/update-comment": inRepository((call) =>
    withComment(call, (comment) => {
      const body = readBody(call.body, "IssueComment");
      if (typeof body !== "string") return body;
      call.world.comments.edit(comment, body, authorOf(call.world, call.caller).author);
      return ok(issueCommentJson(call.world, comment));
    }),
  ),
} as const satisfies Partial<Record<OperationId, unknown>>;

const commentsIn = ({ world, repository }: RepositoryCall): IssueComment[] =>
  world.comments.in(repository).filter((comment) => comment.kind === "issue_comment");

function withIssue({ world, repository, params }: RepositoryCall, then: (issue: Issue) => Reply): Reply {
  const issue = world.pulls.find(repository, Number(params["issue_number"]));
  return issue === null ? notFound : then(issue);
}

function withComment({ world, repository, params }: RepositoryCall, then: (comment: IssueComment) => Reply): Reply {
  const comment = world.comments.find(repository, "issue_comment", Number(params["comment_id"]));
  return comment === null ? notFound : then(comment);
}

const created = ({ world }: RepositoryCall, comment: IssueComment): Reply => {
  const body = issueCommentJson(world, comment);
  return { status: 201, body };
};
