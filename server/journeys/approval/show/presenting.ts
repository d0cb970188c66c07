/** What showing one question on GitHub needs, and when something that is there has to be changed. */

import type { Approval, RunContext } from "../../../model/approval.ts";
import { GitHubFailure, type GitHub, type RepositoryRef } from "../../../model/github.ts";
import type { Log } from "../../../model/log.ts";
import type { Seal } from "../../../model/seal.ts";
import type { Links } from "../../../stages/escalate/answered.ts";
import { callUrl } from "../../../stages/reply/refusal.ts";
import type { Leased } from "../lease.ts";
import type { ApprovalStore } from "../parts.ts";
import { approvalUrl } from "../use.ts";

export type Presenting = {
  readonly store: ApprovalStore;
  readonly github: GitHub;
  readonly publicUrl: string;
  readonly issues: boolean;
  readonly log: Log;
  readonly approval: Approval;
  readonly run: RunContext;
  /** Of its session, once that is over. */
  readonly seal: Seal | null;
  readonly leased: Leased;
};

export const refOf = ({ repository, repository_id }: RunContext): RepositoryRef => ({ repository, repository_id });

export const linksOf = ({ publicUrl, approval, seal }: Presenting): Links => ({
  page: approvalUrl(publicUrl, approval.id),
  call: approval.consumed_by === null ? null : callUrl(publicUrl.replace(/\/$/, ""), approval.consumed_by),
  seal,
});

/** What was created shows a question that nobody has answered: as long as that is so, there is nothing to change. */
export const hasNews = ({ state, answers }: Approval): boolean =>
  state !== "pending" || answers.some(({ accepted }) => accepted);

/** An edit that GitHub refuses is an edit of something that is gone: there is nobody to show it to. */
export async function unlessGone({ log, approval }: Presenting, edit: Promise<void>): Promise<void> {
  try {
    await edit;
  } catch (error) {
    if (!(error instanceof GitHubFailure) || error.kind !== "refused") throw error;
    log.warn({ err: error, approval: approval.id }, "an answer could not be written where its question stands");
  }
}
