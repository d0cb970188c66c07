/** A sandbox for one test, with a small client that shows exactly what came back. */

import { request as send } from "node:http";
import { createSandbox, type SandboxKeys } from "../../../server/datadog/sandbox/sandbox.ts";

/** JSON as a test reads it: any path may be asked for, and what is not there is undefined where it is compared. */
export type Loose = ReturnType<typeof JSON.parse>;

export type Reply = { readonly status: number; readonly text: string; readonly json: Loose };

export type Ask = {
  readonly method?: string;
  readonly path: string;
  /** Goes out as JSON unless it is bytes or text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type OpenSandbox = AsyncDisposable & {
  readonly url: string;
  ask(request: Ask): Promise<Reply>;
  /** Moves the sandbox's clock. */
  pass(milliseconds: number): void;
};

export const bothKeys = { "dd-api-key": "an-api-key", "dd-application-key": "an-app-key" };

/** An arbitrary moment, so that no test depends on today's date. */
export const noon = Date.UTC(2026, 0, 15, 12);

export const openSandbox = async (keys?: SandboxKeys): Promise<OpenSandbox> => {
  let now = noon;
  const sandbox = createSandbox({ clock: () => new Date(now), chance: createChance(), ...(keys && { keys }) });
  const { url, close } = await sandbox.listen();
  return {
    url,
    ask: (request) => ask(url, request),
    pass: (milliseconds) => {
      now += milliseconds;
    },
    [Symbol.asyncDispose]: close,
  };
};

/** The same ids in every run (mulberry32). */
const createChance = (): (() => number) => {
  let state = 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Not `fetch`: that one sets its own Host and tidies the path. */
const ask = (url: string, { method, path, body, headers = bothKeys }: Ask): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const raw = typeof body === "string" || body instanceof Uint8Array || body === undefined;
    const bytes = raw ? body : JSON.stringify(body);
    const type = raw ? {} : { "content-type": "application/json" };
    const length = bytes === undefined ? {} : { "content-length": String(Buffer.byteLength(bytes)) };
    const request = send(
      { hostname, port, path, method: method ?? (body === undefined ? "GET" : "POST"), agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, text, json: parse(text) });
        });
      },
    );
    for (const [name, value] of Object.entries({ ...type, ...length, ...headers })) request.setHeader(name, value);
    request.on("error", reject);
    request.end(bytes);
  });

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
