/** What passes hides what it would hide if it were small, however it is cut; and what it costs grows with its size alone. */

import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { readBody } from "../../../server/stages/mask/body/read.ts";
import { inRecording } from "../../../server/stages/mask/detect/detector.ts";
import { nothingFound } from "../../../server/stages/mask/findings.ts";
import { planFor } from "../../../server/stages/mask/plan.ts";
import { Unstreamable } from "../../../server/stages/mask/stream/masker.ts";
import { openStream } from "../../../server/stages/mask/stream/open.ts";
import { TokenWatch } from "../../../server/stages/mask/token/watch.ts";
import { everything, masksOf, operation, recordedRequest, reply, restore, sealingOf, tokensIn } from "./setting.ts";

const plan = planFor(masksOf({ detect: ["secret", "credit-card"] }), operation("POST", "/api/v2/logs-large")).request;
const sealing = sealingOf(operation("POST", "/api/v2/logs-large"));
const streamed = (type: string, body: string): string => {
  const masker = openStream({ search: plan, side: inRecording, sealing }, type);
  return Buffer.concat([masker.push(Buffer.from(body)), masker.end()]).toString();
};

const inPieces = (type: string, body: Buffer, size: number): Buffer => {
  const masker = openStream({ search: plan, side: inRecording, sealing }, type);
  const out: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) out.push(masker.push(Buffer.from(body.subarray(at, at + size))));
  return Buffer.concat([...out, masker.end()]);
};

describe("what streams is read as it is where it is small", () => {
  test.for<[string, string]>([
    [
      "a private key",
      `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n".repeat(8)}-----END PRIVATE KEY-----\n`,
    ],
    ["an authorization", "Authorization: Bearer 8f14e45fceea167a5a36dedd4bea2543"],
    ["an opsgenie key", "Authorization: GenieKey 8f14e45f-ceea-167a-5a36-dedd4bea2543"],
    ["a password", "password: hunter2hunter2"],
  ])("a form holds %s in a large body as in a small one", async ([, value]) => {
    const form = (pad: number) => new URLSearchParams({ pad: "x".repeat(pad), comment: value }).toString();
    const headers: HeaderList = [["Content-Type", "application/x-www-form-urlencoded"]];
    expect(await recordedRequest(form(1), { masks: masksOf(), headers })).toContain("dwm_");
    expect(streamed("application/x-www-form-urlencoded", form(200_000))).toContain("dwm_");
  });

  test("a form's password by the name of its field", async () => {
    const headers: HeaderList = [["Content-Type", "application/x-www-form-urlencoded"]];
    expect(await recordedRequest("a=1&password=hunter2", { masks: masksOf(), headers })).toContain("dwm_");
    expect(streamed("application/x-www-form-urlencoded", `${"a=1&".repeat(50_000)}password=hunter2`)).toContain("dwm_");
  });

  test("a part of a form by the name of its field", async () => {
    const headers: HeaderList = [["Content-Type", "multipart/form-data; boundary=b"]];
    const form = (pad: number) =>
      `--b\r\nContent-Disposition: form-data; name="pad"\r\n\r\n${"x ".repeat(pad)}\r\n--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2hunter2\r\n--b--\r\n`;
    expect(await recordedRequest(form(1), { masks: masksOf(), headers })).toContain("dwm_");
    expect(streamed("multipart/form-data; boundary=b", form(100_000))).toContain("dwm_");
  });

  const form = (content: Buffer, more = ""): Buffer =>
    Buffer.concat([
      Buffer.from(`before\r\n--b${more}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n`),
      content,
      Buffer.from("\r\n--b--\r\nbehind\r\n"),
    ]);
  const multipart = "multipart/form-data; boundary=b";

  test.for<[string, Buffer]>([
    ["gzip", gzipSync("AKIAIOSFODNN7EXAMPLQ")],
    ["zstd", zstdCompressSync("AKIAIOSFODNN7EXAMPLQ")],
    ["zlib", deflateSync("AKIAIOSFODNN7EXAMPLQ, and more of it, so that it can be told from a text")],
    ["zip", Buffer.from("504b030414000000080021000000", "hex")],
  ])("a file in a form that nobody looks into while it passes: %s", ([format, content]) => {
    const body = form(content);
    for (const size of [1, 7, body.length])
      expect(() => inPieces(multipart, body, size)).toThrow(new RegExp(`nobody looks into the ${format} file`));
    expect(() => inPieces("application/octet-stream", content, 1)).toThrow(Unstreamable);
  });

  test("a form keeps every byte that is not masked, wherever it is cut", () => {
    const inner = `{"a":"AKIAIOSFODNN7EXAMPLQ","b":1.50}`;
    const body = Buffer.concat([
      Buffer.from(`--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n`),
      Buffer.from(`--b\nContent-Disposition: form-data; name="event"\nContent-Type: application/json\n\n${inner}\n`),
      Buffer.from(`--b\r\n\r\n\r\n--b`),
      form(Buffer.from([0, 1, 2, 200, 201, 13, 10, 45, 45]), " AKIAIOSFODNN7EXAMPLR").subarray("before\r\n--b".length),
    ]);
    const whole = inPieces(multipart, body, body.length);
    const text = whole.toString("latin1");
    expect(text).not.toMatch(/hunter2|AKIA/);
    const shape = text.replaceAll(/dwm_[\w-]+/g, "X");
    expect(shape).toBe(body.toString("latin1").replaceAll(/AKIA\w+|hunter2/g, "X"));
    for (let size = 1; size < 60; size++) expect(inPieces(multipart, body, size).equals(whole)).toBe(true);
  });

  test("a form's parts that are forms, but not for ever", () => {
    const nested = (depth: number, content: string): string =>
      depth === 0
        ? content
        : `--${depth}z\r\nContent-Type: multipart/mixed; boundary=${depth - 1}z\r\n\r\n${nested(depth - 1, content)}\r\n--${depth}z--`;
    expect(streamed("multipart/mixed; boundary=2z", nested(2, "AKIAIOSFODNN7EXAMPLQ"))).toContain("dwm_");
    expect(() => streamed("multipart/mixed; boundary=9z", nested(9, "x"))).toThrow(Unstreamable);
  });

  test("a head without an end, and a value without one, are not held", () => {
    const head = Buffer.from(`--b\r\n${"X: y\r\n".repeat(20_000)}`);
    expect(() => inPieces(multipart, head, 4_096)).toThrow(/has a head of more than/);
    const value = Buffer.from(`a=${"x".repeat(2_000_000)}`);
    expect(() => inPieces("application/x-www-form-urlencoded", value, 65_536)).toThrow(/a value of the form is longer/);
  });

  test("a zip file, which nobody looks into", () => {
    const masker = openStream({ search: plan, side: inRecording, sealing }, "application/zip");
    const zip = Buffer.concat([Buffer.from("504b030414000000080021000000", "hex"), Buffer.alloc(200_000, 7)]);
    expect(() => Buffer.concat([masker.push(zip), masker.end()])).toThrow(Unstreamable);
  });

  test("events whose lines end with a carriage return (WHATWG HTML §9.2.5) go out when they are whole", () => {
    const masker = openStream({ search: plan, side: inRecording, sealing }, "text/event-stream");
    expect(masker.push(Buffer.from("data: one\r\rdata: two\r\r")).toString()).toContain("data: one");
  });

  test("a log that begins with a bracket is text, as it is when it is small", () => {
    const masker = openStream({ search: plan, side: inRecording, sealing }, "text/plain");
    const log = "[2026-11-29T01:00:00Z] INFO started\n".repeat(10_000);
    expect(Buffer.concat([masker.push(Buffer.from(log)), masker.end()]).toString()).toBe(log);
  });

  test.for<[string, string]>([
    ["in its beginning", "[INFO] 4111 1111 1111 1111 and password=hunter2hunter2"],
    [
      "far behind it",
      `${JSON.stringify(Array.from({ length: 9_000 }, (_, i) => ({ i: i % 7 })))}\n[x] password=hunter2hunter2`,
    ],
    ["right behind what was JSON", `[${"1,".repeat(60_000)}"password":hunter2hunter2]`],
    ["on a line of numbers", `${"[1]\n".repeat(40_000)}4111 1111 1111 1111\n`],
    ["in a text without an end", `[${"1,".repeat(60_000)}"AKIAIOSFODNN7EXAMPLQ`],
  ])("what turns out to be no JSON hides nothing %s", ([, body]) => {
    const bytes = Buffer.from(body);
    for (const size of [997, bytes.length]) {
      const masked = inPieces("application/json", bytes, size).toString();
      expect(masked).not.toMatch(/hunter2|4111|AKIA/);
      const start = body.slice(0, body.search(/4111|hunter2|AKIA/));
      expect(masked.startsWith(start)).toBe(true);
    }
  });

  test("what is masked before it turns out is counted once", () => {
    const values: unknown[] = [];
    const masker = openStream(
      { search: plan, side: inRecording, sealing, note: (noted) => values.push(...noted) },
      "application/json",
    );
    masker.push(Buffer.from('["AKIAIOSFODNN7EXAMPLQ", x]'));
    masker.end();
    expect(values).toHaveLength(1);
  });

  test("a list of passwords", () => {
    const body = '{"password":[["hunter2"],"hunter3"],"a":[{"b":"hunter4"}]}';
    expect(streamed("application/json", body)).toMatch(
      /^\{"password":\[\["dwm_[\w-]+"\],"dwm_[\w-]+"\],"a":\[\{"b":"hunter4"\}\]\}$/,
    );
  });

  test("events end with any line break, wherever they are cut", () => {
    const body = 'data: AKIAIOSFODNN7EXAMPLQ\r\rdata: {"a":"AKIAIOSFODNN7EXAMPLQ"}\r\n\r\ndata: x\n\n';
    const whole = inPieces("text/event-stream", Buffer.from(body), body.length).toString();
    expect(whole.replaceAll(/dwm_[\w-]+/g, "AKIAIOSFODNN7EXAMPLQ")).toBe(body);
    for (let size = 1; size < 30; size++)
      expect(inPieces("text/event-stream", Buffer.from(body), size).toString()).toBe(whole);
  });
});

describe("work that does not grow with how small the pieces are", () => {
  test.for([
    "application/json",
    "text/plain",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
  ])("a text that comes byte by byte is not copied for each: %s", (type) => {
    const masker = openStream({ search: plan, side: inRecording, sealing }, type);
    const pieces = 4_000;
    let copied = 0;
    const concat = Buffer.concat.bind(Buffer);
    const spy = vi.spyOn(Buffer, "concat").mockImplementation((list, total) => {
      for (const { length } of list) copied += length;
      return concat(list, total);
    });
    masker.push(Buffer.from(type === "text/plain" ? "x" : '"'));
    for (let i = 0; i < pieces; i++) masker.push(Buffer.from("x"));
    spy.mockRestore();
    expect(copied).toBeLessThan(100 * pieces);
  });

  test("a text that might be a token is looked at by the piece, and a token in it is told however it is cut", () => {
    const watch = new TokenWatch(new Set());
    const looked = vi.spyOn(Buffer.prototype, "toString");
    const [token = ""] = tokensIn(streamed("text/plain", "key AKIAIOSFODNN7EXAMPLQ"));
    for (const letter of `${"x".repeat(20_000)} ${token} `) watch.push(Buffer.from(letter));
    const { length } = looked.mock.calls;
    looked.mockRestore();
    watch.end();
    expect(length).toBeLessThan(100);
    expect(watch.attempts).toHaveLength(1);
  });

  test("paths of values that lie deep are as short as others, and differ", () => {
    const list = (from: number): string => Array.from({ length: 100 }, (_, i) => `"u${from + i}@b.co"`).join();
    const body = `${"[".repeat(500)}${list(0)},[${list(100)}]${"]".repeat(500)}`;
    const found = nothingFound();
    readBody(
      planFor(everything, operation("GET", "/api/v1/monitor")).response,
      { bytes: Buffer.from(body), contentType: "application/json" },
      found,
    );
    const paths = found.findings.map(({ path }) => JSON.stringify(path));
    expect(new Set(paths).size).toBe(200);
    expect(Math.max(...found.findings.map(({ path }) => path.length))).toBeLessThan(25);
  });
});

test("a value that lies deep turns back where it was read, and nowhere near", async () => {
  const get = operation("GET", "/api/v1/monitor/17");
  const put = operation("PUT", "/api/v1/monitor/17");
  const deep = (value: string, { up = 0, keys = "k" } = {}): string =>
    `{"id":17,"a":${`{"${keys}":`.repeat(60 - up)}["x","${value}"]${"}".repeat(60 - up)}}`;
  const [token = ""] = tokensIn(await reply(deep("ann@example.com"), { of: get }));
  expect(restore(deep(token), { of: put }).outcomes).toEqual(["restored"]);
  expect(restore(deep(token, { up: 1 }), { of: put }).outcomes).toEqual(["foreign"]);
  expect(restore(deep(token, { keys: "j" }), { of: put }).outcomes).toEqual(["foreign"]);
});
