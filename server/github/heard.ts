/** What a delivery of the App's webhook says, as far as it matters here. */

import { z } from "zod";
import type { CommentKind, Heard, RepositoryRef } from "../model/github.ts";
import { comment, digits, id, repository } from "./shapes.ts";

const reviewComment = z.object({
  action: z.string(),
  comment,
  pull_request: z.object({ number: id }),
  repository,
});

const issueComment = z.object({
  action: z.string(),
  comment,
  /** `pull_request` is there when it is one. */
  issue: z.object({ number: id, pull_request: z.unknown().optional() }),
  repository,
});

const checkRun = z.object({
  action: z.string(),
  check_run: z.object({
    id,
    html_url: z.string().nullish(),
    head_sha: z.string(),
    external_id: z.string().nullish(),
    app: z.object({ id: digits }),
  }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
  repository,
  sender: z.object({ login: z.string(), id }),
});

const pullRequest = z.object({
  action: z.string(),
  /** On `edited`: what was before. */
  changes: z.object({ base: z.unknown().optional() }).nullish(),
  pull_request: z.object({ number: id }),
  repository,
});

/**
 * Null for everything that does not matter here, and for what cannot be read: GitHub's deliveries are parsed leniently, and nothing is
 * done on the strength of a half of one.
 *
 * @param event `X-GitHub-Event`
 * @param appId in digits: a check run of another App may carry any `external_id`
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export const readDelivery = (event: string, payload: unknown, appId: string): Heard | null => {
  switch (event) {
    case "pull_request_review_comment":
      return hearReviewComment(payload);
    case "issue_comment":
      return hearIssueComment(payload);
    case "check_run":
      return hearCheckRun(payload, appId);
    case "pull_request":
      return hearPullRequest(payload);
    default:
      return null;
  }
};

const hearReviewComment = (payload: unknown): Heard | null => {
  const { data } = reviewComment.safeParse(payload);
  return data === undefined ? null : heardComment(data, "review_comment", data.pull_request.number);
};

const hearIssueComment = (payload: unknown): Heard | null => {
  const { data } = issueComment.safeParse(payload);
  if (data === undefined) return null;
  const onPull = data.issue.pull_request !== undefined && data.issue.pull_request !== null;
  return heardComment(data, onPull ? "comment" : "issue", data.issue.number);
};

type CommentDelivery = {
  readonly action: string;
  readonly comment: z.output<typeof comment>;
  readonly repository: z.output<typeof repository>;
};

const heardComment = (delivery: CommentDelivery, place: CommentKind, number: number): Heard => ({
  kind: "comment",
  repository: refOf(delivery.repository),
  action: delivery.action,
  place,
  comment: writtenComment(delivery.comment, number),
});

/** As the journeys know it. */
export const writtenComment = (parsed: z.output<typeof comment>, number: number) => ({
  id: parsed.id,
  author_id: parsed.user.id,
  author: parsed.user.login,
  body: parsed.body,
  created_at: parsed.created_at,
  updated_at: parsed.updated_at,
  in_reply_to: parsed.in_reply_to_id,
  number,
  url: parsed.html_url,
});

const hearCheckRun = (payload: unknown, appId: string): Heard | null => {
  const { data } = checkRun.safeParse(payload);
  if (data === undefined || data.check_run.app.id !== appId) return null;
  const { action, check_run, requested_action, sender } = data;
  const external_id = check_run.external_id ?? null;
  const ref = refOf(data.repository);
  if (action === "requested_action" && requested_action != null)
    return {
      kind: "button",
      press: {
        repository: ref,
        check_run_id: check_run.id,
        head_sha: check_run.head_sha,
        external_id,
        identifier: requested_action.identifier,
        sender: sender.login,
        sender_id: sender.id,
      },
    };
  if (action !== "created" || external_id === null || external_id === "") return null;
  return { kind: "check_run", repository: ref, id: check_run.id, url: check_run.html_url ?? "", external_id };
};

/** After these a pull request may be closed, ask for something else, or be judged by other people. */
const turns: readonly string[] = ["closed", "reopened", "synchronize"];

const hearPullRequest = (payload: unknown): Heard | null => {
  const { data } = pullRequest.safeParse(payload);
  if (data === undefined) return null;
  const retargeted = data.action === "edited" && data.changes?.base !== undefined;
  if (!turns.includes(data.action) && !retargeted) return null;
  return { kind: "pull_request", repository: refOf(data.repository), number: data.pull_request.number };
};

const refOf = ({ id: repository_id, full_name }: z.output<typeof repository>): RepositoryRef => ({
  repository_id,
  repository: full_name,
});
