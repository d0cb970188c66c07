/** Sends one request to Datadog (or a connection's endpoint) and hands back its answer as it arrives; never sends anything twice. */

import { type Dispatcher, Pool, errors } from "undici";
import { hostsOf } from "../../datadog/hosts.ts";
import type { Connection } from "../../model/connection.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { AnswerBody } from "./answerBody.ts";
import { type Apart, connectApart } from "./apart.ts";
import type { Outgoing } from "./outgoing.ts";
import { RequestAborted } from "./requestBody.ts";

export type Answer = {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** Throws `BrokenAnswer` when the answer does not arrive whole. */
  readonly body: AnswerBody;
};

/** How a call ended that has no answer. `sent`: its first byte may have left this process. */
export type Broken = {
  readonly broken: "timeout" | "network" | "cancelled";
  readonly sent: boolean;
  readonly message: string;
};

export type Sent = {
  readonly answered: Promise<Answer | Broken>;
  /** Closes the connection to the upstream, whatever state the call is in. */
  cancel(): void;
};

/** Connections to one origin at most, and milliseconds: to connect, for a free connection, to the first byte of the answer, between two pieces of its body. */
export type Bounds = {
  readonly connections: number;
  readonly connect: number;
  readonly wait: number;
  readonly headers: number;
  readonly body: number;
};

const defaultBounds: Bounds = { connections: 256, connect: 10_000, wait: 15_000, headers: 120_000, body: 300_000 };

/** Connections to every origin in use. `pipelining: 1`: a request never waits behind another one's answer. */
export class Upstreams {
  readonly #pools = new Map<string, Pool>();
  readonly #poolsApart = new Map<string, { readonly pool: Pool; readonly live: string }>();
  readonly #bounds: Bounds;

  constructor(bounds: Partial<Bounds> = {}) {
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  send(origin: string, outgoing: Outgoing): Sent {
    return this.#dispatch(this.#poolOf(origin), outgoing);
  }

  /** Only if no live connection is there; its connections are shared with nothing else. */
  sendApart(origin: string, outgoing: Outgoing, apart: Apart): Sent {
    const live = apart.live().join(" ");
    const known = this.#poolsApart.get(origin);
    if (known?.live === live) return this.#dispatch(known.pool, outgoing);
    const pool = this.#open(origin, connectApart(apart, this.#bounds.connect));
    this.#poolsApart.set(origin, { pool, live });
    // Where its connections lead a live one may go by now; what is on its way ends.
    known?.pool.close().catch(() => undefined);
    return this.#dispatch(pool, outgoing);
  }

  #dispatch(pool: Pool, outgoing: Outgoing): Sent {
    const exchange = new Exchange(this.#bounds.wait);
    pool.dispatch(
      {
        path: outgoing.target,
        method: outgoing.method,
        headers: ["host", outgoing.host, ...outgoing.headers.flat()],
        body: outgoing.body,
        idempotent: false,
      },
      exchange,
    );
    return exchange;
  }

  #poolOf(origin: string): Pool {
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const pool = this.#open(origin, { timeout: this.#bounds.connect });
    this.#pools.set(origin, pool);
    return pool;
  }

  #open(origin: string, connect: NonNullable<Pool.Options["connect"]>): Pool {
    return new Pool(origin, {
      pipelining: 1,
      connections: this.#bounds.connections,
      connect,
      headersTimeout: this.#bounds.headers,
      bodyTimeout: this.#bounds.body,
      // Shorter than any load balancer's: a connection that is about to be closed is not written to.
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 4_000,
      allowH2: false,
    });
  }

  async close(): Promise<void> {
    const apart = [...this.#poolsApart.values()].map(({ pool }) => pool);
    await Promise.all([...this.#pools.values(), ...apart].map((pool) => pool.destroy()));
  }
}

/** Where calls for `host` really go: the connection's endpoint, or the host itself over TLS. */
export const originOf = (connection: Connection, host: string): string =>
  connection.endpoint === undefined ? `https://${host}` : new URL(connection.endpoint).origin;

export const isBroken = (answer: Answer | Broken): answer is Broken => "broken" in answer;

/** Where the calls of a connection can go, whatever host they are for. */
export const originsOf = ({ endpoint, site }: Pick<Connection, "endpoint" | "site">): readonly string[] =>
  endpoint === undefined ? hostsOf(site).map((host) => `https://${host}`) : [new URL(endpoint).origin];

class Exchange implements Dispatcher.DispatchHandler, Sent {
  readonly answered: Promise<Answer | Broken>;
  #answer!: (answer: Answer | Broken) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #body: AnswerBody | null = null;
  #cancelled = false;
  readonly #waiting: NodeJS.Timeout;

  /** `wait`: how long it may take to find a free connection, ms. */
  constructor(wait: number) {
    this.answered = new Promise((resolve) => {
      this.#answer = resolve;
    });
    this.#waiting = setTimeout(() => this.#giveUp("network", `no connection was free within ${wait} ms`), wait);
  }

  cancel(): void {
    if (this.#controller === null) return this.#giveUp("cancelled", "cancelled before it was sent");
    this.#cancelled = true;
    this.#controller.abort(new errors.RequestAbortedError());
  }

  /** Still waiting for a connection: when one comes, it is not used. */
  #giveUp(broken: Broken["broken"], message: string): void {
    clearTimeout(this.#waiting);
    this.#cancelled = true;
    this.#answer({ broken, sent: false, message });
  }

  /** Undici calls this when a connection is there and the first byte is about to be written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#waiting);
    if (this.#cancelled) {
      controller.abort(new errors.RequestAbortedError());
      return;
    }
    this.#controller = controller;
  }

  // oxlint-disable-next-line max-params -- undici's interface
  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason?: string): void {
    if (status < 200) return;
    this.#body = new AnswerBody(controller);
    this.#answer({
      status,
      reason: phrase(reason ?? ""),
      headers: headerList(controller.rawHeaders),
      body: this.#body,
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const timeout = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
    // When the caller stops in the middle of its upload, the word of it comes this way or the other.
    const departed = this.#cancelled || error instanceof RequestAborted;
    const broken: Broken = {
      broken: departed ? "cancelled" : timeout ? "timeout" : "network",
      sent: this.#controller !== null,
      message: describe(error),
    };
    clearTimeout(this.#waiting);
    this.#body?.fail(broken);
    this.#answer(broken);
  }
}

const describe = (error: Error): string => {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return error.message === "" || error.message.includes(code) ? error.message || code : `${code}: ${error.message}`;
};

function headerList(raw: Dispatcher.DispatchController["rawHeaders"]): HeaderList {
  if (!Array.isArray(raw)) throw new TypeError("the answer came without raw header fields");
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) list.push([text(raw[i]), text(raw[i + 1])]);
  return list;
}

/** The bytes of the reason, which undici read as UTF-8; what node:http would refuse to write is left out, for it means nothing (RFC 9112 §4). */
const phrase = (reason: string): string =>
  Buffer.from(reason)
    .toString("latin1")
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "");

/** Header bytes are latin1 on the wire, and node:http writes them back as latin1. */
const text = (field: Buffer | string | undefined): string =>
  typeof field === "string" ? field : (field?.toString("latin1") ?? "");
