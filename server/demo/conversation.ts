/** What people and Dogwatch say to each other in the pull request, for whoever watches the terminal; and the reviewer that `--answer` plays. */

import type { Announce, Happening } from "./github/happenings.ts";
import { codeIn } from "./github/person.ts";
import type { GitHubStandin } from "./github/standin.ts";
import type { Comment } from "./github/state.ts";
import { markdownHtml } from "./github/web/markdown.ts";
import { people } from "./settle.ts";
import { type Style, summaryText } from "./summaryText.ts";

/** What the reviewer of the stand-in does when somebody is asked: `none` leaves it to whoever sits there. */
export const answers = ["approve", "deny", "none"] as const;
export type Reply = (typeof answers)[number];

export type ConversationOptions = {
  readonly reply: Reply;
  readonly print: (line: string) => void;
  readonly style: Style;
};

export class Conversation {
  readonly #options: ConversationOptions;
  #github: GitHubStandin | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  /** For the stand-in's `onHappening`. */
  readonly hear: Announce = (happening, { sender }) => {
    if (happening.action === "requested_action") this.#say(`${sender.login} presses a button of the check run`);
    if (isNew(happening)) this.#hearComment(happening.comment);
  };

  /** From now on what is written is shown, and answered. */
  follow(github: GitHubStandin): void {
    this.#github = github;
  }

  #hearComment(comment: Comment): void {
    const { login, type } = comment.author;
    const code = type === "Bot" ? codeIn(comment.body) : null;
    if (code === null) return this.#say(`${login} replies: ${this.#textOf(comment).trim().replaceAll("\n", " ")}`);
    const where = comment.kind === "review_comment" ? `, on ${comment.path}` : "";
    this.#say(`${login} asks in pull request ${comment.number}${where}`);
    this.#options.print(`\n${this.#textOf(comment).replaceAll(/^(?=.)/gm, "  ")}`);
    this.#sayHow(comment, code);
    this.#answer(comment);
  }

  #sayHow({ repository, number, id, body }: Comment, code: string): void {
    const { print, style, reply } = this.#options;
    if (reply !== "none") return;
    const { author, reviewer } = people;
    const page = /\]\((https?:\/\/[^\s)]+\/approvals\/[0-9a-f-]+)\)/.exec(body)?.[1];
    const pull = `${this.#github?.url}/${repository.owner.login}/${repository.name}/pull/${number}#discussion_r${id}`;
    print(
      `\n  ${style("bold", `The job waits for a person`)}: for ${reviewer}, say, but not for ${author}, who started it.`,
    );
    print(`  reply ${style("bold", `/approve ${code}`)} in the pull request, or press Approve there:`);
    print(`    ${style("bold", pull)}`);
    if (page !== undefined)
      print(`  or answer on the approval's page, signed in with GitHub as ${reviewer}:\n    ${style("bold", page)}`);
    print("  Ctrl-C calls it off and stops everything.");
  }

  /** A moment later: whoever asked must first hear that the question stands. */
  #answer({ repository }: Comment): void {
    const { reply } = this.#options;
    const github = this.#github;
    if (reply === "none" || github === null) return;
    setImmediate(() =>
      github.as(people.reviewer).answer(repository, reply, reply === "deny" ? "we still need it" : ""),
    );
  }

  #say(what: string): void {
    this.#options.print(`\n${this.#options.style("cyan", `● ${what}`)}`);
  }

  #textOf({ body }: Comment): string {
    return summaryText(markdownHtml(body).text, this.#options.style);
  }
}

type NewComment = Extract<Happening, { comment: Comment }>;

const isNew = (happening: Happening): happening is NewComment =>
  "comment" in happening && happening.action === "created";
