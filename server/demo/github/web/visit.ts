/** One request to a page, and the addresses that pages have. */

import findMyWay from "find-my-way";
import type { Visitors } from "../visitors.ts";
import type { World } from "../world.ts";
import { home, pressButton, showCheck, showIssue, showRun, writeComment, writeReply } from "./conversation.ts";
import { confirmInstallation, installPage } from "./install.ts";
import { confirmManifest, showManifest } from "./manifest.ts";
import { agree, authorizePage, exchangeCode } from "./oauth.ts";
import { type Page, missing, page, stylesheet } from "./page.ts";

export type Visit = {
  readonly world: World;
  readonly visitors: Visitors;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
};

type Show = (visit: Visit) => Page;

const R = "/:owner/:repo";

const pages: readonly (readonly ["GET" | "POST", string, Show])[] = [
  ["GET", "/", home],
  ["GET", "/assets/standin.css", () => stylesheet],
  ["GET", `${R}/pull/:number`, showIssue],
  ["GET", `${R}/issues/:number`, showIssue],
  ["POST", `${R}/pull/:number/comment`, writeComment],
  ["POST", `${R}/issues/:number/comment`, writeComment],
  ["POST", `${R}/pull/:number/reply/:comment`, writeReply],
  ["GET", `${R}/runs/:id`, showCheck],
  ["POST", `${R}/runs/:id/press`, pressButton],
  ["GET", `${R}/actions/runs/:id`, showRun],
  ["GET", `${R}/actions/runs/:id/attempts/:attempt`, showRun],
  ["GET", "/login/oauth/authorize", authorizePage],
  ["POST", "/login/oauth/authorize", agree],
  ["POST", "/login/oauth/access_token", exchangeCode],
  ["POST", "/settings/apps/new", showManifest],
  ["POST", "/organizations/:organization/settings/apps/new", showManifest],
  ["POST", "/settings/apps/manifest", confirmManifest],
  ["GET", "/apps/:slug/installations/new", installPage],
  ["POST", "/apps/:slug/installations/new", confirmInstallation],
];

/** Forms of other sites and programs come here; everywhere else only the stand-in's own pages may send forms. */
const openToAll =
  /^(?:\/login\/oauth\/access_token|\/settings\/apps\/new|\/organizations\/[^/]+\/settings\/apps\/new)$/;

export class Web {
  readonly #parts: Pick<Visit, "world" | "visitors">;
  readonly #router = findMyWay({ maxParamLength: 500 });

  constructor(parts: Pick<Visit, "world" | "visitors">) {
    this.#parts = parts;
    for (const [method, path, show] of pages) this.#router.on(method, path, () => undefined, show);
  }

  answer(method: string, path: string, visit: Pick<Visit, "query" | "form" | "headers">): Page {
    const found = method === "GET" || method === "POST" ? this.#router.find(method, path) : null;
    if (found === null) return missing("There is no such page.");
    const { origin } = visit.headers;
    if (method === "POST" && origin !== undefined && origin !== this.#parts.world.url && !openToAll.test(path))
      return page("Refused", "This form comes from another site.", 403);
    // Only what the constructor put there.
    return (found.store as Show)({ ...this.#parts, ...visit, params: found.params as Record<string, string> });
  }
}
