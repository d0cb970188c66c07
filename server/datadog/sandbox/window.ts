/** Pages of things that happened: sorted by time, continued after the last one seen. */

type Wish<T> = {
  readonly limit?: number | undefined;
  /** Where the page before this one ended; an unknown cursor starts over. */
  readonly cursor?: string | undefined;
  readonly sort: "timestamp" | "-timestamp";
  readonly idOf: (item: T) => string;
};

export const pageOf = <T extends { readonly at: Date }>(
  items: readonly T[],
  { limit = 10, cursor, sort, idOf }: Wish<T>,
): { readonly shown: readonly T[]; readonly after: string | undefined } => {
  const direction = sort === "timestamp" ? 1 : -1;
  const sorted = items.toSorted((a, b) => direction * (a.at.getTime() - b.at.getTime()));
  const last = cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString("utf8");
  const start = last === undefined ? 0 : sorted.findIndex((item) => idOf(item) === last) + 1;
  const shown = sorted.slice(start, start + limit);
  const end = shown.at(-1);
  const more = end !== undefined && start + shown.length < sorted.length;
  return { shown, after: more ? Buffer.from(idOf(end)).toString("base64url") : undefined };
};
