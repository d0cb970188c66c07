/** What the calls of a batch add to their sessions' counters. */

import type { Closing, Opening } from "../model/receipt.ts";
import type { Growth } from "./statements.ts";

export class Growths {
  readonly #bySession = new Map<string, Growth>();

  get all(): Growth[] {
    return [...this.#bySession.values()];
  }

  /** The numbers that a session was to get. */
  callsOf(session_id: string): number {
    return this.#bySession.get(session_id)?.calls ?? 0;
  }

  addOpening({ session_id, decision, masked_values = 0 }: Opening): void {
    const growth = this.#of(session_id);
    growth.calls += 1;
    growth.denied += decision.effect === "deny" ? 1 : 0;
    growth.masked += masked_values;
  }

  /** What is only known at the end: values masked in the answer, and an answer that a rule held back. */
  addClosing(session_id: string, closing: Closing): void {
    if (!growsAtEnd(closing)) return;
    const growth = this.#of(session_id);
    growth.late_denied += closing.error_code === "response_blocked" ? 1 : 0;
    growth.late_masked += closing.masked_values ?? 0;
  }

  #of(session_id: string): Growth {
    const known = this.#bySession.get(session_id);
    if (known !== undefined) return known;
    const growth = { session_id, calls: 0, denied: 0, masked: 0, late_denied: 0, late_masked: 0 };
    this.#bySession.set(session_id, growth);
    return growth;
  }
}

export const growsAtEnd = ({ error_code, masked_values = 0 }: Closing): boolean =>
  error_code === "response_blocked" || masked_values > 0;
