/** What the sandbox lets in: keys, hosts, codings, and everything that it honestly does not know. */

import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bothKeys, openSandbox } from "./open.ts";

const monitor = { type: "metric alert", query: "avg(last_5m):avg:a.b{*} > 1", name: "A" };
const logsIntake = { host: "http-intake.logs.datadoghq.com", "dd-api-key": "an-api-key" };

test("answers 404 in Datadog's shape to what it does not know", async () => {
  await using sandbox = await openSandbox();
  for (const path of [
    "/api/v2/rum/applications",
    "/api/v1",
    "/",
    "//evil.example/api/v1/validate",
    "/api/v1/monitor/%zz",
  ]) {
    const { status, json } = await sandbox.ask({
      path,
      headers: { ...bothKeys, host: "api.datadoghq.com" },
    });
    expect([path, status, json]).toEqual([path, 404, { errors: ["Not found"] }]);
  }
  expect((await sandbox.ask({ method: "HEAD", path: "/api/v1/monitor" })).status).toBe(404);
});

test("refuses calls without keys, with half of them, and with others than its own", async () => {
  await using sandbox = await openSandbox({ apiKey: "right", appKey: "right-too" });
  const refusals = [
    {},
    { "dd-api-key": "right" },
    { "dd-api-key": "right", "dd-application-key": "" },
    { "dd-api-key": "wrong", "dd-application-key": "right-too" },
    { "dd-api-key": "right-too", "dd-application-key": "right" },
    { authorization: "Bearer right" },
  ];
  for (const headers of refusals) {
    const { status, json } = await sandbox.ask({ path: "/api/v1/monitor", headers });
    expect([headers, status, json]).toEqual([headers, 403, { errors: ["Forbidden"] }]);
  }
  const right = { "dd-api-key": "right", "dd-application-key": "right-too" };
  expect((await sandbox.ask({ path: "/api/v1/monitor", headers: right })).status).toBe(200);
  expect(
    (await sandbox.ask({ path: "/api/v1/monitor?api_key=right&application_key=right-too", headers: {} })).status,
  ).toBe(200);
});

test("lets in with a key that it gave out itself, until that key is deleted", async () => {
  await using sandbox = await openSandbox({ apiKey: "right", appKey: "right-too" });
  const right = { "dd-api-key": "right", "dd-application-key": "right-too" };
  const made = await sandbox.ask({
    path: "/api/v2/api_keys",
    headers: right,
    body: { data: { type: "api_keys", attributes: { name: "second" } } },
  });
  const headers = { "dd-api-key": made.json.data.attributes.key };
  expect((await sandbox.ask({ path: "/api/v1/validate", headers })).json).toEqual({ valid: true });
  await sandbox.ask({ method: "DELETE", path: `/api/v2/api_keys/${made.json.data.id}`, headers: right });
  expect((await sandbox.ask({ path: "/api/v1/validate", headers })).status).toBe(403);
});

test("serves each route on its own Datadog host only, on any site", async () => {
  await using sandbox = await openSandbox();
  const log = { path: "/api/v2/logs", body: [{ message: "hello" }] };
  const statusOn = async (host: string) => (await sandbox.ask({ ...log, headers: { ...bothKeys, host } })).status;
  expect(await statusOn("http-intake.logs.datadoghq.com")).toBe(202);
  expect(await statusOn("http-intake.logs.us3.datadoghq.com")).toBe(202);
  expect(await statusOn("http-intake.logs.datadoghq.eu:443")).toBe(202);
  expect(await statusOn("api.datadoghq.com")).toBe(404);
  expect(await statusOn("http-intake.logs.datadoghq.com.evil.datadoghq.com")).toBe(404);
  expect(await statusOn("127.0.0.1")).toBe(202);
  const ranges = await sandbox.ask({ path: "/", headers: { host: "ip-ranges.datadoghq.com" } });
  expect([ranges.status, ranges.json.version]).toEqual([200, 1]);
});

test("takes a key in the path and in the query of the logs intake", async () => {
  await using sandbox = await openSandbox({ apiKey: "right", appKey: "right-too" });
  const { host } = logsIntake;
  const send = (path: string) => sandbox.ask({ path, body: "a line\nanother line\n", headers: { host } });
  expect((await send("/v1/input/right")).status).toBe(200);
  expect((await send("/api/v2/logs?dd-api-key=right&ddtags=env:ci")).status).toBe(202);
  expect((await send("/v1/input/wrong")).status).toBe(403);
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
  ["zstd1", zstdCompressSync],
])("reads a body of 5 MB in %s", async (coding, compress) => {
  await using sandbox = await openSandbox();
  const items = Array.from({ length: 500 }, (_, i) => ({ message: `${i} ${"x".repeat(10_000)}`, service: "big" }));
  const headers = { ...logsIntake, "content-type": "application/json", "content-encoding": coding };
  const sent = await sandbox.ask({ path: "/api/v2/logs", body: compress(JSON.stringify(items)), headers });
  expect(sent.status).toBe(202);
  const counted = await sandbox.ask({
    path: "/api/v2/logs/analytics/aggregate",
    body: { compute: [{ aggregation: "count" }], filter: { query: "service:big", from: "now-1m", to: "now" } },
  });
  expect(counted.json.data.buckets).toEqual([{ by: {}, computes: { c0: 500 } }]);
});

test("says what is wrong with a body that it cannot read, and goes on", async () => {
  await using sandbox = await openSandbox();
  const send = (body: Uint8Array | string, coding?: string) =>
    sandbox.ask({
      path: "/api/v1/monitor",
      body,
      headers: { ...bothKeys, "content-type": "application/json", ...(coding && { "content-encoding": coding }) },
    });
  expect((await send("{", undefined)).status).toBe(400);
  expect((await send("", undefined)).json.errors[0]).toContain("Invalid request body");
  expect(await send("not gzip", "gzip")).toMatchObject({
    status: 400,
    json: { errors: ["The body is not valid gzip"] },
  });
  expect(await send("x", "rot13")).toMatchObject({
    status: 415,
    json: { errors: ["Unsupported Content-Encoding: rot13"] },
  });
  expect((await send(gzipSync(Buffer.alloc(65 * 1024 * 1024)), "gzip")).status).toBe(413);
  expect((await send(`{"__proto__": {"polluted": true}, ${JSON.stringify(monitor).slice(1)}`)).status).toBe(200);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("survives a client that goes away in the middle of its request", async () => {
  await using sandbox = await openSandbox();
  const { port } = new URL(sandbox.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(
    "POST /api/v1/monitor HTTP/1.1\r\nHost: x\r\nDD-API-KEY: k\r\nDD-APPLICATION-KEY: a\r\nContent-Length: 99\r\n\r\n{",
  );
  socket.end();
  await text(socket).catch(() => "");
  expect((await sandbox.ask({ path: "/api/v1/validate" })).status).toBe(200);
});

test("takes what datadog-ci and the Agent send, and says no more than an intake does", async () => {
  await using sandbox = await openSandbox();
  const headers = { "dd-api-key": "k", "content-type": "multipart/form-data; boundary=x" };
  const report = {
    path: "/api/v2/cireport",
    body: "--x--",
    headers: { ...headers, host: "cireport-intake.datadoghq.com" },
  };
  expect(await sandbox.ask(report)).toMatchObject({ status: 202, json: {} });
  const commits = await sandbox.ask({ path: "/api/v2/git/repository/search_commits", body: { data: [] } });
  expect(commits.json).toEqual({ data: [] });
});

test("refuses times that are no times, everywhere that it takes one", async () => {
  await using sandbox = await openSandbox();
  const asked = [
    { path: "/api/v1/events", body: { title: "T", text: "", date_happened: 1e300 } },
    { path: "/api/v1/downtime", body: { scope: "*", start: 1e300 } },
    { path: "/api/v1/series", body: { series: [{ metric: "m", points: [[1e300, 1]] }] } },
    { path: "/api/v1/check_run", body: [{ check: "c", host_name: "h", status: 0, timestamp: -1e300 }] },
    { path: "/api/v1/query?from=Infinity&to=Infinity&query=avg:m{*}" },
    { path: `/api/v1/query?from=1&to=2&query=${encodeURIComponent("avg:m{*}.rollup(avg, 0)")}` },
    { path: "/api/v2/logs/events?filter[from]=yesterday" },
  ];
  for (const request of asked) expect([request.path, (await sandbox.ask(request)).status]).toEqual([request.path, 400]);
});

test("answers any JSON at any route with JSON, and never breaks", async () => {
  await using sandbox = await openSandbox();
  const routes = [
    "/api/v1/monitor",
    "/api/v1/monitor/validate",
    "/api/v1/dashboard",
    "/api/v1/dashboard/public",
    "/api/v1/dashboard/lists/manual",
    "/api/v1/downtime",
    "/api/v2/downtime",
    "/api/v1/slo",
    "/api/v1/slo/bulk_delete",
    "/api/v1/slo/correction",
    "/api/v1/events",
    "/api/v2/events",
    "/api/v2/events/search",
    "/api/v1/series",
    "/api/v2/series",
    "/api/v1/distribution_points",
    "/api/v2/query/scalar",
    "/api/v2/query/timeseries",
    "/api/v2/logs",
    "/api/v2/logs/events/search",
    "/api/v2/logs/analytics/aggregate",
    "/api/v1/logs-queries/list",
    "/api/v1/check_run",
    "/api/v2/api_keys",
    "/api/v1/application_key",
    "/api/v2/users",
    "/api/v1/notebooks",
    "/api/v1/integration/webhooks/configuration/webhooks",
  ];
  const names = fc.constantFrom(
    "data",
    "attributes",
    "type",
    "name",
    "query",
    "series",
    "filter",
    "title",
    "__proto__",
  );
  const anything = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(names, tie("tree"), { maxKeys: 4 }),
    ),
  })).tree;
  const property = fc.asyncProperty(fc.constantFrom(...routes), anything, async (path, body) => {
    const { status, json } = await sandbox.ask({ path, body });
    expect(status).toBeLessThan(500);
    expect(json).toBeDefined();
  });
  await fc.assert(property, { seed: 1, numRuns: 500 });
});
