/** What people do on the pages of repositories: read, write, press buttons. */

import { html } from "../../../web/html.ts";
import { Person } from "../person.ts";
import { fullNameOf } from "../repositories.ts";
import type { Issue, Repository } from "../state.ts";
import type { World } from "../world.ts";
import { type Page, missing, page, redirect } from "./page.ts";
import { addressOf, issuePage } from "./pullPage.ts";
import type { Visit } from "./visit.ts";

export const home = ({ world }: Visit): Page =>
  page(
    "Repositories",
    world.repositories.all.map(
      (repository) =>
        html`<h2>${fullNameOf(repository)}</h2><ul>${world.pulls
          .issues(repository)
          .map((issue) => html`<li><a href="${addressOf(issue)}">${issue.title} #${issue.number}</a></li>`)}</ul>`,
    ),
  );

export const showIssue = (visit: Visit): Page => withIssue(visit, (issue) => issuePage(visit.world, issue));

export const writeComment = (visit: Visit): Page =>
  withIssue(visit, (issue) =>
    as(visit, addressOf(issue), (person) => {
      person.comment(issue, textOf(visit));
    }),
  );

export const writeReply = (visit: Visit): Page =>
  withIssue(visit, (issue) =>
    as(visit, `${addressOf(issue)}#discussion_r${visit.params["comment"]}`, (person) => {
      person.reply(Number(visit.params["comment"]), textOf(visit));
    }),
  );

export const pressButton = (visit: Visit): Page => {
  const repository = repositoryOf(visit);
  const check = repository === null ? null : visit.world.checks.find(repository, Number(visit.params["id"]));
  if (check === null) return missing("There is no such check run.");
  return as(visit, checkAddress(visit.world, check.repository, check), (person) =>
    person.press(check, visit.form.get("identifier") ?? ""),
  );
};

/** Where the check run of that number is shown: on the pull request whose head it is about. */
export const showCheck = (visit: Visit): Page => {
  const repository = repositoryOf(visit);
  const check = repository === null ? null : visit.world.checks.find(repository, Number(visit.params["id"]));
  return check === null
    ? missing("There is no such check run.")
    : redirect(checkAddress(visit.world, check.repository, check));
};

export const showRun = (visit: Visit): Page => {
  const repository = repositoryOf(visit);
  const run = repository === null ? null : visit.world.runs.find(repository, Number(visit.params["id"]));
  if (run === null) return missing("There is no such run.");
  return page(`${run.name} #${run.id}`, [
    html`<p>Workflow <code>${run.path}</code> on <code>${run.head_branch}</code>, started by <b>${run.actor.login}</b>: ${run.conclusion ?? run.status}.</p>`,
    run.pull === null
      ? null
      : html`<p><a href="/${fullNameOf(run.repository)}/pull/${run.pull}">Pull request ${run.pull}</a></p>`,
  ]);
};

const checkAddress = (
  world: World,
  repository: Repository,
  { id, head_sha }: { id: number; head_sha: string },
): string => {
  const pull = world.pulls.in(repository).find((each) => each.head_sha === head_sha);
  return pull === undefined ? "/" : `${addressOf(pull)}#check-${id}`;
};

function as({ world, form }: Visit, back: string, act: (person: Person) => void): Page {
  const account = world.accounts.find(form.get("login") ?? "");
  if (account === null || account.type !== "User")
    return page("Who are you?", html`<p>There is no such user.</p>`, 422);
  try {
    act(new Person(world, account));
    return redirect(back);
  } catch (error) {
    // The person may not, or what it was about is gone: a sentence for who tried.
    return page("That does not work", html`<p>${error instanceof Error ? error.message : "It failed."}</p>`, 422);
  }
}

const textOf = ({ form }: Visit): string => {
  const text = (form.get("body") ?? "").replaceAll("\r\n", "\n").trim();
  if (text === "") throw new Error("There is nothing to write.");
  return text;
};

const repositoryOf = ({ world, params }: Visit): Repository | null =>
  world.repositories.find(`${params["owner"]}/${params["repo"]}`)?.repository ?? null;

function withIssue(visit: Visit, then: (issue: Issue) => Page): Page {
  const repository = repositoryOf(visit);
  const issue = repository === null ? null : visit.world.pulls.find(repository, Number(visit.params["number"]));
  return issue === null ? missing("There is no such pull request or issue.") : then(issue);
}
