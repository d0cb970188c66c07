/** Seals a session that is over: its receipts in their order become one chain, and the chain's end is what the seal says. */

import type { StoredCall } from "../model/receipt.ts";
import type { CallApproval, Seal, SealForm } from "../model/seal.ts";
import type { Session } from "../model/session.ts";
import { beginChain, continueChain, type SealedSession } from "../stages/seal/chain.ts";
import { digestReceipt, printReceipt, receiptOf, type SealedReceipt } from "../stages/seal/receipt.ts";
import type { Receipts } from "../store/receipts.ts";
import { isUnreadable } from "../store/rows.ts";
import type { Seals } from "../store/seals.ts";
import { callPages } from "./everyCall.ts";

export type SealParts = {
  readonly sessions: { get(id: string): Promise<Session | null> };
  readonly receipts: Pick<Receipts, "calls">;
  readonly seals: Seals;
  now(): Date;
};

/** Receipts that are in memory at a time; their digests are kept together. */
const pageSize = 500;
/** In which sessions are sealed now. */
const newestForm: SealForm = 2;

/** What is recorded contradicts itself, or is nothing that a gateway writes, so nothing can be signed about it. */
export class Unsealable extends Error {}

/** Null while a call of it is in flight, or it has not ended. @throws Unsealable */
export async function sealSession(parts: SealParts, id: string): Promise<Seal | null> {
  const before = await parts.seals.get(id);
  if (before !== null) return before;
  // Once it is over it stays so: what is read after this is what is sealed.
  if (!(await parts.seals.isOver(id))) return null;
  const session = await readable(id, () => parts.sessions.get(id));
  if (session === null || session.state === "open") return null;
  const head = await readable(id, () => chainOf(parts, session));
  const { calls, state } = session;
  return parts.seals.add({
    session_id: id,
    calls,
    head: head.toString("hex"),
    state,
    sealed_at: parts.now(),
    form: newestForm,
  });
}

/** What cannot be read now can never be: that is of this session, and no reason to leave the others without their seals. */
const readable = async <T>(id: string, read: () => Promise<T>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    throw new Unsealable(`calls of session ${id} are not stored as a whole, or hold what no gateway writes`, {
      cause: error,
    });
  }
};

/** As the chain and whoever checks it see a session. */
export const sealedSessionOf = (session: Session, form: SealForm): SealedSession => ({
  ...(form !== 1 && { form }),
  id: session.id,
  connection: session.connection,
  caller: session.caller,
  state: session.state,
  opened_at: session.opened_at.toISOString(),
  closed_at: session.closed_at?.toISOString() ?? null,
  calls: session.calls,
});

const chainOf = async (parts: SealParts, session: Session): Promise<Buffer> => {
  let head = beginChain(sealedSessionOf(session, newestForm));
  await parts.seals.keepDigests(session.id, { from: 0, digests: head, prints: Buffer.alloc(0) });
  let next = 1;
  for await (const calls of readReceipts(parts, session.id, newestForm)) {
    const receipts = calls.map(({ call, approval }) => receiptOf(call, approval));
    const digests = receipts.map((receipt) => digestReceipt(receipt));
    for (const { n, state } of receipts) if (n !== next++ || state === "open") throw unsealable(session, n);
    head = digests.reduce(continueChain, head);
    await parts.seals.keepDigests(session.id, keptOf(receipts, digests));
  }
  if (next !== session.calls + 1) throw unsealable(session, next);
  return head;
};

const keptOf = (receipts: readonly SealedReceipt[], digests: readonly Buffer[]) => ({
  from: receipts[0]?.n ?? 0,
  digests: Buffer.concat(digests),
  prints: Buffer.concat(receipts.map((receipt) => printReceipt(receipt, newestForm))),
});

const unsealable = ({ id, calls }: Session, n: number): Unsealable =>
  new Unsealable(`session ${id} says it has ${calls} calls, and call ${n} is not where it should be, or has no end`);

/** What a receipt is made of; where its form says nothing of people, `approval` is left out. */
export type Recorded = { readonly call: StoredCall; readonly approval?: CallApproval | null };

type Reading = { readonly receipts: Pick<Receipts, "calls">; readonly seals: Pick<Seals, "approvals"> };

/** In the order of their numbers, page by page: memory does not grow with the session. */
export async function* readReceipts(
  { receipts, seals }: Reading,
  session_id: string,
  form: SealForm,
): AsyncGenerator<readonly Recorded[]> {
  for await (const calls of callPages({ receipts }, session_id, pageSize))
    if (calls.length > 0) yield await withApprovals(seals, calls, form);
}

export const withApprovals = async (
  seals: Reading["seals"],
  calls: readonly StoredCall[],
  form: SealForm,
): Promise<readonly Recorded[]> => {
  const [first, last] = [calls[0], calls.at(-1)];
  if (form === 1 || first === undefined || last === undefined) return calls.map((call) => ({ call }));
  const approvals = await seals.approvals(first.session_id, { first: first.n, last: last.n });
  return calls.map((call) => ({ call, approval: approvals.get(call.n) ?? null }));
};
