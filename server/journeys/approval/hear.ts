/** Hears what happens on GitHub, told by a delivery or found by asking: whoever hears it first deals with it, and nothing that was heard is lost when a gateway is. */

import { GitHubFailure, type Heard } from "../../model/github.ts";
import { hearButton } from "./hear/button.ts";
import { hearCheckRun } from "./hear/checkRun.ts";
import { hearComment } from "./hear/comment.ts";
import type { HearParts, Outcome, Proof } from "./hear/parts.ts";
import { recheck } from "./recheck.ts";
import { isLive } from "./seek.ts";

export class Hearing {
  readonly #parts: HearParts;
  /** A delivery and a poll may tell of the same at the same time, and an edit of what is being dealt with. */
  readonly #hearing = new Map<string, { readonly action: string; readonly outcome: Promise<Outcome> }>();

  constructor(parts: HearParts) {
    this.#parts = parts;
  }

  /** `later` when it could not be dealt with now: it may be told again. Rejects with `GatewayError` when the database does not answer. */
  async hear(heard: Heard, proof: Proof): Promise<Outcome> {
    const said = saidBy(heard);
    if (said === null) return this.#hear(heard, proof);
    const { name, action } = said;
    for (let other = this.#hearing.get(name); other !== undefined; other = this.#hearing.get(name)) {
      if (other.action === action) return other.outcome;
      await other.outcome.catch(() => "later");
    }
    const outcome = this.#hear(heard, proof).finally(() => this.#hearing.delete(name));
    this.#hearing.set(name, { action, outcome });
    return outcome;
  }

  async #hear(heard: Heard, proof: Proof): Promise<Outcome> {
    try {
      return await this.#hearNow(heard, proof);
    } catch (error) {
      if (!(error instanceof GitHubFailure)) throw error;
      this.#parts.log.warn({ err: error }, `GitHub did not let a ${heard.kind} be dealt with; it is heard again`);
      return "later";
    }
  }

  async #hearNow(heard: Heard, proof: Proof): Promise<Outcome> {
    switch (heard.kind) {
      case "comment":
        return hearComment(this.#parts, heard, proof);
      case "button":
        return hearButton(this.#parts, heard.press, proof);
      case "check_run":
        return hearCheckRun(this.#parts, heard);
      case "pull_request":
        return this.#hearPull(heard);
      default:
        return heard satisfies never;
    }
  }

  /** What became of it is asked of GitHub: deliveries come late and in any order. */
  async #hearPull({ repository, number }: Extract<Heard, { kind: "pull_request" }>): Promise<Outcome> {
    const { repository_id } = repository;
    const asked = (await this.#parts.store.ofPull({ repository_id, number })).filter(isLive);
    if (asked.length === 0) return "ignored";
    await recheck(this.#parts, asked);
    return "done";
  }
}

/** What somebody said, to be dealt with once; null for what merely is so. */
function saidBy(heard: Heard): { readonly name: string; readonly action: string } | null {
  switch (heard.kind) {
    case "comment":
      return {
        name: `${heard.place === "review_comment" ? heard.place : "comment"} ${heard.comment.id}`,
        action: heard.action,
      };
    case "button":
      return { name: `button ${heard.press.check_run_id} ${heard.press.sender_id}`, action: heard.press.identifier };
    case "check_run":
    case "pull_request":
      return null;
    default:
      return heard satisfies never;
  }
}
