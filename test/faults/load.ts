/** Reads and writes of several sessions, small and large, that go on whatever happens, and what became of each of them. */

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Received, send } from "../standins/send.ts";
import type { Answerer } from "../standins/upstream.ts";
import { headerOf } from "../standins/upstream.ts";

/** Larger than what travels inside a receipt. */
const large = 200 * 1024;

const kinds = {
  read: { method: "GET", target: "/api/v1/monitor", size: null },
  "large read": { method: "GET", target: "/api/v1/dashboard", size: null },
  write: { method: "POST", target: "/api/v1/monitor", size: 64 },
  "large write": { method: "POST", target: "/proxy/http-intake.logs.datadoghq.com/api/v2/logs", size: large },
  "chunked write": { method: "POST", target: "/api/v1/dashboard", size: 64 },
} as const;
type Kind = keyof typeof kinds;

/** In this order, over and over: small calls are what there is most of. */
const turns: readonly Kind[] = ["read", "write", "read", "chunked write", "write", "large read", "read", "large write"];

/** One request, sent once. */
export type Sending = {
  readonly name: string;
  readonly session_id: string;
  readonly reads: boolean;
  /** Null until there is an answer with a proper end, and for good when there was none. */
  answer: Answer | null;
  /** ms until the answer, or until the connection broke. */
  took: number | null;
};

export type Answer = {
  readonly status: number;
  /** `dogwatch-error`; null when it is the upstream's answer. */
  readonly code: string | null;
  /** `dogwatch-call` */
  readonly call: string | null;
  /** Hex, of the whole body. */
  readonly sha256: string;
};

/** Answers with the name it was sent; one in seven takes its time, so that faults find calls on their way. */
export const answerLoad: Answerer = async (request) => {
  const name = headerOf(request, "x-name") ?? "";
  if (Number(name.slice(name.lastIndexOf("-") + 1)) % 7 === 0) await sleep(250);
  const headers = [["Content-Type", "application/json"]] as const;
  if (request.url.startsWith("/api/v1/monitor") || request.url.includes("logs"))
    return {
      status: 200,
      headers: [...headers, ["Content-Length", String(named(name, 64).length)]],
      body: named(name, 64),
    };
  const body = named(name, large);
  if (request.method === "GET") return { status: 200, headers: [...headers, ["Content-Length", String(large)]], body };
  return { status: 200, headers, body: inPieces(body) };
};

const named = (name: string, size: number): Buffer => Buffer.from(JSON.stringify({ name }).padEnd(size));

async function* inPieces(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += 32 * 1024) yield body.subarray(at, at + 32 * 1024);
}

export type LoadSession = { readonly session_id: string; readonly access_token: string };

export class Load {
  readonly sendings: Sending[] = [];
  readonly #url: () => string;
  readonly #prefix: string;
  #stopped = false;
  #workers: Promise<unknown> = Promise.resolve();

  /** `prefix` makes the names of this load its own. */
  constructor(url: () => string, prefix: string) {
    this.#url = url;
    this.#prefix = prefix;
  }

  /** `width` calls of each session at a time, until it is stopped. */
  start(sessions: readonly LoadSession[], width: number): void {
    this.#workers = Promise.all(
      sessions.flatMap((session) => Array.from({ length: width }, () => this.#work(session))),
    );
  }

  /** Resolves when the last call has its answer, or none. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#workers;
  }

  /** One call of the load's next kind. */
  async call(session: LoadSession): Promise<Sending> {
    const number = this.sendings.length;
    const { method, target, size } = kinds[turns[number % turns.length] ?? "read"];
    const name = `${this.#prefix}-${number}`;
    const sending: Sending = {
      name,
      session_id: session.session_id,
      reads: method === "GET",
      answer: null,
      took: null,
    };
    this.sendings.push(sending);
    const started = performance.now();
    const received = await send(this.#url(), {
      method,
      target,
      headers: [
        ["DD-API-KEY", session.access_token],
        ["X-Name", name],
        ["Content-Type", "application/json"],
      ],
      ...(size === null ? {} : { body: named(name, size) }),
    }).catch(() => null);
    sending.took = performance.now() - started;
    sending.answer = received === null ? null : answerOf(received);
    return sending;
  }

  async #work(session: LoadSession): Promise<void> {
    while (!this.#stopped) {
      const { answer } = await this.call(session);
      // Nobody hammers a gateway that is away.
      if (answer?.status !== 200) await sleep(20);
    }
  }
}

const answerOf = (received: Received): Answer => ({
  status: received.status,
  code: received.header("dogwatch-error"),
  call: received.header("dogwatch-call"),
  sha256: createHash("sha256").update(received.body).digest("hex"),
});
