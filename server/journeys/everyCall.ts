/** The calls of a session in the order of their numbers, page by page: memory does not grow with the session. */

import { GatewayError, isApiRefusal } from "../errors.ts";
import type { StoredCall } from "../model/receipt.ts";
import type { Receipts } from "../store/receipts.ts";

type Recording = { readonly receipts: Pick<Receipts, "calls"> };

/** `atOnce`: calls that are in memory at a time, at most. @throws GatewayError */
export async function* everyCall(parts: Recording, session_id: string, atOnce: number): AsyncGenerator<StoredCall> {
  for await (const page of callPages(parts, session_id, atOnce)) yield* page;
}

/** @throws GatewayError */
export async function* callPages(
  { receipts }: Recording,
  session_id: string,
  limit: number,
): AsyncGenerator<readonly StoredCall[]> {
  for (let cursor: string | undefined; ; ) {
    const page = await receipts.calls(session_id, { limit, cursor });
    if (isApiRefusal(page)) throw new GatewayError("recording_unavailable", page.message);
    yield page.items;
    if (page.next_cursor === null) return;
    cursor = page.next_cursor;
  }
}
