/** Check runs and their buttons. */

import type { Announce } from "./happenings.ts";
import type { Ids } from "./ids.ts";
import type { Account, App, CheckRun, Repository } from "./state.ts";

export type CheckChange = Partial<
  Pick<
    CheckRun,
    | "name"
    | "external_id"
    | "details_url"
    | "status"
    | "conclusion"
    | "started_at"
    | "completed_at"
    | "output"
    | "actions"
  >
>;

export type CheckParts = { readonly ids: Ids; readonly clock: () => Date; readonly announce: Announce };

export class Checks {
  readonly #parts: CheckParts;
  readonly #all: CheckRun[] = [];

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  in(repository: Repository): readonly CheckRun[] {
    return this.#all.filter((check) => check.repository.id === repository.id);
  }

  /** @throws Error when it is not there */
  get(id: number): CheckRun {
    const check = this.#all.find((each) => each.id === id);
    if (check === undefined) throw new Error(`there is no check run ${id}`);
    return check;
  }

  find(repository: Repository, id: number): CheckRun | null {
    return this.in(repository).find((check) => check.id === id) ?? null;
  }

  create(
    repository: Repository,
    { app, head_sha, ...change }: CheckChange & { readonly app: App; readonly head_sha: string; readonly name: string },
  ): CheckRun {
    const check: CheckRun = {
      id: this.#parts.ids.next("thing"),
      repository,
      head_sha,
      app,
      external_id: "",
      details_url: null,
      status: "queued",
      conclusion: null,
      started_at: this.#parts.clock(),
      completed_at: null,
      output: { title: null, summary: null, text: null },
      actions: [],
      ...this.#completed(change),
      name: change.name,
    };
    this.#all.push(check);
    this.#announce(check, "created", app.bot);
    if (check.status === "completed") this.#announce(check, "completed", app.bot);
    return check;
  }

  update(check: CheckRun, change: CheckChange): void {
    const was = check.status;
    Object.assign(check, this.#completed(change));
    if (was !== "completed" && check.status === "completed") this.#announce(check, "completed", check.app.bot);
  }

  /** Only what is completed shows its buttons. @throws Error when there is no such button to press */
  press(check: CheckRun, identifier: string, sender: Account): void {
    const offered = check.status === "completed" ? check.actions : [];
    if (!offered.some((action) => action.identifier === identifier))
      throw new Error(`check run ${check.id} shows no button ${identifier}`);
    this.#parts.announce(
      { event: "check_run", action: "requested_action", check, identifier },
      { sender, repository: check.repository },
    );
  }

  /** Whoever gives a conclusion completes. */
  #completed(change: CheckChange): CheckChange {
    if (change.conclusion === undefined || change.conclusion === null) return change;
    return { ...change, status: "completed", completed_at: change.completed_at ?? this.#parts.clock() };
  }

  #announce(check: CheckRun, action: "created" | "completed", sender: Account): void {
    this.#parts.announce({ event: "check_run", action, check }, { sender, repository: check.repository });
  }
}
