/** The check run with buttons: created once, changed into the answer. */

import { GitHubFailure } from "../../../model/github.ts";
import { checkOf } from "../../../stages/escalate/check.ts";
import { hasNews, linksOf, type Presenting, refOf, unlessGone } from "./presenting.ts";

/** @throws GitHubFailure when it has to be tried again */
export async function presentCheck(presenting: Presenting): Promise<void> {
  const { github, approval, run } = presenting;
  if (!approval.terms.via.includes("check")) return;
  const place = approval.where.find(({ kind }) => kind === "check_run");
  if (place === undefined) return approval.state === "pending" ? create(presenting) : undefined;
  if (place.id === null || !hasNews(approval)) return;
  await unlessGone(presenting, github.updateCheckRun(refOf(run), place.id, checkOf(approval, linksOf(presenting))));
}

/** Check runs cannot be searched for: one that may be there is not created again, GitHub's delivery about it tells where it is. */
async function create(presenting: Presenting): Promise<void> {
  const { store, github, approval, run, leased } = presenting;
  await leased.still();
  if (!(await store.beginCreating(approval.id, "check_run"))) return;
  const links = linksOf(presenting);
  try {
    const place = await github.createCheckRun(refOf(run), {
      head_sha: run.head_sha,
      external_id: approval.id,
      details_url: links.page,
      content: checkOf(approval, links),
    });
    await store.addPlace(approval.id, place);
  } catch (error) {
    if (!(error instanceof GitHubFailure)) throw error;
    if (error.kind === "uncertain") return presenting.log.warn({ err: error, approval: approval.id }, uncertain);
    await store.takeBack(approval.id, "check_run");
    throw error;
  }
}

const uncertain = "nobody knows whether a check run was created; it is looked for in GitHub's deliveries";
