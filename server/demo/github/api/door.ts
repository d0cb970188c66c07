/** One request to the API, from its bytes to its answer: faults, limits, who asks, what may be asked, and what became of it. */

import { createHash } from "node:crypto";
import findMyWay from "find-my-way";
import { isPull } from "../pulls.ts";
import type { Limits } from "../limits.ts";
import type { Repository } from "../state.ts";
import type { Visitors } from "../visitors.ts";
import type { World } from "../world.ts";
import { appHandlers } from "./apps.ts";
import { checkHandlers } from "./checks.ts";
import { deliveryHandlers } from "./deliveries.ts";
import type { Handler } from "./handler.ts";
import { identify, nameOf } from "./identify.ts";
import { issueHandlers } from "./issues.ts";
import { type OperationId, operations } from "./operations.ts";
import { refuse, sees } from "./permit.ts";
import { pullHandlers } from "./pulls.ts";
import { type Caller, type Reply, notFound, refusal } from "./reply.ts";
import { repositoryHandlers } from "./repositories.ts";
import { reviewCommentHandlers } from "./reviewComments.ts";

const handlers: Readonly<Record<OperationId, Handler>> = {
  ...appHandlers,
  ...deliveryHandlers,
  ...repositoryHandlers,
  ...issueHandlers,
  ...pullHandlers,
  ...reviewCommentHandlers,
  ...checkHandlers,
};

export type Ask = {
  readonly method: string;
  /** Without `/api/v3` and query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
};

export type Answered = { readonly by: string; readonly reply: Reply };

export type DoorParts = {
  readonly world: World;
  readonly visitors: Visitors;
  readonly limits: Limits;
};

const named = "/repos/:owner/:repo";

type Route = { readonly id: OperationId; readonly params: Readonly<Record<string, string>> };

export class Door {
  readonly #parts: DoorParts;
  readonly #router = findMyWay({ maxParamLength: 500 });

  constructor(parts: DoorParts) {
    this.#parts = parts;
    for (const [id, [method, path]] of Object.entries(operations)) {
      this.#router.on(method, path, () => undefined, id);
      // Where a name that was given up leads to.
      if (path.startsWith(named))
        this.#router.on(method, path.replace(named, "/repositories/:id"), () => undefined, id);
    }
  }

  /** `pulls/get`; null for what is no operation. A repository may be named by its id, as redirects do. */
  operationOf({ method, path }: Pick<Ask, "method" | "path">): OperationId | null {
    return this.#route(method, path)?.id ?? null;
  }

  /** Names who asks, whatever becomes of it. */
  async who({ headers }: Pick<Ask, "headers">): Promise<string> {
    const { world, visitors } = this.#parts;
    const identified = await identify(world, visitors, headers["authorization"]);
    return identified.kind === "caller" ? nameOf(identified.caller) : "nobody";
  }

  /** Carries it out. */
  async answer(ask: Ask): Promise<Answered> {
    const { world, visitors, limits } = this.#parts;
    const identified = await identify(world, visitors, ask.headers["authorization"]);
    if (identified.kind === "refused") return { by: "nobody", reply: identified.reply };
    const { caller } = identified;
    const by = nameOf(caller);
    const secondary = limits.takeSecondary();
    if (secondary !== null) return { by, reply: tooManyAtOnce(secondary.status, secondary.retry_after) };
    if (limits.isExhausted(by))
      return { by, reply: withHeaders(refusal(403, `API rate limit exceeded for ${by}.`), limits.headers(by)) };
    const reply = tagged(ask, await this.#carry(ask, caller));
    // Nothing new costs nothing.
    if (reply.status !== 304) limits.count(by);
    return { by, reply: withHeaders(reply, limits.headers(by)) };
  }

  async #carry(ask: Ask, caller: Caller): Promise<Reply> {
    const { world, visitors } = this.#parts;
    const route = this.#route(ask.method, ask.path);
    if (route === null) return notFound;
    const { id, params } = route;
    const found = this.#repository(ask, params, caller);
    if (found !== null && "status" in found) return found;
    const handler = handlers[id];
    const repository = found?.repository ?? null;
    const pull = repository === null ? null : this.#isPull(id, params, repository);
    const refused = refuse(id, caller, { world, repository, isPull: pull });
    if (refused !== null) return refused;
    const call = { world, caller, params, query: ask.query, body: ask.body, address: `${world.apiUrl}${ask.path}` };
    if (handler.about === "anything") return handler.carry({ ...call, visitors });
    return repository === null ? notFound : handler.carry({ ...call, repository });
  }

  #route(method: string, path: string): Route | null {
    const known = method === "GET" || method === "POST" || method === "PATCH" ? this.#router.find(method, path) : null;
    if (known === null) return null;
    // Only what the constructor put there.
    return { id: known.store as OperationId, params: known.params as Record<string, string> };
  }

  /** Null: it is about none. A name that was given up leads on; what the caller may not see is not there. */
  #repository(ask: Ask, params: Route["params"], caller: Caller): Reply | { readonly repository: Repository } | null {
    const { world } = this.#parts;
    const { owner, repo, id } = params;
    if (id !== undefined) {
      const repository = world.repositories.byId(Number(id));
      return repository === null || !sees(world, caller, repository) ? notFound : { repository };
    }
    if (owner === undefined || repo === undefined) return null;
    const found = world.repositories.find(`${owner}/${repo}`);
    if (found === null || !sees(world, caller, found.repository)) return notFound;
    if (found.kind === "here") return { repository: found.repository };
    const rest = ask.path
      .split("/")
      .slice(4)
      .map((part) => `/${part}`)
      .join("");
    const location = `${world.apiUrl}/repositories/${found.repository.id}${rest}`;
    return { status: ask.method === "GET" ? 301 : 307, body: moved(location), headers: { location } };
  }

  /** Null where it does not matter or is not known. */
  #isPull(id: OperationId, params: Route["params"], repository: Repository): boolean | null {
    const { pulls, comments } = this.#parts.world;
    if (!id.startsWith("issues/")) return null;
    const { issue_number, comment_id } = params;
    const number =
      comment_id === undefined
        ? Number(issue_number)
        : comments.find(repository, "issue_comment", Number(comment_id))?.number;
    const issue = number === undefined ? null : pulls.find(repository, number);
    return issue === null ? null : isPull(issue);
  }
}

const moved = (url: string): object => ({
  message: "Moved Permanently",
  url,
  documentation_url: "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
});

const tooManyAtOnce = (status: number, retry_after: number): Reply =>
  refusal(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", {
    "retry-after": String(retry_after),
  });

/** An answer to GET has an ETag, another one with another token; who has that answer already gets 304. */
function tagged({ method, headers }: Ask, reply: Reply): Reply {
  if (method !== "GET" || reply.status !== 200) return reply;
  const content = JSON.stringify(reply.body, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  const tag = createHash("sha256").update(`${headers["authorization"]} ${content}`).digest("hex");
  const etag = `W/"${tag}"`;
  const known = (headers["if-none-match"] ?? "").split(",").map((each) => each.trim());
  return known.includes(etag) || known.includes(`"${tag}"`)
    ? { status: 304, headers: { etag } }
    : withHeaders(reply, { etag });
}

const withHeaders = (reply: Reply, headers: Readonly<Record<string, string>>): Reply => ({
  ...reply,
  headers: { ...reply.headers, ...headers },
});
