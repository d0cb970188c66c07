/** Sends one request exactly as told and reads its answer whole: raw target, raw header fields, raw bytes. */

import { Agent, request } from "node:http";

export type Sent = {
  readonly method?: string;
  /** Request target, byte for byte. */
  readonly target: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
};

export type Received = {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
  header(name: string): string | null;
  readonly body: Buffer;
  /** Datadog's error shape, or null. */
  readonly errors: readonly string[] | null;
};

/** No connection is used again after so long, ms, for the other side may be about to close it. */
const idle = 4_000;
const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: idle });

export function send(url: string, sent: Sent): Promise<Received> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = (sent.headers ?? []).flat();
    if (!headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === "host"))
      headers.push("Host", `${hostname}:${port}`);
    if (
      sent.body !== undefined &&
      !headers.some((name, i) => i % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(name))
    )
      headers.push("Content-Length", String(sent.body.length));
    const outgoing = request(
      { hostname, port, agent, method: sent.method ?? "GET", path: sent.target, headers, setHost: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve(received(response.statusCode ?? 0, response, Buffer.concat(chunks))));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(sent.body);
  });
}

function received(
  status: number,
  response: { statusMessage?: string | undefined; rawHeaders: string[] },
  body: Buffer,
): Received {
  const { rawHeaders } = response;
  return {
    status,
    reason: response.statusMessage ?? "",
    rawHeaders,
    body,
    header: (name) => {
      const at = rawHeaders.findIndex((field, i) => i % 2 === 0 && field.toLowerCase() === name);
      return at === -1 ? null : (rawHeaders[at + 1] ?? "");
    },
    errors: errorsIn(body),
  };
}

function errorsIn(body: Buffer): readonly string[] | null {
  try {
    return (JSON.parse(body.toString()) as { errors?: string[] }).errors ?? null;
  } catch {
    return null;
  }
}

/** Calls `act` for every item, `width` at a time; the first failure fails all. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  act: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, async () => {
      for (let i = next++; i < items.length; i = next++) await act(items[i] as T, i);
    }),
  );
}
