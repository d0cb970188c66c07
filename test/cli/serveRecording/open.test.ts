/** The double's port: who is served, and that nothing anybody sends ends it or gets out. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WrongUsage } from "../../../server/cli/api.ts";
import { openDouble, type OpenDouble, type OpenRequest } from "../../../server/cli/serveRecording/open.ts";
import { report } from "../../../server/cli/serveRecording/report.ts";
import { send } from "../../standins/send.ts";
import { bodyJson, callOf, writeLines } from "./files.ts";

let folder: string;
let file: string;
const open: OpenDouble[] = [];
const log: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-open-test-"));
  file = writeLines(join(folder, "export.jsonl"), [
    callOf(1, { operation: "v1.AuthenticationApi.Validate", path: "/api/v1/validate" }, '{"valid":true}'),
    callOf(2, {
      method: "POST",
      access: "write",
      path: "/api/v1/monitor",
      request: { headers: [], body: bodyJson('{"name":"n"}') },
    }),
    callOf(3, {
      method: "POST",
      access: "submit",
      host: "http-intake.logs.datadoghq.com",
      path: "/api/v2/logs",
      request: { headers: [], body: bodyJson("[]") },
    }),
  ]);
  log.length = 0;
});
afterEach(async () => {
  for (const double of open.splice(0)) await double.close();
  rmSync(folder, { recursive: true });
});

const opened = async (request: OpenRequest = {}, env: NodeJS.ProcessEnv = {}): Promise<OpenDouble> => {
  const double = await openDouble(file, request, { env, log: (line) => log.push(line) });
  open.push(double);
  return double;
};

/** Bytes as they are, and everything that comes back. */
const raw = (url: string, text: string | Buffer): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
    let got = "";
    socket.on("data", (piece) => (got += piece.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(got));
  });

describe("clients", () => {
  test("are served at a base URL, by host, and as a proxy for TLS", async () => {
    const { url, environment } = await opened();
    expect((await send(url, { target: "/api/v1/validate?api_key=anything" })).body.toString()).toBe('{"valid":true}');
    const logs = { method: "POST", body: Buffer.from("[]") };
    for (const target of ["/api/v2/logs", "/proxy/http-intake.logs.datadoghq.com/api/v2/logs"])
      expect((await send(url, { ...logs, target })).header("dogwatch-call")).toMatch(/\/3$/);
    const curl = async (...args: string[]) =>
      (await promisify(execFile)("curl", ["-sS", ...args], { env: { PATH: process.env["PATH"], ...environment } }))
        .stdout;
    expect(await curl("https://api.datadoghq.com/api/v1/validate")).toBe('{"valid":true}');
    expect(await curl("-d", "[]", "https://http-intake.logs.datadoghq.com/api/v2/logs")).toBe('{"n":3}');
    expect(await curl("https://api.datadoghq.eu/api/v1/validate")).toContain(
      'host: recorded \\"api.datadoghq.com\\", sent \\"api.datadoghq.eu\\"',
    );
    expect(JSON.stringify(environment)).not.toContain("real");
  });

  test("of other hosts are passed on, and nothing that is Datadog's gets out, whatever was exempt from a proxy before", async () => {
    const other = createServer((_request, response) => response.end("the other host")).listen(0, "127.0.0.1");
    const { url, environment } = await opened({}, { NO_PROXY: "*" });
    expect(environment["NO_PROXY"]).toBe("127.0.0.1,localhost,::1");
    const place = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const through = await raw(
      url,
      `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(through).toContain("the other host");
    other.close();
    const long = await raw(url, `CONNECT ${"x".repeat(50_000)}.datadoghq.com:443 HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(long).toMatch(/^HTTP\/1\.1 403 Forbidden/);
    expect(log.at(-1)?.length).toBeLessThan(300);
    const refused = await raw(url, "CONNECT logs.browser-intake.datadoghq.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(refused).toMatch(/^HTTP\/1\.1 403 Forbidden/);
    expect(log.at(-1)).toContain("nothing is sent to Datadog here");
    // A resolver reads a dot at the end as the whole name (RFC 1034 §3.1).
    for (const host of ["logs.browser-intake.datadoghq.com.", "DATADOGHQ.eu.", "x.ddog-gov.com.."])
      expect(await raw(url, `CONNECT ${host}:443 HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 Forbidden/);
    expect(await raw(url, "CONNECT api.datadoghq.com.:443 HTTP/1.1\r\nHost: x\r\n\r\nx\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 200 Connection Established/,
    );
  });

  test("that do not trust its certificate are told of, and were not asked anything", async () => {
    const { environment, served } = await opened();
    const curl = promisify(execFile)("curl", ["-sS", "https://api.datadoghq.com/api/v1/validate"], {
      env: { PATH: process.env["PATH"], HTTPS_PROXY: environment["HTTPS_PROXY"] },
    });
    await expect(curl).rejects.toThrow(/certificate/);
    await expect.poll(() => log.join("\n")).toMatch(/a client gave up TLS: .*trust/);
    expect(served().asked.requests).toBe(0);
  });

  test("reach it from this machine only, and two have no port in common", async () => {
    const { url } = await opened();
    const { port } = new URL(url);
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4");
    if (outside !== undefined)
      await expect(fetch(`http://${outside.address}:${port}/api/v1/validate`)).rejects.toThrow("fetch failed");
    await expect(openDouble(file, { port }, { env: {}, log: () => undefined })).rejects.toThrow(
      `port ${port} cannot be had`,
    );
  });

  test.each<[OpenRequest, RegExp]>([
    [{ port: "70000" }, /--port is a number up to 65535/],
    [{ port: "x" }, /--port is a number/],
    [{ strict: true, loose: true }, /either --strict or --loose/],
  ])("%j is wrong usage", async (request, says) => {
    const failed = opened(request);
    await expect(failed).rejects.toThrow(WrongUsage);
    await expect(failed).rejects.toThrow(says);
  });
});

describe("hostile requests", () => {
  test("are refused in Datadog's shape, counted, and the next one is served", async () => {
    const { url, served } = await opened();
    const long = await raw(url, `GET /${"a".repeat(2 ** 20)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    // The rest of it may be in flight when the connection ends; who reads sees why.
    expect(long === "" || /^HTTP\/1\.1 400 .*"errors":\["dogwatch: .*larger than 128 KiB/s.test(long)).toBe(true);
    expect(await raw(url, "no HTTP at all\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 .*dogwatch-error: request_malformed.*not valid HTTP/s,
    );
    expect(
      await raw(
        url,
        "POST /api/v1/monitor HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ),
    ).toMatch(/^HTTP\/1\.1 400/);
    for (const body of [
      "{",
      '{"a":1,"a":2}',
      "\0",
      '{"__proto__":{"n":1}}',
      "[".repeat(200_000),
      `{"n":${"9".repeat(500)}}`,
    ]) {
      const answer = await send(url, { method: "POST", target: "/api/v1/monitor", body: Buffer.from(body) });
      expect(answer.status).toBe(403);
      expect(answer.errors?.[0]).toContain("was not recorded; the closest is call 2");
    }
    const bomb = await send(url, {
      method: "POST",
      target: "/api/v1/monitor",
      headers: [["Content-Encoding", "gzip, gzip, gzip"]],
      body: Buffer.from("x"),
    });
    expect(bomb.status).toBe(403);
    const encoded = await send(url, { target: "/api/v1/%00%ff%2e%2e/%" });
    expect(encoded.status).toBe(403);
    expect((await send(url, { target: "/api/v1/validate" })).status).toBe(200);
    expect(served().asked.unansweredCount).toBeGreaterThanOrEqual(10);
  });

  test("a body over 64 MiB is let go by, and its sender hears why", { timeout: 120_000 }, async () => {
    const { url } = await opened();
    const answer = await send(url, {
      method: "POST",
      target: "/api/v1/monitor",
      body: Buffer.alloc(65 * 2 ** 20, "x"),
    });
    expect(answer.status).toBe(413);
    expect(answer.errors?.[0]).toContain("larger than 67108864 bytes");
    expect((await send(url, { target: "/api/v1/validate" })).status).toBe(200);
  });

  test("a page on the web whose name leads here reads nothing", async () => {
    const { url } = await opened();
    const headers = [["Host", "evil.example"]] as const;
    const answer = await send(url, { target: "/api/v1/validate", headers });
    expect(answer).toMatchObject({
      status: 403,
      errors: [expect.stringContaining("evil.example is neither this machine nor")],
    });
    expect(answer.header("dogwatch-error")).toBe("host_not_allowed");
    for (const host of ["localhost", "127.0.0.1:1", "[::1]:2", "api.datadoghq.com"])
      expect((await send(url, { target: "/api/v1/validate", headers: [["Host", host]] })).status).toBe(200);
  });

  test("a client that goes away in the middle leaves nothing behind", async () => {
    const { url } = await opened();
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
      socket.write("POST /api/v1/monitor HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
      socket.destroy();
    });
    await new Promise((closed) => socket.once("close", closed));
    expect((await send(url, { target: "/api/v1/validate" })).status).toBe(200);
  });
});

test("10,000 recorded calls in a file are served, and what is not there is told", { timeout: 120_000 }, async () => {
  const many = Array.from({ length: 10_000 }, (_, i) =>
    callOf(i + 1, {
      method: "PUT",
      access: "write",
      operation: "v1.MonitorsApi.UpdateMonitor",
      path: `/api/v1/monitor/${i}`,
      request: {
        headers: [],
        body: bodyJson(JSON.stringify({ name: `n${i}`, priority: i % 5, message: "m".repeat(1_000) })),
      },
    }),
  );
  file = writeLines(join(folder, "many.jsonl"), many);
  const { url, served } = await opened();
  const put = (i: number, body: object) =>
    send(url, { method: "PUT", target: `/api/v1/monitor/${i}`, body: Buffer.from(JSON.stringify(body)) });
  for (let i = 0; i < 10_000; i += 500)
    expect((await put(i, { name: `n${i}`, priority: i % 5, message: "m".repeat(1_000) })).body.toString()).toBe(
      `{"n":${i + 1}}`,
    );
  for (let i = 0; i < 10_000; i += 500)
    expect((await put(i, { name: "other", priority: i % 5, message: "m".repeat(1_000) })).errors?.[0]).toContain(
      `closest is call ${i + 1} (v1.MonitorsApi.UpdateMonitor): body.name: recorded "n${i}", sent "other"`,
    );
  const { exitCode, output } = report(served(), undefined);
  expect(exitCode).toBe(1);
  expect(output).toContain("40 requests, 20 answered, 20 not\n");
  expect(output).toContain("9980 of 10,000 recorded calls never asked for:");
  expect(output).toContain("and 9,930 calls more: --json has all");
  expect(output.length).toBeLessThan(30_000);
});

test("nothing is left of it when it is closed", async () => {
  vi.stubEnv("TMPDIR", folder);
  const double = await openDouble(file, {}, { env: {}, log: () => undefined });
  expect(readdirSync(folder)).toHaveLength(2);
  await double.close();
  expect(readdirSync(folder)).toEqual(["export.jsonl"]);
  await expect(fetch(double.url)).rejects.toThrow("fetch failed");
});

test("a report shows nothing that moves a terminal", async () => {
  writeLines(file, [callOf(1, { operation: "a\u001b[2Jb", path: "/x\u202e\n::set-output" })]);
  const { served } = await opened();
  expect(report(served(), undefined).output).toMatch(
    /^.*\n1 of 1 recorded call never asked for:\n {2}call 1 {2}a\?\[2Jb {2}GET \/x\?\?::set-output\n$/,
  );
});
