/** The calls of a recording in their order, with what their bodies say: page by page, so that memory does not grow with the session. */

import { createHash } from "node:crypto";
import { isApiRefusal } from "../../errors.ts";
import { codingsOf, decodeCodings } from "../../model/coding.ts";
import { type JsonNode, readTree } from "../../model/jsonTree.ts";
import type { HeaderList, StoredCall, StoredMessage } from "../../model/receipt.ts";
import type { Bodies } from "../../store/bodies.ts";
import type { Following } from "../../store/following.ts";
import type { Receipts } from "../../store/receipts.ts";
import type { ComparedBody } from "./compare.ts";

export type RecordingParts = {
  readonly receipts: Pick<Receipts, "calls">;
  readonly following: Pick<Following, "ended">;
  readonly bodies: Pick<Bodies, "read" | "readSmall">;
};

/** `bytes`: in its codings; null with the reason why it is not there as it was. */
export type RecordedBytes =
  | { readonly bytes: Buffer; readonly missing: null }
  | { readonly bytes: null; readonly missing: string };

/** With the stored bytes of what it asked and was answered; null where there was no body. */
export type RecordedCall = {
  readonly call: StoredCall;
  readonly request: RecordedBytes | null;
  readonly response: RecordedBytes | null;
};

const pageSize = 50;
/** Bytes. Larger bodies are read when it is their call's turn. */
const inPage = 64 * 1024;
/** Bytes. Nothing is looked for in a larger body. */
export const largestRead = 8 * 1024 * 1024;

/** Those with numbers up to `last`; the next page is asked for while this one is looked at. */
export async function* recordedCalls(
  parts: RecordingParts,
  session_id: string,
  last: number,
): AsyncGenerator<RecordedCall> {
  let next: Promise<ReadPage> | null = readPage(parts, session_id, undefined);
  while (next !== null) {
    const page: ReadPage = await next;
    next = page.next_cursor === null ? null : readPage(parts, session_id, page.next_cursor);
    // It may fail before anybody waits for it; then whoever waits is told.
    next?.catch(() => undefined);
    for (const call of page.items) {
      if (call.n > last) return;
      yield await withBodies(parts, call, page.small);
    }
  }
}

/** Those of these calls of a session that have ended, by number. */
export async function endedCalls(
  parts: RecordingParts,
  session_id: string,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, RecordedCall>> {
  if (numbers.length === 0) return new Map();
  const items = await parts.following.ended(session_id, numbers);
  const small = await parts.bodies.readSmall(smallIn(items));
  const ended = new Map<number, RecordedCall>();
  for (const call of items) ended.set(call.n, await withBodies(parts, call, small));
  return ended;
}

type ReadPage = {
  readonly items: readonly StoredCall[];
  readonly next_cursor: string | null;
  readonly small: ReadonlyMap<string, Buffer>;
};

async function readPage(parts: RecordingParts, session_id: string, cursor: string | undefined): Promise<ReadPage> {
  const page = await parts.receipts.calls(session_id, { limit: pageSize, cursor });
  if (isApiRefusal(page)) throw new Error(page.message);
  return { ...page, small: await parts.bodies.readSmall(smallIn(page.items)) };
}

const smallIn = (calls: readonly StoredCall[]): string[] =>
  calls.flatMap(({ request, response }) =>
    [request, response].flatMap((message) => {
      const body = message?.body;
      return body == null || body.id === null || body.expired || body.size > inPage ? [] : [body.id];
    }),
  );

async function withBodies(
  parts: RecordingParts,
  call: StoredCall,
  small: ReadonlyMap<string, Buffer>,
): Promise<RecordedCall> {
  return {
    call,
    request: await bytesOf(parts, call.request, small),
    response: call.response === null ? null : await bytesOf(parts, call.response, small),
  };
}

async function bytesOf(
  { bodies }: RecordingParts,
  { body }: StoredMessage,
  small: ReadonlyMap<string, Buffer>,
): Promise<RecordedBytes | null> {
  if (body === null || body.size === 0) return null;
  const missing = missingOf(body);
  if (missing !== null || body.id === null) return { bytes: null, missing: missing ?? "nothing of it is stored" };
  const known = small.get(body.id);
  if (known !== undefined) return { bytes: known, missing: null };
  const pieces: Buffer[] = [];
  for await (const piece of bodies.read(body.id)) pieces.push(piece);
  return { bytes: Buffer.concat(pieces), missing: null };
}

const missingOf = ({ expired, withheld, truncated }: NonNullable<StoredMessage["body"]>): string | null => {
  if (expired) return "it has expired";
  if (withheld !== undefined) return `it is not stored: ${withheld}`;
  return truncated ? "only its beginning is stored" : null;
};

/** Decoded, and as JSON where it is. */
export async function comparable(bytes: Buffer, headers: HeaderList): Promise<ComparedBody> {
  const decoded = await decodeCodings(bytes, codingsOf(headers), largestRead);
  const plain = Buffer.isBuffer(decoded) ? decoded : bytes;
  const text = Buffer.isBuffer(decoded) && decoded.length <= largestRead ? textIn(decoded) : null;
  return {
    tree: text === null ? null : readTree(text),
    text,
    size: plain.length,
    digest: createHash("sha256").update(plain).digest("hex"),
  };
}

/** Of the recorded answer; null where it is no JSON, or not there. */
export const treeOf = async ({ call, response }: RecordedCall): Promise<JsonNode | null> =>
  response?.bytes == null ? null : (await comparable(response.bytes, call.response?.headers ?? [])).tree;

/** Null for what is no UTF-8. */
const textIn = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};
