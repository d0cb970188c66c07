/** The comment (or issue) that people answer below: asked once, looked for when nobody knows whether it is there, edited into the answer. */

import type { Place } from "../../../model/approval.ts";
import { GitHubFailure } from "../../../model/github.ts";
import { commentOf, markerOf } from "../../../stages/escalate/comment.ts";
import { short } from "../../../stages/escalate/visible.ts";
import { hasNews, linksOf, type Presenting, refOf, unlessGone } from "./presenting.ts";

const threads: readonly Place["kind"][] = ["review_comment", "comment", "issue"];

export const isThread = ({ kind }: Place): boolean => threads.includes(kind);

/** GitHub's clock may be another. */
export const longBefore = (at: Date): Date => new Date(at.getTime() - 10 * 60_000);

/** @throws GitHubFailure when it has to be tried again */
export async function presentThread(presenting: Presenting): Promise<void> {
  const { store, approval, run, issues } = presenting;
  const place = approval.where.find(isThread) ?? (await findThread(presenting));
  if (place !== null) return edit(presenting, place);
  if (approval.state !== "pending" || (run.pull === null && !issues)) return;
  const body = commentOf(approval, linksOf(presenting));
  await presenting.leased.still();
  await store.beginCreating(approval.id, "thread");
  try {
    await store.addPlace(approval.id, await create(presenting, body));
  } catch (error) {
    if (error instanceof GitHubFailure && error.kind !== "uncertain") await store.takeBack(approval.id, "thread");
    throw error;
  }
}

/** What a create made whose answer nobody got; null when there was none, or it made nothing. */
export async function findThread({
  store,
  github,
  approval,
  run,
}: Pick<Presenting, "store" | "github" | "run"> & {
  readonly approval: Pick<Presenting["approval"], "id" | "asked_at">;
}): Promise<Place | null> {
  if (!(await store.hasBegun(approval.id, "thread"))) return null;
  const sought = {
    number: run.pull?.number ?? null,
    marker: markerOf(approval.id),
    since: longBefore(approval.asked_at),
  };
  const place = await github.find(refOf(run), sought);
  if (place !== null) await store.addPlace(approval.id, place);
  return place;
}

async function edit(presenting: Presenting, place: Place): Promise<void> {
  const { github, approval, run } = presenting;
  if (!hasNews(approval)) return;
  await unlessGone(presenting, github.edit(refOf(run), place, commentOf(approval, linksOf(presenting))));
}

/** A thread of its own on a file of the diff where that is possible: replies are told from other talk there. */
async function create(presenting: Presenting, body: string): Promise<Place> {
  const { github, approval, run } = presenting;
  const of = refOf(run);
  const { pull } = run;
  if (pull === null)
    return github.createIssue(of, { title: `Approval needed: ${short(approval.question.title, 180)}`, body });
  const { number, head_sha } = pull;
  for (const path of await filesToComment(presenting)) {
    const place = await github.createReviewComment(of, { number, head_sha, path, body });
    if (place !== null) return place;
  }
  return github.createComment(of, { number, body });
}

/** The workflow file if the pull request changes it, and the first changed file. */
async function filesToComment(presenting: Presenting): Promise<readonly string[]> {
  const { github, run } = presenting;
  const of = refOf(run);
  if (run.pull === null) return [];
  const [files, workflow] = await Promise.all([
    github.changedFiles(of, run.pull.number),
    github.run(of, run.run_id).then((found) => found?.workflow_path ?? null),
  ]);
  const [first] = files;
  return [...new Set([...(workflow !== null && files.includes(workflow) ? [workflow] : []), first])].filter(
    (path) => path !== undefined,
  );
}
