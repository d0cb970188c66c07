/** Looks for what a create with a lost answer made: our own, by its marker, and by nobody else's hand. */

import { z } from "zod";
import type { Place } from "../model/approval.ts";
import type { RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import { listPages } from "./pages.ts";
import { read, refusal } from "./refusal.ts";
import type { Repositories, RepositoryAsk } from "./repositories.ts";
import type { Answer } from "./send.ts";
import { digits, id, timestamp } from "./shapes.ts";

/** How far this machine's clock and GitHub's may be apart, ms: a marker is of one question only, so nothing else is found by it. */
const slack = 10 * 60_000;

/** 500 comments. */
const mostPages = 5;

/** Whatever people and Apps write: by whom, and through which App. */
export const signed = z.object({
  id,
  html_url: z.string(),
  body: z.string().nullish(),
  created_at: z.string(),
  user: z.object({ login: z.string(), type: z.string().nullish() }).nullish(),
  performed_via_github_app: z.object({ id: digits }).nullish(),
});
type Signed = z.output<typeof signed>;

export type Sought = {
  readonly marker: string;
  readonly since: Date;
  /** In digits. */
  readonly appId: string;
  /** The App's name in addresses: its account is called `SLUG[bot]`, as no person's can be. */
  readonly slug: string;
};

export const isSought = (
  { body, user, performed_via_github_app }: Signed,
  { marker, appId, slug }: Sought,
): boolean => {
  // Whoever quotes our marker is not us.
  if (!(body ?? "").startsWith(marker)) return false;
  // A review comment does not name the App; its author does.
  return performed_via_github_app?.id === appId || (user?.type === "Bot" && user.login === `${slug}[bot]`);
};

/** With room for clocks that differ. */
export const withSlack = (since: Date): Date => new Date(since.getTime() - slack);

/** The newest of both kinds that stand with a number. */
export const findComment = async (
  repositories: Repositories,
  of: RepositoryRef,
  { number, sought }: { readonly number: number; readonly sought: Sought },
): Promise<Place | null> => {
  const since = timestamp(sought.since);
  const [reviews, timeline] = await Promise.all([
    list(repositories, of, {
      route: "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
      parameters: { pull_number: number, sort: "created", direction: "desc", since },
    }),
    list(repositories, of, {
      route: "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
      parameters: { issue_number: number, since },
    }),
  ]);
  const ours = [
    ...reviews.map((each) => ({ kind: "review_comment" as const, each })),
    ...timeline.map((each) => ({ kind: "comment" as const, each })),
  ].filter(({ each }) => isSought(each, sought));
  const newest = ours.toSorted((a, b) => (a.each.created_at < b.each.created_at ? 1 : -1))[0];
  return newest === undefined ? null : { kind: newest.kind, url: newest.each.html_url, id: newest.each.id, number };
};

const list = async (
  repositories: Repositories,
  of: RepositoryRef,
  { route, parameters }: { readonly route: string; readonly parameters: object },
): Promise<readonly Signed[]> => {
  const ask: RepositoryAsk = {
    kind: "read",
    route,
    doing: `look for our comment in ${quote(of.repository)}`,
    needs: "pull_requests: read",
  };
  const { items } = await listPages({
    name: "page",
    most: mostPages,
    ask: (page) => repositories.ask(of, { ...ask, parameters: { ...parameters, ...page } }),
    read: (answer: Answer) => {
      // An issue has no review comments.
      if (answer.status === 404) return [];
      if (answer.status !== 200) throw refusal(answer, { ...ask, parameters: {} }, ask.needs);
      return read(z.array(signed), answer, { ...ask, parameters: {} });
    },
  });
  return items;
};
