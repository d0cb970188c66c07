/** Shows questions and their answers on GitHub: an outbox. Whatever is not shown yet is shown until it is, by one gateway at a time; no call waits for it. */

import type { Approval } from "../../model/approval.ts";
import type { Seal } from "../../model/seal.ts";
import { GitHubFailure, type GitHub } from "../../model/github.ts";
import { Trouble } from "../../model/trouble.ts";
import type { ApprovalParts } from "./parts.ts";
import { type Leased, holdLease } from "./lease.ts";
import { presentCheck } from "./show/check.ts";
import { presentThread } from "./show/thread.ts";
import { Turns } from "./turns.ts";
import { approvalUrl } from "./use.ts";
import { within } from "./within.ts";

export type ShowParts = Pick<ApprovalParts, "store" | "publicUrl" | "issues" | "audit" | "log" | "now"> & {
  /** Null without a GitHub App: the page alone shows it. */
  readonly github: GitHub | null;
  /** Of this gateway's leases. */
  readonly holder: string;
  readonly seals: { get(session_id: string): Promise<Seal | null> };
};

/** Questions that are being shown at the same time: no more creates are under way than a crash may leave uncertain. */
const atOnce = 4;
/** What another gateway asked and could not show is found this soon, ms. */
const scanEvery = 5_000;
/** A gateway that is gone is followed by another one after so long, ms. */
const leaseFor = 20_000;
/** Pauses between attempts, ms: the first, and the longest. What GitHub refuses is refused again. */
const firstPause = 5_000;
const longestPause = 60_000;
const endWithin = 5_000;

export class Showing {
  readonly #parts: ShowParts;
  readonly #turns = new Turns(atOnce);
  /** What is being shown here, and whether it changed meanwhile. */
  readonly #busy = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  readonly #failed = new Map<string, { readonly times: number; readonly until: number }>();
  readonly #trouble: Trouble;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(parts: ShowParts) {
    this.#parts = parts;
    const monotonic = (): number => parts.now().getTime();
    this.#trouble = new Trouble(
      { log: parts.log, monotonic },
      "questions that are not shown yet wait for the database",
    );
  }

  /** It has changed: shows it soon, also when a part of it could not be shown a moment ago. Never waits, never fails. */
  show(id: string): void {
    const busy = this.#busy.get(id);
    if (busy !== undefined) busy.again = true;
    else if (!this.#stopped) this.#begin(id);
  }

  /** Shows everything that is not shown yet, now and again and again. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#scan(), scanEvery);
    void this.#scan();
  }

  /** What has begun may end, for a while. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await within(endWithin, Promise.all([...this.#busy.values()].map(({ done }) => done)));
  }

  /** How many could not be shown so far. */
  get failing(): number {
    return this.#failed.size;
  }

  async #scan(): Promise<void> {
    try {
      const untold = new Set(await this.#parts.store.untold());
      // Another gateway showed it, or it is left: there is nothing to try again.
      for (const id of this.#failed.keys()) if (!untold.has(id) && !this.#busy.has(id)) this.#failed.delete(id);
      for (const id of untold) if (!this.#stopped && !this.#busy.has(id) && !this.#isTooEarly(id)) this.#begin(id);
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }

  #isTooEarly(id: string): boolean {
    const failed = this.#failed.get(id);
    return failed !== undefined && failed.until > this.#parts.now().getTime();
  }

  #begin(id: string): void {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const busy = { again: false, done };
    this.#busy.set(id, busy);
    void this.#turns
      .take(async () => {
        do {
          busy.again = false;
          await this.#showOnce(id);
        } while (busy.again && !this.#stopped);
      })
      .finally(() => {
        this.#busy.delete(id);
        resolve();
      });
  }

  /** Never rejects. */
  async #showOnce(id: string): Promise<void> {
    const { store, holder, log } = this.#parts;
    const lease = { store, name: `show:${id}`, holder, ms: leaseFor };
    try {
      await holdLease(lease, async (leased) => {
        const pause = await this.#present(id, leased);
        if (pause === null) this.#failed.delete(id);
        return pause ?? 0;
      });
    } catch (error) {
      // The lease runs out by itself.
      const times = (this.#failed.get(id)?.times ?? 0) + 1;
      const pause = Math.min(firstPause * 2 ** (times - 1), longestPause);
      log.warn(
        { err: error, approval: id, again_in: pause },
        "a question could not be shown, and waits for the database",
      );
      this.#failed.set(id, { times, until: this.#parts.now().getTime() + pause });
    }
  }

  /** How long to wait before it is tried again, ms; null when it is shown. */
  async #present(id: string, leased: Leased): Promise<number | null> {
    const { store } = this.#parts;
    const approval = await store.get(id);
    if (approval === null) return null;
    await this.#note(approval);
    await addPage(this.#parts, approval);
    const seal = await this.#parts.seals.get(approval.session_id);
    const troubles = await presentOnGitHub(this.#parts, { approval, seal }, leased);
    if (troubles.length > 0) return this.#later(approval, troubles);
    await store.told(id, {
      state: approval.state,
      accepted: acceptedIn(approval),
      sealed: seal !== null && seal.checkpoint !== null,
    });
    return null;
  }

  /** Whoever ended it and wherever, it is said once. */
  async #note(approval: Approval): Promise<void> {
    const { id, state, reason, question } = approval;
    if (state === "pending" || state === "approved" || !(await this.#parts.store.noteEnd(id))) return;
    const why = state === "consumed" ? `consumed by call ${approval.consumed_by?.n ?? "?"}` : `${state}: ${reason}`;
    this.#parts.audit({
      kind: "approval_ended",
      who: "gateway",
      what: `approval ${id}`,
      reason: `${question.title}: ${why}`,
    });
  }

  #later({ id }: Approval, troubles: readonly GitHubFailure[]): number {
    const { now, log } = this.#parts;
    const times = (this.#failed.get(id)?.times ?? 0) + 1;
    const usual = troubles.some(({ kind }) => kind === "refused") ? longestPause : firstPause * 2 ** (times - 1);
    const asked = Math.max(0, ...troubles.map(({ retry_at }) => (retry_at?.getTime() ?? 0) - now().getTime()));
    const pause = Math.max(Math.min(usual, longestPause), asked);
    this.#failed.set(id, { times, until: now().getTime() + pause });
    for (const trouble of troubles)
      log.warn({ err: trouble, approval: id, again_in: pause }, "GitHub does not show a question yet");
    return pause;
  }
}

const acceptedIn = ({ answers }: Approval): number => answers.filter(({ accepted }) => accepted).length;

const addPage = async ({ store, publicUrl }: ShowParts, { id, where }: Approval): Promise<void> => {
  if (where.some(({ kind }) => kind === "page")) return;
  await store.addPlace(id, { kind: "page", url: approvalUrl(publicUrl, id), id: null, number: null });
};

/** What did not work; the comment and the check run do not wait for each other. */
async function presentOnGitHub(
  { github, ...parts }: ShowParts,
  { approval, seal }: { readonly approval: Approval; readonly seal: Seal | null },
  leased: Leased,
): Promise<readonly GitHubFailure[]> {
  const { run } = approval;
  if (github === null || run === null) return [];
  const presenting = { ...parts, github, approval, run, seal, leased };
  const troubles: GitHubFailure[] = [];
  const note = (error: unknown): void => {
    if (!(error instanceof GitHubFailure)) throw error;
    troubles.push(error);
  };
  await Promise.all([presentThread(presenting).catch(note), presentCheck(presenting).catch(note)]);
  return troubles;
}
