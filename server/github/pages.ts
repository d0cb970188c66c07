/** Lists that come in pages: follows GitHub's links to the end, or to a bound. */

import type { Answer } from "./send.ts";

/** GitHub's largest page. */
export const pageSize = 100;

/** What the next page is asked with, `page` or `cursor`; null on the last one. Only this is taken from the link: its host is not followed. */
export const nextPage = ({ headers }: Answer, name: "page" | "cursor"): string | null => {
  const link = /<([^<>]+)>;\s*rel="next"/.exec(headers["link"] ?? "")?.[1];
  return link !== undefined && URL.canParse(link) ? new URL(link).searchParams.get(name) : null;
};

export type Paging<Item> = {
  readonly name: "page" | "cursor";
  /** Most pages. */
  readonly most: number;
  /** @throws GitHubFailure for whatever is not a page */
  ask(parameters: Readonly<Record<string, unknown>>): Promise<Answer>;
  read(answer: Answer): readonly Item[];
  /** Whether the rest does not matter. */
  enough?(page: readonly Item[]): boolean;
};

export type Listed<Item> = {
  readonly items: readonly Item[];
  /** False when there would have been more. */
  readonly whole: boolean;
};

export const listPages = async <Item>({ name, most, ask, read, enough }: Paging<Item>): Promise<Listed<Item>> => {
  const items: Item[] = [];
  let next: string | null = null;
  for (let page = 0; page < most; page += 1) {
    const answer: Answer = await ask({ per_page: pageSize, ...(next === null ? {} : { [name]: next }) });
    const found = read(answer);
    items.push(...found);
    next = nextPage(answer, name);
    if (next === null || enough?.(found) === true) return { items, whole: true };
  }
  return { items, whole: false };
};
