/** What counts as the same request: method, host, path, query and body, and what is set aside of them. */

import { createHash } from "node:crypto";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { doubleOf } from "./recorded.ts";

const monitor = { name: "CPU", options: { thresholds: { critical: 90 } }, tags: ["a", "b"] };

describe("the address", () => {
  test("every way to a host leads to its calls, and keys in any slot are no part of them", async () => {
    const { ask } = await doubleOf([
      { call: "GET /api/v1/validate" },
      { call: "POST /api/v2/logs", host: "http-intake.logs.datadoghq.com", sent: [{ message: "x" }] },
      { call: "POST /v1/input/{api_key}", host: "http-intake.logs.datadoghq.com", sent: "a line" },
    ]);
    const keys = [
      ["DD-API-KEY", "real-secret-1"],
      ["DD-APPLICATION-KEY", "real-secret-2"],
      ["Authorization", "Bearer real-secret-3"],
    ] as const;
    expect((await ask("GET /api/v1/validate", { headers: keys })).n).toBe(1);
    expect((await ask("GET /api/v1/validate?api_key=real-secret-4&application_key=x")).n).toBe(1);
    expect((await ask("GET /proxy/api.datadoghq.com/api/v1/validate")).n).toBe(1);
    expect((await ask("GET /api/v1/validate", { host: "api.datadoghq.com" })).n).toBe(1);
    // A base URL says no host: the call is found wherever it was.
    expect((await ask("POST /api/v2/logs", { body: [{ message: "x" }] })).n).toBe(2);
    expect((await ask("POST /proxy/http-intake.logs.datadoghq.com/api/v2/logs", { body: [{ message: "x" }] })).n).toBe(
      2,
    );
    expect((await ask("POST /v1/input/real-secret-5", { body: "a line" })).n).toBe(3);
    const other = await ask("POST /proxy/api.datadoghq.com/api/v2/logs", { body: [{ message: "x" }] });
    expect(other).toMatchObject({ status: 403, code: "not_recorded" });
    expect(other.errors[0]).toContain('host: recorded "http-intake.logs.datadoghq.com", sent "api.datadoghq.com"');
  });

  test("a path has one meaning, however it is spelled", async () => {
    const { ask } = await doubleOf([{ call: "GET /api/v2/users/a%40b" }, { call: "GET /api/v1/monitor" }]);
    expect((await ask("GET /api/v2/users/a@b")).n).toBe(1);
    expect((await ask("GET /api/v1/monitor/")).n).toBe(2);
    expect((await ask("GET /api/v1/MONITOR")).code).toBe("not_recorded");
    expect((await ask("GET /api/v1//monitor")).code).toBe("not_recorded");
    expect((await ask("HEAD /api/v1/monitor")).code).toBe("not_recorded");
  });

  test("the order of a query says nothing, a name that stands twice does", async () => {
    const { ask } = await doubleOf([{ call: "GET /api/v1/monitor?page=0&tag=a&tag=b&name=x%20y" }]);
    expect((await ask("GET /api/v1/monitor?name=x+y&tag=b&page=0&tag=a")).n).toBe(1);
    const once = await ask("GET /api/v1/monitor?name=x+y&tag=b&page=0");
    expect(once.errors[0]).toContain('query.tag: recorded a list of 2, sent "b"');
    const more = await ask("GET /api/v1/monitor?page=1&tag=a&tag=b&name=x%20y&more");
    expect(more.errors[0]).toContain('query.page: recorded "0", sent "1"; query.more: not recorded, sent ""');
  });
});

describe("the body", () => {
  test("is compared by value: members in any order, numbers to their last digit", async () => {
    const { ask } = await doubleOf([
      { call: "POST /api/v1/monitor", sent: monitor },
      { call: "POST /api/v1/slo/bulk_delete", sent: '{"id":9007199254740993,"f":1.50}' },
    ]);
    const turned = { tags: ["a", "b"], options: { thresholds: { critical: 90 } }, name: "CPU" };
    expect((await ask("POST /api/v1/monitor", { body: turned })).n).toBe(1);
    expect(
      (
        await ask("POST /api/v1/monitor", {
          body: '{"name":"CPU","tags":["a","b"],"options":{"thresholds":{"critical":9.0e1}}}',
        })
      ).n,
    ).toBe(1);
    expect((await ask("POST /api/v1/slo/bulk_delete", { body: '{"f":1.5,"id":9007199254740993}' })).n).toBe(2);
    const near = await ask("POST /api/v1/slo/bulk_delete", { body: '{"f":1.5,"id":9007199254740992}' });
    expect(near.errors[0]).toContain("body.id: recorded 9007199254740993, sent 9007199254740992");
    const list = await ask("POST /api/v1/monitor", { body: { ...monitor, tags: ["b", "a"] } });
    expect(list.errors[0]).toContain('body.tags[0]: recorded "a", sent "b"; body.tags[1]: recorded "b", sent "a"');
  });

  test("is compared without its coding", async () => {
    const { ask } = await doubleOf([
      { call: "POST /api/v2/series", sent: { content: gzipSync(JSON.stringify(monitor)), encoding: "gzip" } },
    ]);
    const text = JSON.stringify(monitor);
    for (const [encoding, body] of [
      ["gzip", gzipSync(text)],
      ["deflate", deflateSync(text)],
      ["zstd", zstdCompressSync(text)],
      ["zstd1", zstdCompressSync(text)],
    ] as const)
      expect((await ask("POST /api/v2/series", { body, encoding })).n).toBe(1);
    expect((await ask("POST /api/v2/series", { body: text })).n).toBe(1);
    const broken = await ask("POST /api/v2/series", { body: Buffer.from("no gzip"), encoding: "gzip" });
    expect(broken.code).toBe("not_recorded");
  });

  test("a form is pairs, a multipart form its parts, lines of JSON a list, and the rest its bytes", async () => {
    const part = (boundary: string, value: string) =>
      `--${boundary}\r\ncontent-disposition: form-data; name="event"; filename="event.json"\r\n\r\n{"a":${value}}\r\n--${boundary}--\r\n`;
    const { ask } = await doubleOf([
      { call: "POST /x/form", sent: { content: "b=2&a=1&a=0", type: "application/x-www-form-urlencoded" } },
      { call: "POST /x/parts", sent: { content: part("one", "1"), type: "multipart/form-data; boundary=one" } },
      { call: "POST /x/lines", sent: { content: '{"a":1}\n{"b":2}\n', type: "application/x-ndjson" } },
      { call: "POST /x/bytes", sent: { content: Buffer.from([0xff, 0]), type: "application/x-protobuf" } },
      { call: "POST /x/bad", sent: '{"a":1,"a":2}' },
    ]);
    expect((await ask("POST /x/form", { body: "a=0&a=1&b=2", type: "application/x-www-form-urlencoded" })).n).toBe(1);
    expect((await ask("POST /x/parts", { body: part("two", " 1"), type: "multipart/form-data; boundary=two" })).n).toBe(
      2,
    );
    const parts = await ask("POST /x/parts", { body: part("two", "2"), type: "multipart/form-data; boundary=two" });
    expect(parts.errors[0]).toContain("body[0].value.a: recorded 1, sent 2");
    expect((await ask("POST /x/lines", { body: '{"a":1}\n\n{"b": 2}', type: "application/x-ndjson" })).n).toBe(3);
    expect((await ask("POST /x/bytes", { body: Buffer.from([0xff, 0]) })).n).toBe(4);
    const bytes = await ask("POST /x/bytes", { body: Buffer.from([0xff, 1]) });
    expect(bytes.errors[0]).toContain(
      createHash("sha256")
        .update(Buffer.from([0xff, 1]))
        .digest("hex"),
    );
    // A name twice: of two readers each may take another one, so it is the very text or nothing.
    expect((await ask("POST /x/bad", { body: '{"a":1,"a":2}' })).n).toBe(5);
    expect((await ask("POST /x/bad", { body: '{"a":1, "a":2}' })).code).toBe("not_recorded");
    expect((await ask("POST /x/bad", { body: '{"a":2}' })).errors[0]).toContain(
      'content: recorded "text", sent "JSON"',
    );
  });
});

describe("times", () => {
  const calls = [
    { call: "GET /api/v1/query?from=1700000000&to=1700000900&query=avg:x" },
    {
      call: "POST /api/v2/logs/events/search",
      sent: { filter: { from: "now-15m", to: "now", query: "q" }, page: { limit: 5 } },
    },
    { call: "POST /api/v1/series", sent: { series: [{ metric: "m", points: [[1700000000, 1.5]] }] } },
    { call: "GET /api/v1/dashboard?start=0&count=10" },
  ];

  test("by these names may be others, and nothing else may", async () => {
    const { ask, double } = await doubleOf(calls);
    expect((await ask("GET /api/v1/query?from=1800000000&to=1800000900&query=avg:x")).n).toBe(1);
    expect((await ask("GET /api/v1/query?from=1800000000&to=1800000900&query=avg:y")).errors[0]).toMatch(
      / query\.query: recorded "avg:x", sent "avg:y"$/,
    );
    const search = {
      filter: { from: "2026-05-04T03:00:00Z", to: "2026-05-04T03:15:00Z", query: "q" },
      page: { limit: 5 },
    };
    expect((await ask("POST /api/v2/logs/events/search", { body: search })).n).toBe(2);
    expect(
      (await ask("POST /api/v1/series", { body: { series: [{ metric: "m", points: [[1800000000, 1.5]] }] } })).n,
    ).toBe(3);
    const value = await ask("POST /api/v1/series", {
      body: { series: [{ metric: "m", points: [[1800000000, 2.5]] }] },
    });
    expect(value.errors[0]).toMatch(/: body\.series\[0\]\.points\[0\]\[1\]: recorded 1\.5, sent 2\.5$/);
    // The same name, and a page.
    expect((await ask("GET /api/v1/dashboard?start=10&count=10")).errors[0]).toContain(
      'query.start: recorded "0", sent "10"',
    );
    expect((await ask("GET /api/v1/query?from=yesterday&to=1800000900&query=avg:x")).code).toBe("not_recorded");
    expect(double.asked).toMatchObject({ alike: 3, unansweredCount: 4 });
  });

  test("are values like any other with --strict", async () => {
    const { ask } = await doubleOf(calls, "exact");
    expect((await ask("GET /api/v1/query?from=1700000000&to=1700000900&query=avg:x")).n).toBe(1);
    expect((await ask("GET /api/v1/query?from=1700000001&to=1700000900&query=avg:x")).errors[0]).toMatch(
      /: query\.from: recorded "1700000000", sent "1700000001"$/,
    );
  });
});

test("--loose wants the same keys and types, and takes the one that is equal where there is one", async () => {
  const { ask, double } = await doubleOf(
    [
      { call: "POST /api/v1/monitor?a=1", sent: monitor },
      { call: "POST /api/v1/monitor?a=2", sent: { ...monitor, name: "Disk" } },
    ],
    "shape",
  );
  expect((await ask("POST /api/v1/monitor?a=2", { body: { ...monitor, name: "Disk" } })).n).toBe(2);
  expect(double.asked.alike).toBe(0);
  expect((await ask("POST /api/v1/monitor?a=9", { body: { ...monitor, name: "New", tags: ["one"] } })).n).toBe(1);
  expect((await ask("POST /api/v1/monitor?b=9", { body: monitor })).code).toBe("not_recorded");
  const type = await ask("POST /api/v1/monitor?a=1", {
    body: { ...monitor, options: { thresholds: { critical: "90" } } },
  });
  expect(type.errors[0]).toContain('body.options.thresholds.critical: recorded 90, sent "90"');
  expect((await ask("POST /api/v1/monitor?a=1", { body: { ...monitor, extra: null } })).errors[0]).toContain(
    "body.extra: not recorded, sent null",
  );
});
