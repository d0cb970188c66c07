/** Seals a session that is over: its receipts in their order become one chain, and the chain's end is what the seal says. */

import { isApiRefusal, GatewayError } from "../errors.ts";
import type { StoredCall } from "../model/receipt.ts";
import type { Seal } from "../model/seal.ts";
import type { Session } from "../model/session.ts";
import { beginChain, continueChain, type SealedSession } from "../stages/seal/chain.ts";
import { digestReceipt, printReceipt, receiptOf, type SealedReceipt } from "../stages/seal/receipt.ts";
import type { Receipts } from "../store/receipts.ts";
import type { Seals } from "../store/seals.ts";

export type SealParts = {
  readonly sessions: { get(id: string): Promise<Session | null> };
  readonly receipts: Pick<Receipts, "calls">;
  readonly seals: Seals;
  now(): Date;
};

/** Receipts that are in memory at a time; their digests are kept together. */
const pageSize = 500;

/** What is recorded contradicts itself, so nothing can be signed about it. */
export class Unsealable extends Error {}

/** Null while a call of it is in flight, or it has not ended. @throws Unsealable */
export async function sealSession(parts: SealParts, id: string): Promise<Seal | null> {
  const before = await parts.seals.get(id);
  if (before !== null) return before;
  // Once it is over it stays so: what is read after this is what is sealed.
  if (!(await parts.seals.isOver(id))) return null;
  const session = await parts.sessions.get(id);
  if (session === null || session.state === "open") return null;
  const head = await chainOf(parts, session);
  const { calls, state } = session;
  return parts.seals.add({ session_id: id, calls, head: head.toString("hex"), state, sealed_at: parts.now() });
}

/** As the chain and whoever checks it see a session. */
export const sealedSessionOf = (session: Session): SealedSession => ({
  id: session.id,
  connection: session.connection,
  caller: session.caller,
  state: session.state,
  opened_at: session.opened_at.toISOString(),
  closed_at: session.closed_at?.toISOString() ?? null,
  calls: session.calls,
});

const chainOf = async (parts: SealParts, session: Session): Promise<Buffer> => {
  let head = beginChain(sealedSessionOf(session));
  await parts.seals.keepDigests(session.id, { from: 0, digests: head, prints: Buffer.alloc(0) });
  let next = 1;
  for await (const calls of readReceipts(parts, session.id)) {
    const receipts = calls.map((call) => receiptOf(call));
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
  prints: Buffer.concat(receipts.map(printReceipt)),
});

const unsealable = ({ id, calls }: Session, n: number): Unsealable =>
  new Unsealable(`session ${id} says it has ${calls} calls, and call ${n} is not where it should be, or has no end`);

/** In the order of their numbers, page by page: memory does not grow with the session. */
export async function* readReceipts(
  { receipts }: Pick<SealParts, "receipts">,
  session_id: string,
): AsyncGenerator<readonly StoredCall[]> {
  let cursor: string | null = null;
  do {
    const page = await receipts.calls(session_id, { limit: pageSize, ...(cursor !== null && { cursor }) });
    if (isApiRefusal(page)) throw new GatewayError("recording_unavailable", page.message);
    if (page.items.length > 0) yield page.items;
    cursor = page.next_cursor;
  } while (cursor !== null);
}
