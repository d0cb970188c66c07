/** What the call journey sees of approvals: asking, being held for a bounded time, passing once. */

import type { Refusal } from "../../errors.ts";
import type { Approval, Grant } from "../../model/approval.ts";
import type { CallNumber } from "../../model/receipt.ts";
import type { Approving, Call } from "../call/parts.ts";
import { type Asked, Asking, type HeldCall } from "./ask.ts";
import type { ApprovalParts, Holding } from "./parts.ts";
import { type Leaving, Using } from "./use.ts";
import { Waiting } from "./wait.ts";

/** Connections that are held at the same time, of one session and of all; whoever comes on top is told at once to come again. */
const mostOfSession = 100;
const mostHeld = 2_000;

export class PeopleApproving implements Approving {
  readonly #parts: ApprovalParts;
  readonly #holding: Holding;
  readonly #asking: Asking;
  readonly #using: Using;
  readonly #waiting: Waiting;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(parts: ApprovalParts, holding: Holding) {
    this.#parts = parts;
    this.#holding = holding;
    this.#asking = new Asking(parts);
    this.#using = new Using(parts);
    this.#waiting = new Waiting(parts.store);
  }

  ask(held: HeldCall): Promise<Asked | Refusal> {
    return this.#asking.ask(held);
  }

  attach(id: string, call: CallNumber): Promise<void> {
    return this.#parts.store.attach(id, call);
  }

  async until(id: string, { grant, incoming }: Pick<Call, "grant" | "incoming">): Promise<Approval | null> {
    const { session_id } = grant;
    const held = this.#held.get(session_id) ?? 0;
    const full = held >= mostOfSession || this.#total >= mostHeld;
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    incoming.response.once("close", leave);
    this.#held.set(session_id, held + 1);
    this.#total += 1;
    try {
      const signal = AbortSignal.any([gone.signal, this.#holding.stopping]);
      return await this.#waiting.until(id, { ms: full ? 0 : this.#holding.hold(), signal });
    } finally {
      incoming.response.off("close", leave);
      this.#total -= 1;
      const left = (this.#held.get(session_id) ?? 1) - 1;
      if (left > 0) this.#held.set(session_id, left);
      else this.#held.delete(session_id);
    }
  }

  use(id: string, leaving: Leaving): Promise<Refusal | null> {
    return this.#using.use(id, leaving);
  }

  useGrant(grant: Grant, leaving: Leaving): Promise<Refusal | null> {
    return this.#using.useGrant(grant, leaving);
  }

  /** For whoever waits on the API: as it is when it is decided, or after `ms`. */
  watch(id: string, ms: number, signal: AbortSignal): Promise<Approval | null> {
    return this.#waiting.until(id, { ms, signal: AbortSignal.any([signal, this.#holding.stopping]) });
  }

  stop(): void {
    this.#waiting.stop();
  }
}
