/** What is answered: status, header fields and bytes as they were given, or why they cannot be. */

import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { doubleOf } from "./recorded.ts";

test("bytes, status and header fields as Datadog gave them, without those of another connection", async () => {
  const gave = '{"id": 9007199254740993,\n "x": 1.0}';
  const { ask } = await doubleOf([
    {
      call: "GET /api/v1/monitor/1",
      status: 404,
      gave,
      headers: [
        ["Content-Type", "application/json;charset=utf-8"],
        ["X-RateLimit-Remaining", "99"],
        ["x-ratelimit-remaining", "98"],
        ["Transfer-Encoding", "chunked"],
        ["Connection", "close, x-hop"],
        ["X-Hop", "1"],
        ["Content-Length", "3"],
        ["Set-Cookie", "[masked]"],
        ["Alt-Svc", 'h3=":443"'],
        ["bad name", "x"],
        ["x-bad", "a\r\nb: c"],
      ],
    },
  ]);
  const told = await ask("GET /api/v1/monitor/1");
  expect(told).toMatchObject({ status: 404, text: gave, n: 1, code: null });
  expect([...told.headers].toSorted(([one], [other]) => (one < other ? -1 : 1))).toEqual([
    ["content-length", String(gave.length)],
    ["content-type", "application/json;charset=utf-8"],
    ["dogwatch-call", expect.stringMatching(/\/1$/)],
    ["x-ratelimit-remaining", "98"],
  ]);
});

test("a coding goes to whoever takes it, byte for byte, and is taken off for others", async () => {
  const bytes = gzipSync('{"packed":true}');
  const { ask } = await doubleOf([{ call: "GET /x", gave: { content: bytes, encoding: "gzip" } }]);
  const packed = await ask("GET /x", { headers: [["Accept-Encoding", "deflate, gzip;q=0.5"]] });
  expect(packed.body).toEqual(bytes);
  expect(packed.headers.get("content-encoding")).toBe("gzip");
  for (const headers of [[], [["Accept-Encoding", "gzip;q=0, br"]], [["Accept-Encoding", "identity"]]] as const) {
    const plain = await ask("GET /x", { headers });
    expect(plain.text).toBe(gunzipSync(bytes).toString());
    expect(plain.headers.get("content-encoding")).toBeUndefined();
    expect(plain.headers.get("content-length")).toBe("15");
  }
});

test("no body where there is none", async () => {
  const { ask } = await doubleOf([
    { call: "DELETE /x", status: 204, gave: "" },
    { call: "HEAD /x", gave: "" },
  ]);
  for (const call of ["DELETE /x", "HEAD /x"]) {
    const told = await ask(call);
    expect(told.body.length).toBe(0);
    expect(told.headers.has("content-length")).toBe(false);
  }
});

test("what is not there as a whole is said, and counts as not answered", async () => {
  const { ask, double } = await doubleOf([
    { call: "GET /a", gave: { content: "", missing: "has expired" } },
    { call: "GET /b", gave: null, state: "open", status: null },
    { call: "POST /c", sent: { content: "", missing: "was recorded only in part: it had 9 bytes" }, gave: "x" },
  ]);
  expect(await ask("GET /a")).toMatchObject({
    status: 403,
    code: "answer_not_recorded",
    errors: ["dogwatch: GET /a is call 1 (unknown), and its answer cannot be given: its body has expired"],
  });
  expect((await ask("GET /b")).errors[0]).toContain(
    "it is open, and what its caller was answered is not in the recording",
  );
  expect((await ask("POST /c", { body: "y" })).errors[0]).toMatch(
    /closest is call 3 .*: body: recorded not there as a whole: its body was recorded only in part: it had 9 bytes, sent "y"$/,
  );
  expect(double.asked).toMatchObject({ requests: 3, unansweredCount: 3 });
});

test("10,000 calls: what is there and what is not is found without reading the others", {
  timeout: 120_000,
}, async () => {
  let reads = 0;
  const calls = Array.from({ length: 10_000 }, (_, i) => {
    const body = { name: `m${i % 2_000}`, options: { thresholds: { critical: i % 7 } }, at: i };
    return { call: i % 2 === 0 ? `PUT /api/v1/monitor/${i % 500}` : "POST /api/v2/logs/events/search", sent: body };
  });
  const { ask, recording } = await doubleOf(calls);
  for (const { call } of recording.calls) {
    const body = call.request.body as { read(): Promise<Buffer> };
    const read = body.read.bind(body);
    body.read = () => {
      reads += 1;
      return read();
    };
  }
  for (const [i, { call, sent }] of calls.entries()) {
    const { n } = await ask(call, { body: sent });
    if (n !== i + 1) expect(n).toBe(i + 1);
  }
  expect(reads).toBe(0);
  for (let i = 0; i < 50; i++) {
    const told = await ask("POST /api/v2/logs/events/search", { body: { ...calls[2 * i + 1]?.sent, at: -1 } });
    expect(told.errors[0]).toContain(
      `call ${2 * i + 2} (v2.LogsApi.ListLogs): body.at: recorded ${2 * i + 1}, sent -1`,
    );
  }
  // A bounded number for each, of ten thousand.
  expect(reads).toBeLessThanOrEqual(50 * 24);
});
