/** Uses an approval up for one call, after everything that it rests on was looked at once more. */

import { type Refusal, refuse } from "../../errors.ts";
import type { Approval, Grant } from "../../model/approval.ts";
import type { CallNumber } from "../../model/receipt.ts";
import { refusalOf } from "../../stages/escalate/refusal.ts";
import type { UseFacts } from "../../stages/escalate/facts.ts";
import { weighUse } from "../../stages/escalate/use.ts";
import type { NewGrant } from "../../store/departures.ts";
import type { ApprovalParts } from "./parts.ts";

/** A call that is about to be sent. */
export type Leaving = {
  readonly call: CallNumber;
  /** Digest of the policy in force. */
  policy(): string;
  /** Digest of the state now, fetched and recorded; null when it could not be. */
  look(approval_id: string): Promise<string | null>;
};

/** One at a time at this gateway: of many identical calls that wait, one looks everything up and goes, the others see that it went. */
export class Using {
  readonly #parts: ApprovalParts;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
  }

  /** Null when the call may be sent, now, once. Rejects with `GatewayError` when nobody knows whether it may: then it may not. */
  async use(id: string, leaving: Leaving): Promise<Refusal | null> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(() => this.#useNow(id, leaving));
    const settled = turn.catch(() => undefined);
    this.#turns.set(id, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    }
  }

  async useGrant(grant: Grant, { call, policy }: Leaving): Promise<Refusal | null> {
    if (grant.policy !== policy()) return over("the policy has changed since it was given");
    // By both clocks: neither may be set back to make it last.
    const { expires_at } = grant;
    if (expires_at !== null && this.#parts.now() >= expires_at) return over("its time is over");
    return (await this.#parts.store.useGrant(grant, call)) ? null : over("it has ended");
  }

  async #useNow(id: string, leaving: Leaving): Promise<Refusal | null> {
    const { store } = this.#parts;
    const approval = await this.#existing(id);
    if (approval.state !== "approved") return this.#refusalOf(approval);
    const usable = weighUse(approval, await this.#look(approval, leaving));
    if (!usable.usable && usable.state === null)
      return refuse(
        "approval_required",
        `it was approved, and ${usable.reason}; nothing was sent, and sending it again tries again`,
      );
    if (!usable.usable) {
      await store.end(id, usable.state ?? "stale", usable.reason);
      this.#parts.show(id);
      return this.#refusalOf(await this.#existing(id));
    }
    const used = await store.consume(id, { call: leaving.call, grant: grantOf(approval) });
    this.#parts.show(id);
    return used ? null : this.#refusalOf(await this.#existing(id));
  }

  async #look(approval: Approval, { policy, look }: Leaving): Promise<UseFacts> {
    const { directory, now } = this.#parts;
    const { run, question, terms } = approval;
    const accepted = [...new Set(approval.answers.filter(counted).map(({ by }) => by))];
    const known = run === null || directory === null ? null : { run, directory };
    const standingOf = async (by: string) => ({
      by,
      standing:
        known === null
          ? null
          : await known.directory.standingOf(known.run, by.replace(/^github:/, ""), terms.approvers.teams),
    });
    // At the same time: the caller waits for all of it.
    const [runNow, approvers, current] = await Promise.all([
      known === null ? null : known.directory.runNow(known.run),
      Promise.all(accepted.map(standingOf)),
      question.current.kind === "known" ? look(approval.id) : undefined,
    ]);
    const facts = { policy: policy(), approvers, run: runNow, now: now() };
    return current === undefined ? facts : { ...facts, current };
  }

  async #existing(id: string): Promise<Approval> {
    const approval = await this.#parts.store.get(id);
    if (approval === null) throw new Error(`approval ${id} is gone`);
    return approval;
  }

  #refusalOf(approval: Approval): Refusal {
    return refusalOf(approval, approvalUrl(this.#parts.publicUrl, approval.id));
  }
}

export const approvalUrl = (publicUrl: string, id: string): string => `${publicUrl.replace(/\/$/, "")}/approvals/${id}`;

const counted = ({ accepted, verdict }: Approval["answers"][number]): boolean => accepted && verdict === "approve";

const over = (why: string): Refusal =>
  refuse(
    "approval_required",
    `the grant that would let this call pass is over: ${why}; nothing was sent, and sending it again asks again`,
  );

/** Beyond this call only what everybody who approved has said, and of it the least. */
function grantOf(approval: Approval): NewGrant | null {
  const approving = approval.answers.filter(counted);
  const asked = approving.map(({ grant }) => grant);
  if (asked.length === 0 || asked.some((grant) => grant === null)) return null;
  const lasting = asked.flatMap((grant) => (grant?.kind === "duration" ? [grant.ms] : []));
  return {
    operation: approval.operation,
    rule: approval.terms.rule,
    policy: approval.binding.policy,
    by: approving.map(({ by }) => by).join(", "),
    lasts: lasting.length === 0 ? null : Math.min(...lasting),
  };
}
