/** Where the next page of a list begins: opaque to clients, and refused when it is not one of ours. */

import { z } from "zod";
import { type ApiRefusal, refuseApi } from "../errors.ts";

export type PageRequest = { readonly limit: number; readonly cursor?: string | undefined };
export type Page<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };

/** Which list a cursor belongs to, so that one list's is not taken for another's. */
type ListName = "sessions" | "calls" | "values" | "audit" | "approvals" | "replays" | "replay calls";

/** Most items of a page. */
const most = 200;

export const writeCursor = (list: ListName, after: string | number): string =>
  Buffer.from(JSON.stringify([list, after])).toString("base64url");

/** The key after which the page begins; null for the first page. */
export const readCursor = <T extends string | number>(
  list: ListName,
  key: z.ZodType<T>,
  cursor: string | undefined,
): { readonly after: T | null } | ApiRefusal => {
  if (cursor === undefined) return { after: null };
  try {
    const [, after] = z.tuple([z.literal(list), key]).parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return { after };
  } catch {
    return refuseApi("request_malformed", `cursor is not one that a list of ${list} gave: leave it out to begin again`);
  }
};

/** How many rows to ask for: one more than the page holds, to know whether another follows. */
export const rowsFor = ({ limit }: PageRequest): number => pageSize(limit) + 1;

export const cutPage = <T>(rows: readonly T[], { limit }: PageRequest, cursorOf: (last: T) => string): Page<T> => {
  const items = rows.slice(0, pageSize(limit));
  const last = items.at(-1);
  return { items, next_cursor: rows.length > items.length && last !== undefined ? cursorOf(last) : null };
};

const pageSize = (limit: number): number => Math.min(Math.max(1, Math.trunc(limit)), most);
