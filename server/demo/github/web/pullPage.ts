/** The page of a pull request or issue: what was written on it, its check runs with their buttons, and forms to answer as somebody. */

import { type Html, type Piece, html } from "../../../web/html.ts";
import { codeIn } from "../person.ts";
import { isPull } from "../pulls.ts";
import { fullNameOf } from "../repositories.ts";
import type { CheckRun, Comment, Issue, Repository, ReviewComment } from "../state.ts";
import type { World } from "../world.ts";
import { markdownHtml } from "./markdown.ts";
import { type Page, page } from "./page.ts";

export function issuePage(world: World, issue: Issue): Page {
  const { title, number, repository } = issue;
  const checks = isPull(issue) ? world.checks.in(repository).filter(({ head_sha }) => head_sha === issue.head_sha) : [];
  return page(`${title} #${number}`, [
    summary(issue),
    html`<h2>Conversation</h2>`,
    conversation(world, issue),
    form(world, repository, {
      action: `${addressOf(issue)}/comment`,
      body: textarea("Write a comment"),
      button: "Comment",
    }),
    checks.length === 0 ? null : html`<h2>Checks</h2>`,
    checks.map((check) => checkHtml(world, check)),
  ]);
}

const summary = (issue: Issue): Html => {
  const what = isPull(issue)
    ? html`<code>${issue.branch}</code> at <code>${issue.head_sha.slice(0, 7)}</code>, `
    : null;
  const files = isPull(issue) ? html`<p>Changes ${list(issue.files.map(({ path }) => path))}.</p>` : null;
  return html`<p class="soft">${issue.open ? "Open" : "Closed"} in <code>${fullNameOf(issue.repository)}</code>, ${what}opened by <b>${issue.author.login}</b></p>${files}`;
};

const list = (names: readonly string[]): Piece =>
  names.map((name, at) => [at === 0 ? "" : ", ", html`<code>${name}</code>`]);

function conversation(world: World, issue: Issue): Piece {
  const comments = world.comments.on(issue);
  if (comments.length === 0) return html`<p class="soft">Nobody has written anything yet.</p>`;
  return comments
    .filter((comment) => comment.kind === "issue_comment" || comment.in_reply_to === null)
    .map((comment) => (comment.kind === "review_comment" ? threadHtml(world, comment) : commentHtml(world, comment)));
}

function threadHtml(world: World, first: ReviewComment): Html {
  const thread = world.comments.thread(first);
  const code = codeIn(first.body);
  return html`<section class="thread" id="discussion_r${first.id}"><p class="soft">on <code>${first.path}</code></p>
${thread.map((comment) => commentHtml(world, comment))}
${form(world, first.repository, {
  action: `/${fullNameOf(first.repository)}/pull/${first.number}/reply/${first.id}`,
  body: textarea("Reply", code === null ? "" : `/approve ${code}`),
  button: "Reply",
})}</section>`;
}

const commentHtml = (world: World, comment: Comment): Html => {
  const edited = comment.updated_at > comment.created_at ? " (edited)" : "";
  const via = comment.kind === "issue_comment" ? comment.via : null;
  const by = comment.author.type === "Bot" || via === null ? "" : ` with ${via.name}`;
  return html`<article class="comment"><header><b>${comment.author.login}</b> <span>${comment.created_at.toISOString().slice(11, 19)}${edited}${by}</span></header><div>${markdownHtml(comment.body)}</div></article>`;
};

function checkHtml(world: World, check: CheckRun): Html {
  const { id, repository, name, status, conclusion, output, actions } = check;
  const buttons = status === "completed" ? actions : [];
  return html`<section class="comment" id="check-${id}"><header><b>${name}</b> <span>${conclusion ?? status}</span></header><div>
${output.title === null ? null : html`<p><b>${output.title}</b></p>`}
${output.summary === null ? null : markdownHtml(output.summary)}
${buttons.length === 0 ? null : form(world, repository, { action: `/${fullNameOf(repository)}/runs/${id}/press`, body: null, button: actions })}
</div></section>`;
}

type Form = {
  readonly action: string;
  readonly body: Piece;
  readonly button: string | CheckRun["actions"];
};

/** Everything is done as somebody: those who may write stand first. */
function form(world: World, repository: Repository, { action, body, button }: Form): Html {
  const people = world.accounts.users
    .map((user) => ({ user, role: world.repositories.permitOf(repository, user).role_name }))
    .toSorted((a, b) => Number(b.role !== "none") - Number(a.role !== "none"));
  const buttons =
    typeof button === "string"
      ? html`<button>${button}</button>`
      : button.map(
          ({ label, description, identifier }) =>
            html`<button name="identifier" value="${identifier}" title="${description}">${label}</button>`,
        );
  return html`<form method="post" action="${action}">${body}
<label>as <select name="login">${people.map(({ user, role }) => html`<option value="${user.login}">${user.login} (${role})</option>`)}</select></label>
${buttons}</form>`;
}

const textarea = (label: string, text = ""): Html =>
  html`<textarea name="body" aria-label="${label}" placeholder="${label}">${text}</textarea>`;

export const addressOf = (issue: Issue): string =>
  `/${fullNameOf(issue.repository)}/${isPull(issue) ? "pull" : "issues"}/${issue.number}`;
