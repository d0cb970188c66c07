/** Bodies as rules see them, and the bombs and disguises that are stopped on the way. */

import { randomBytes } from "node:crypto";
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { decodeBody } from "../../../server/stages/decide/inspect.ts";
import { Unevaluable } from "../../../server/stages/decide/facts.ts";

const MiB = 2 ** 20;
const limits = { inspect: 8 * MiB };
const headersOf = (type: string | null, coding?: string): HeaderList => [
  ...(type === null ? [] : [["Content-Type", type] as const]),
  ...(coding === undefined ? [] : [["content-encoding", coding] as const]),
];
const decode = (bytes: Buffer | string, type: string | null = "application/json", coding?: string) =>
  decodeBody(Buffer.from(bytes), headersOf(type, coding), limits);

describe("bombs", () => {
  test("more than 100 times the size it was sent with is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(4 * MiB));
    expect(await decode(bomb, "application/json", "gzip")).toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("100 times"),
    });
  });

  test.for<[string, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
    ["zstd1", zstdCompressSync],
  ])("%s: decoding stops at the limit, and a GiB never exists", async ([coding, compress]) => {
    const bomb = compress(compress(Buffer.alloc(64 * MiB)));
    expect(await decode(bomb, "application/json", `${coding}, ${coding}`)).toMatchObject({ code: "body_too_large" });
    const large = compress(Buffer.concat([randomBytes(MiB), Buffer.alloc(8 * MiB)]));
    expect(await decode(large, "application/json", coding)).toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("limits.inspect"),
    });
  });

  test("a body over the limit as it is", async () => {
    expect(await decode(Buffer.alloc(8 * MiB + 1, " "))).toMatchObject({ code: "body_too_large" });
  });

  test("codings on codings", async () => {
    expect(await decode(gzipSync(gzipSync(gzipSync("{}"))), "application/json", "gzip, gzip, gzip")).toEqual({
      unevaluable: "it has more than two content codings",
    });
  });
});

describe("disguises: what only Datadog would read makes the body unevaluable", () => {
  const document = Buffer.from('{"a":1}\n');
  test.for<[string, Buffer, string]>([
    ["bytes after a gzip member", Buffer.concat([gzipSync(document), Buffer.from("more")]), "gzip"],
    [
      "a second gzip member after zeros",
      Buffer.concat([gzipSync(document), Buffer.alloc(8), gzipSync(document)]),
      "gzip",
    ],
    ["a second zstd frame", Buffer.concat([zstdCompressSync(document), zstdCompressSync(document)]), "zstd"],
    ["bytes after deflate", Buffer.concat([deflateSync(document), deflateSync(document)]), "deflate"],
    ["raw deflate", deflateRawSync(document), "deflate"],
    ["a cut gzip", gzipSync(document).subarray(0, 15), "gzip"],
    ["a cut zstd", zstdCompressSync(randomBytes(5_000)).subarray(0, 1_000), "zstd"],
    ["no gzip at all", document, "gzip"],
    ["a coding nobody knows", document, "br"],
  ])("%s", async ([, bytes, coding]) => {
    expect(await decode(bytes, "application/json", coding)).toMatchObject({ unevaluable: expect.any(String) });
  });

  test("two content types", async () => {
    const headers = [
      ["content-type", "text/plain"],
      ["Content-Type", "application/json"],
    ] as const;
    expect(await decodeBody(document, headers, limits)).toEqual({ unevaluable: "it has two content types" });
  });

  test.for(["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", ""])(
    "JSON is JSON, whatever it is called: %s",
    async (type) => {
      expect(await decode('{"query":"x"}', type)).toEqual({ value: new Map([["query", "x"]]) });
    },
  );

  test("a byte order mark before JSON in text", async () => {
    expect(await decode('\ufeff{"query":"x"}', "text/plain")).toMatchObject({
      unevaluable: expect.stringContaining("not JSON"),
    });
  });

  test("bytes that are not UTF-8", async () => {
    expect(await decode(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ unevaluable: "it is not UTF-8 text" });
  });

  test("the same key twice", async () => {
    expect(await decode('{"query":"safe","query":"other"}')).toEqual({
      unevaluable: "it is not JSON that can be relied on (the same key twice, at character 24)",
    });
  });
});

describe("what rules see", () => {
  test.for<[string, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["X-GZIP", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
    ["zstd1", zstdCompressSync],
    ["identity", (bytes) => bytes],
  ])("JSON in %s", async ([coding, compress]) => {
    const body = await decode(
      compress(Buffer.from('{"id": 9007199254740993}')),
      "application/json; charset=utf-8",
      coding,
    );
    expect(body).toEqual({ value: new Map([["id", 9007199254740993n]]) });
  });

  test("codings are taken off in the order opposite to the header's", async () => {
    expect(await decode(gzipSync(zstdCompressSync(Buffer.from("[1]"))), "application/json", "zstd, gzip")).toEqual({
      value: [1n],
    });
  });

  test("no body is null", async () => {
    expect(await decode("", null)).toEqual({ value: null });
    expect(await decode(gzipSync(""), "application/json", "gzip")).toEqual({ value: null });
  });

  test("a form is a map of strings, and a field sent twice has no value", async () => {
    const body = await decode("a=1%202&b=x&b=y&__proto__=z", "application/x-www-form-urlencoded");
    expect(body).toEqual({
      value: new Map<string, unknown>([
        ["a", "1 2"],
        ["b", new Unevaluable("sent more than once")],
        ["__proto__", "z"],
      ]),
    });
  });

  test("NDJSON is a list", async () => {
    expect(await decode('{"a":1}\n\n{"a":2}\n', "application/x-ndjson")).toEqual({
      value: [new Map([["a", 1n]]), new Map([["a", 2n]])],
      ndjson: true,
    });
  });

  test("plain text is text", async () => {
    expect(await decode("a line of log", "text/plain")).toEqual({ value: "a line of log" });
  });

  test("multipart is a list of its parts", async () => {
    const form = new FormData();
    form.set("event", new Blob(['{"x":1}'], { type: "application/json" }), "event.json");
    form.set("note", "hello");
    form.set("picture", new Blob([Buffer.from([0xff, 0x00])], { type: "image/png" }), "a.png");
    const request = new Response(form);
    const body = await decode(Buffer.from(await request.arrayBuffer()), request.headers.get("content-type"));
    const part = (
      name: string,
      filename: string | null,
      content_type: string | null,
      size: bigint,
      text: string | null,
    ) => new Map<string, unknown>(Object.entries({ name, filename, content_type, size, text }));
    expect(body).toEqual({
      value: [
        part("event", "event.json", "application/json", 7n, '{"x":1}'),
        part("note", null, null, 5n, "hello"),
        part("picture", "a.png", "image/png", 2n, null),
      ],
    });
  });

  test("broken multipart is unevaluable", async () => {
    expect(await decode("--x\r\nnonsense", "multipart/form-data; boundary=x")).toEqual({
      unevaluable: "it is not valid multipart/form-data",
    });
  });

  test("a form whose type is unknown is unevaluable", async () => {
    expect(await decode(Buffer.from([8, 1, 2]), "application/x-protobuf")).toMatchObject({
      unevaluable: expect.any(String),
    });
  });
});
