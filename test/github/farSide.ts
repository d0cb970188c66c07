/** GitHub as the far side of the client: answers over real HTTP what a test says, notes what was asked, and holds both against GitHub's description. */

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { createGitHub, type GitHubApp, type GitHubOptions } from "../../server/github/client.ts";
import { Secret } from "../../server/model/connection.ts";
import { GitHubFailure } from "../../server/model/github.ts";
import type { Log } from "../../server/model/log.ts";
import { openGitHubSpec } from "../standins/githubSpec.ts";

export const spec = openGitHubSpec();

/** As GitHub gives keys: PKCS #1. */
export const key = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

export const appId = "4711";
export const of = { repository_id: "70", repository: "acme/checkout" } as const;
export const repo = "/repos/acme/checkout";

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
};

/** What is answered: a body gets whatever GitHub always says besides. */
export type Told = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of an answer: the connection is reset, stays silent until the client's patience is over, or breaks off within the body. */
  readonly lost?: "reset" | "silence" | "half";
  /** GitHub would never say this: it is not held against the description. */
  readonly strange?: true;
};

type Teller = Told | ((asked: Asked) => Told);

export class FarSide {
  readonly asked: Asked[] = [];
  readonly findings: string[] = [];
  readonly logged: string[] = [];
  /** Tokens that were given out, in that order. */
  readonly tokens: string[] = [];
  readonly #told = new Map<string, Teller[]>();
  readonly #server: Server;
  /** By route: ends the client's patience, so that no test waits for it. */
  readonly #patience = new Map<string, AbortController>();
  now = new Date("2026-01-02T03:04:05Z");

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FarSide> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const far = new FarSide(server);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => void far.#answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return far;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @throws when an exchange did not fit GitHub's description */
  async end(): Promise<void> {
    await this.close();
    if (this.findings.length > 0) throw new Error(this.findings.join("\n"));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  client(options: Partial<GitHubOptions> = {}): GitHubApp {
    const write = (fields: object, message: string): void => {
      this.logged.push(`${message} ${JSON.stringify(fields)}`);
    };
    const log: Log = { info: write, warn: write, error: write };
    return createGitHub({
      apiUrl: this.url,
      appId,
      privateKey: new Secret(key.privateKey),
      log,
      clock: () => this.now,
      issues: false,
      fetch: (address, init) => this.#fetch(address, init),
      ...options,
    });
  }

  #fetch(address: string, init: RequestInit): Promise<Response> {
    const over = new AbortController();
    this.#patience.set(`${init.method ?? "GET"} ${new URL(address).pathname}`, over);
    return fetch(address, {
      ...init,
      signal: AbortSignal.any([over.signal, ...(init.signal == null ? [] : [init.signal])]),
    });
  }

  /** `GET /repos/…`: answered in this order, the last one again and again. What nobody told is a 404. */
  on(route: string, ...told: readonly Teller[]): this {
    this.#told.set(route, [...told]);
    return this;
  }

  /** The App is installed on the repository, and tokens are given out for it. */
  installed(permissions: Record<string, string> = allPermissions): this {
    return this.on("GET /app", { body: { id: Number(appId), slug: "dogwatch", permissions, events: [] } })
      .on(`GET ${repo}/installation`, {
        body: {
          id: 9,
          permissions,
          html_url: "https://github.com/organizations/acme/settings/installations/9",
          account: null,
        },
      })
      .on("POST /app/installations/9/access_tokens", this.mint())
      .on(`GET ${repo}`, { headers: { etag: '"repo"' }, body: repositoryBody });
  }

  /** Gives out a token that was never given out before. */
  mint(body: object = {}): Teller {
    return ({ body: asked }) => {
      const token = `ghs_secret${this.tokens.length + 1}`;
      this.tokens.push(token);
      const { permissions } = asked as { permissions: object };
      const repositories = [{ id: 70, full_name: "acme/checkout" }];
      const expires_at = new Date(this.now.getTime() + 3_600_000).toISOString();
      return { status: 201, body: { token, expires_at, permissions, repositories, ...body } };
    };
  }

  /** `GET /repos/…` of everything that was asked, without what is needed to get there. */
  routes(all: "all" | "own" = "own"): string[] {
    const preparing = /^(?:GET \S+\/installation|POST \S+\/access_tokens)$/;
    return this.asked
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => all === "all" || !preparing.test(route));
  }

  find(route: string): Asked[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === route);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "", "http://far.side");
    const asked: Asked = {
      method: request.method ?? "",
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
    };
    this.asked.push(asked);
    this.#tell(asked, response);
  }

  #tell(asked: Asked, response: ServerResponse): void {
    const told = this.#next(asked);
    const status = told.status ?? 200;
    const body = status === 304 ? undefined : this.#body(asked, { ...told, status });
    // A lost answer is as good as an error of GitHub's: what was asked is looked at all the same.
    const known = told.lost === undefined ? { status, body } : { status: 500, body: { message: "lost" } };
    if (told.strange !== true) this.#check(asked, known);
    if (told.lost === "reset") response.socket?.resetAndDestroy();
    if (told.lost === "silence")
      this.#patience.get(`${asked.method} ${asked.path}`)?.abort(new DOMException("too late", "TimeoutError"));
    if (told.lost === "reset" || told.lost === "silence") return;
    const sent = body === undefined ? "" : JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...told.headers });
    if (told.lost === undefined) response.end(sent);
    else response.write(sent.slice(0, 5), () => response.socket?.destroy());
  }

  #next(asked: Asked): Told {
    const left = this.#told.get(`${asked.method} ${asked.path}`) ?? [];
    const next = left.length > 1 ? left.shift() : left[0];
    if (next === undefined) return { status: 404, body: { message: "Not Found" } };
    return typeof next === "function" ? next(asked) : next;
  }

  #body({ method, path }: Asked, { status, body, strange }: Told & { readonly status: number }): unknown {
    if (strange === true || typeof body === "string") return body;
    return spec === null ? body : spec.complete({ method, path, status }, body);
  }

  #check({ method, path, query, body }: Asked, answer: { readonly status: number; readonly body: unknown }): void {
    const exchange = { method, path, query, requestBody: body, status: answer.status, responseBody: answer.body };
    this.findings.push(...(spec?.check(exchange) ?? []));
  }
}

export const allPermissions = {
  metadata: "read",
  pull_requests: "write",
  checks: "write",
  actions: "read",
  issues: "write",
  members: "read",
} as const;

export const repositoryBody = {
  id: 70,
  full_name: "acme/checkout",
  html_url: "https://github.com/acme/checkout",
  owner: { login: "acme", id: 7 },
} as const;

/** What a call rejects with, which is never anything else. */
export const failing = async (doing: Promise<unknown>): Promise<GitHubFailure> => {
  const error: unknown = await doing.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GitHubFailure)) throw new Error(`expected a GitHubFailure, got ${String(error)}`);
  return error;
};

/** A page of a list says where the next one is. */
export const linked = (far: FarSide, path: string, next: string): Record<string, string> => ({
  link: `<${far.url}${path}?${next}>; rel="next", <${far.url}${path}?page=9>; rel="last"`,
});
