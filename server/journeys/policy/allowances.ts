/** Keeps count of what recorded calls would have taken from the limits of rules: of one session at a time, as they are read. */

import type { RuleLimit } from "../../model/config.ts";
import type { RecordedCall } from "../../store/replayCalls.ts";
import type { Allowance } from "../../stages/decide/limit.ts";

const milliseconds: Readonly<Record<RuleLimit["per"], number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  session: Number.POSITIVE_INFINITY,
};

export class Allowances {
  #session = "";
  /** By rule, when each use was: no more of them than the limit has. */
  readonly #uses = new Map<string, number[]>();

  /** False when nothing is left at the time of this call. */
  draw({ rule, limit }: Allowance, { session, received_at }: RecordedCall): boolean {
    if (session.id !== this.#session) this.#uses.clear();
    this.#session = session.id;
    const at = received_at.getTime();
    const uses = this.#uses.get(rule) ?? [];
    this.#uses.set(rule, uses);
    while (uses[0] !== undefined && at - uses[0] >= milliseconds[limit.per]) uses.shift();
    if (uses.length >= limit.count) return false;
    uses.push(at);
    return true;
  }
}
