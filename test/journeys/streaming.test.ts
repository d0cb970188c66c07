/** Large bodies pass in flat memory, at the pace of the slower side, and a caller that leaves takes the upstream call with it. */

import { createHash } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startGatewayProcess } from "../standins/gatewayProcess.ts";
import { headerOf } from "../standins/upstream.ts";
import { type Scene, type Visit, startScene, visit } from "../standins/world.ts";

const MiB = 1024 * 1024;
const download = 200 * MiB;
const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

let scene: Scene;
let gateway: GatewayProcess;
let seen: Visit;
/** Bytes the upstream has written of the answer that never ends. */
let written = 0;
let token: string;
let session: string;

beforeAll(async () => {
  scene = await startScene(
    (asked) => {
      if (asked.url.startsWith("/api/v1/monitor"))
        return { status: 200, headers: [["Content-Length", String(download)]], body: pieces(download) };
      if (asked.url.startsWith("/api/v1/dashboard")) return { status: 200, body: endless() };
      return { status: 202, body: "{}" };
    },
    { upstream: { keep: "digests" } },
  );
  gateway = await startGatewayProcess(scene.file);
  seen = visit(gateway.url, scene.issuer);
  ({ access_token: token, session_id: session } = await seen.openSession());
  // What the first calls load stays loaded: it is not growth.
  await fetchDigest("/api/v1/slo");
});

afterAll(async () => {
  await gateway?.kill("SIGKILL");
  await scene?.close();
});

test("a 200 MB answer and a 50 MB upload take less than 64 MB above idle", async () => {
  // What is made once, at the first body that is looked through, is no part of what a body takes.
  const first = await fetch(`${gateway.url}/api/v2/series`, {
    method: "POST",
    headers: { "dd-api-key": token },
    body: Buffer.concat([piece, piece, piece, piece]),
  });
  expect(first.status).toBe(202);
  await first.arrayBuffer();
  const idle = gateway.memory().now;

  const got = await fetchDigest("/api/v1/monitor");
  expect(got).toEqual({ status: 200, size: download, sha256: digestOfDownload() });

  const upload = Buffer.concat(Array.from({ length: 800 }, () => piece));
  const response = await fetch(`${gateway.url}/api/v2/series`, {
    method: "POST",
    headers: { "dd-api-key": token },
    body: upload,
  });
  expect(response.status).toBe(202);
  await response.arrayBuffer();
  expect(scene.upstream.requests.at(-1)).toMatchObject({
    size: upload.length,
    sha256: createHash("sha256").update(upload).digest("hex"),
  });

  const calls = await seen.calls(session);
  const [answer, sent] = calls.slice(-2);
  expect(answer?.response?.body).toMatchObject({ size: download, truncated: true });
  expect(sent?.request.body).toMatchObject({
    size: upload.length,
    truncated: false,
    sha256: createHash("sha256").update(upload).digest("hex"),
  });

  expect((gateway.memory().peak - idle) / MiB).toBeLessThan(64);
}, 120_000);

test("a slow reader holds back the upstream, and leaving cancels it and is recorded", async () => {
  written = 0;
  const outgoing = request(`${gateway.url}/api/v1/dashboard`, { headers: { "dd-api-key": token } });
  outgoing.on("error", () => undefined);
  const paused = await new Promise<IncomingMessage>((resolve) => {
    outgoing.on("response", resolve).end();
  });
  paused.on("error", () => undefined);
  paused.pause();
  const stalled = await settled(() => written);
  // Socket buffers on two hops and what waits in the process: far less than an endless answer.
  expect(stalled).toBeLessThan(32 * MiB);

  outgoing.destroy();
  const upstreamCall = scene.upstream.requests.find(({ url }) => url.startsWith("/api/v1/dashboard"));
  await new Promise<void>((resolve) => {
    if (upstreamCall?.gone.aborted) resolve();
    else upstreamCall?.gone.addEventListener("abort", () => resolve());
  });
  const call = await until(async () =>
    (await seen.calls(session)).find((one) => one.path === "/api/v1/dashboard" && one.state !== "open"),
  );
  expect(call).toMatchObject({ state: "closed", error_code: "client_disconnected", status: 200 });
});

test("a caller that leaves before the answer begins leaves a closed receipt too", async () => {
  const outgoing = request(`${gateway.url}/api/v1/monitor`, { method: "GET", headers: { "dd-api-key": token } });
  outgoing.on("error", () => undefined);
  const before = scene.upstream.requests.length;
  outgoing.end();
  await scene.upstream.received(before + 1);
  outgoing.destroy();
  const call = await until(async () =>
    (await seen.calls(session)).findLast(
      (one) => one.path === "/api/v1/monitor" && one.error_code === "client_disconnected",
    ),
  );
  expect(call.state).toBe("closed");
  expect(headerOf(scene.upstream.requests.at(-1) ?? { rawHeaders: [] }, "dd-api-key")).not.toBe(token);
});

async function* pieces(length: number): AsyncGenerator<Buffer> {
  for (let left = length; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) {
    written += piece.length;
    yield piece;
  }
}

function digestOfDownload(): string {
  const hash = createHash("sha256");
  for (let left = download; left > 0; left -= piece.length)
    hash.update(piece.subarray(0, Math.min(left, piece.length)));
  return hash.digest("hex");
}

async function fetchDigest(path: string): Promise<{ status: number; size: number; sha256: string }> {
  const response = await fetch(gateway.url + path, { headers: { "dd-api-key": token } });
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of response.body ?? []) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { status: response.status, size, sha256: hash.digest("hex") };
}

/** The value once it has stopped changing. */
async function settled(value: () => number): Promise<number> {
  for (let last = -1, same = 0; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    same = value() === last ? same + 1 : 0;
    last = value();
  }
  return value();
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
