/** Lists, page by page. */

import { type Call, type Reply, ok } from "./reply.ts";

/** @see https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api */
export function paged<T>(
  { query, address }: Pick<Call, "query" | "address">,
  items: readonly T[],
  write: (item: T) => object,
): Reply {
  const per = sizeOf(query);
  const page = Math.max(1, Number.parseInt(query["page"] ?? "1", 10) || 1);
  const last = Math.max(1, Math.ceil(items.length / per));
  const to = (number: number, rel: string): string =>
    `<${address}?${new URLSearchParams({ ...query, page: String(number) }).toString()}>; rel="${rel}"`;
  const links = [
    ...(page > 1 ? [to(page - 1, "prev")] : []),
    ...(page < last ? [to(page + 1, "next"), to(last, "last")] : []),
    ...(page > 1 ? [to(1, "first")] : []),
  ];
  const body = items.slice((page - 1) * per, page * per).map(write);
  return links.length === 0 ? ok(body) : { status: 200, body, headers: { link: links.join(", ") } };
}

export const sizeOf = (query: Call["query"]): number =>
  Math.min(100, Math.max(1, Number.parseInt(query["per_page"] ?? "30", 10) || 30));
