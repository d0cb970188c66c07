/** Asks a running gateway's own API, for the commands that show what it keeps. */

import { readFileSync } from "node:fs";
import type { z } from "zod";
import { apiError } from "../contract.ts";
import { GatewayError } from "../errors.ts";
import { isLoopback } from "../model/loopback.ts";
import type { Answer } from "./answer.ts";

export type ApiOptions = {
  /** Default: `DOGWATCH_GATEWAY`. */
  readonly gateway?: string;
  /** File with an access token; default: the token in `DOGWATCH_TOKEN`. */
  readonly tokenFile?: string;
};

/** The gateway understood and said no; `status` is HTTP's. */
export class ApiRefused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiRefused";
    this.status = status;
  }
}

/** What a person has to mend before the gateway can be asked at all. */
export class WrongUsage extends Error {}

/** What keeps a command from its answer is its answer; a gateway that cannot be reached is thrown on. */
export async function explained(command: () => Promise<Answer>): Promise<Answer> {
  try {
    return await command();
  } catch (error) {
    if (error instanceof WrongUsage) return { exitCode: 2, output: `${error.message}\n` };
    if (error instanceof ApiRefused)
      return { exitCode: error.status === 404 || error.status === 409 ? 1 : 2, output: `${error.message}\n` };
    throw error;
  }
}

/** Pages that are asked for at most: nobody reads on. */
const mostPages = 10;

type Page<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };

/** Page by page; `whole`: there are no more. */
export async function readPages<T>(
  ask: (cursor: string | null) => Promise<Page<T>>,
): Promise<{ readonly found: readonly T[]; readonly whole: boolean }> {
  const found: T[] = [];
  let cursor: string | null = null;
  for (let read = 0; read < mostPages; read++) {
    const asked: Page<T> = await ask(cursor);
    found.push(...asked.items);
    cursor = asked.next_cursor;
    if (cursor === null) return { found, whole: true };
  }
  return { found, whole: false };
}

/** ms; an answer from a gateway's own database is there long before. */
const patience = 30_000;

export class Api {
  readonly #gateway: URL;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  /** @throws WrongUsage */
  constructor(options: ApiOptions, env: NodeJS.ProcessEnv, send: typeof fetch = fetch) {
    this.#gateway = gatewayOf(options.gateway ?? env["DOGWATCH_GATEWAY"]);
    this.#token = tokenOf(options.tokenFile, env["DOGWATCH_TOKEN"]);
    this.#fetch = send;
  }

  /** `path` begins with `/v1/`. @throws ApiRefused, and GatewayError `upstream_unreachable` when no gateway answers. */
  get<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T>> {
    return this.#ask(path, { method: "GET" }, shape);
  }

  /** The same, for what must not stand in an address. */
  post<T extends z.ZodType>(path: string, body: object, shape: T): Promise<z.infer<T>> {
    return this.#ask(path, { method: "POST", body: JSON.stringify(body) }, shape);
  }

  delete<T extends z.ZodType>(path: string, body: object, shape: T): Promise<z.infer<T>> {
    return this.#ask(path, { method: "DELETE", body: JSON.stringify(body) }, shape);
  }

  /** What is too large to be read at once; a silence of a minute ends it. @throws ApiRefused, and GatewayError `upstream_unreachable` */
  async stream(path: string): Promise<AsyncIterable<Uint8Array>> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), longestSilence).unref();
    const response = await this.#send(path, { method: "GET", signal: silence.signal });
    if (!response.ok) throw new ApiRefused(response.status, complaintIn(await response.text(), response.status));
    if (response.body === null) throw unreachable(`${this.#gateway.origin} answers ${path.split("?")[0]} with nothing`);
    return whole(response.body, timer, this.#gateway.origin);
  }

  async #ask<T extends z.ZodType>(path: string, request: Question, shape: T): Promise<z.infer<T>> {
    const response = await this.#send(path, request);
    const text = await response.text();
    if (!response.ok) throw new ApiRefused(response.status, complaintIn(text, response.status));
    const parsed = shape.safeParse(jsonIn(text));
    if (parsed.success) return parsed.data;
    throw unreachable(`${this.#gateway.origin} does not answer ${path.split("?")[0]} as a Dogwatch gateway does`);
  }

  async #send(path: string, request: Question): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      accept: "application/json",
      ...(request.body !== undefined && { "content-type": "application/json" }),
    };
    try {
      // A redirect would take the token somewhere else.
      return await this.#fetch(new URL(path, this.#gateway), {
        signal: AbortSignal.timeout(patience),
        ...request,
        headers,
        redirect: "error",
      });
    } catch (error) {
      throw unreachable(`${this.#gateway.origin} cannot be reached: ${reasonOf(error)}`);
    }
  }
}

type Question = { readonly method: "GET" | "POST" | "DELETE"; readonly body?: string; readonly signal?: AbortSignal };

/** ms without a byte. */
const longestSilence = 60_000;

async function* whole(
  body: AsyncIterable<Uint8Array>,
  timer: NodeJS.Timeout,
  origin: string,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) {
      timer.refresh();
      yield piece;
      timer.refresh();
    }
  } catch (error) {
    throw unreachable(`${origin} broke off: ${reasonOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

function gatewayOf(address: string | undefined): URL {
  if (address === undefined || address === "")
    throw new WrongUsage("no gateway: name it with --gateway URL or DOGWATCH_GATEWAY");
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname))) return url;
  throw new WrongUsage(
    `${JSON.stringify(address)} is no address like https://dogwatch.example.com (http: for this machine only)`,
  );
}

function tokenOf(file: string | undefined, fromEnvironment: string | undefined): string {
  const token = (file === undefined ? fromEnvironment : readToken(file))?.trim();
  if (token === undefined || token === "")
    throw new WrongUsage(
      "no access token: name its file with --token-file FILE, or set DOGWATCH_TOKEN (access.tokens in dogwatch.yaml)",
    );
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new WrongUsage(`the access token in ${file ?? "DOGWATCH_TOKEN"} has characters that no token has`);
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new WrongUsage(`the access token cannot be read: ${reasonOf(error)}`);
  }
}

const complaintIn = (text: string, status: number): string => {
  const parsed = apiError.safeParse(jsonIn(text));
  return parsed.success ? parsed.data.errors.join("; ") : `the gateway answered ${status}`;
};

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const unreachable = (message: string): GatewayError => new GatewayError("upstream_unreachable", message);

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
};
