/** Content codings come off within bounds and go on again; what another reader might read differently does not come off at all. */

import { randomBytes } from "node:crypto";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { codingsFault, codingsOf, decodeCodings, encodeCodings } from "../../server/model/coding.ts";

const limit = 2 ** 20;
const text = Buffer.from(JSON.stringify({ a: randomBytes(2_500).toString("hex") }));

describe("a body in its codings", () => {
  test.for<[string, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
    ["zstd1", zstdCompressSync],
    ["br", brotliCompressSync],
  ])("%s is decoded, and encoded so that it decodes to the same", async ([coding, compress]) => {
    expect(await decodeCodings(compress(text), [coding], limit)).toEqual(text);
    const again = await encodeCodings(text, [coding]);
    expect(again.length).toBeLessThan(text.length);
    expect(await decodeCodings(again, [coding], limit)).toEqual(text);
  });

  test("two codings come off in the opposite order", async () => {
    expect(await decodeCodings(gzipSync(zstdCompressSync(text)), ["zstd", "gzip"], limit)).toEqual(text);
    expect(await decodeCodings(await encodeCodings(text, ["zstd", "gzip"]), ["zstd", "gzip"], limit)).toEqual(text);
  });

  test("without codings it is itself", async () => {
    expect(await decodeCodings(text, [], limit)).toBe(text);
    expect(await encodeCodings(text, [])).toBe(text);
  });
});

describe("what does not come off", () => {
  test.for<[string, Buffer, string[]]>([
    ["unknown", text, ["snappy"]],
    ["nested", text, ["gzip", "gzip", "gzip"]],
    ["broken", text, ["gzip"]],
    ["broken", gzipSync(text).subarray(0, 20), ["gzip"]],
    ["broken", Buffer.concat([gzipSync(text), Buffer.from("more")]), ["gzip"]],
    ["broken", Buffer.concat([zstdCompressSync(text), zstdCompressSync(text)]), ["zstd"]],
    ["broken", Buffer.concat([brotliCompressSync(text), Buffer.from("more")]), ["br"]],
    ["large", gzipSync(Buffer.concat([randomBytes(limit), Buffer.alloc(10)])), ["gzip"]],
    ["expands", gzipSync(Buffer.alloc(limit - 1)), ["gzip"]],
    ["expands", brotliCompressSync(Buffer.alloc(limit - 1)), ["br"]],
  ])("%s", async ([fault, bytes, codings]) => {
    expect(await decodeCodings(bytes, codings, limit)).toMatchObject({
      fault,
      says: expect.stringMatching(/^(it|its|decoded) /),
    });
  });

  test("is known before any byte is there, where the codings alone say it", () => {
    expect(codingsFault(["gzip", "br"])).toBeUndefined();
    expect(codingsFault(["compress"])).toMatchObject({ fault: "unknown" });
  });
});

test("codings are read from every field, in order, without case and without identity", () => {
  const headers = [
    ["Content-Encoding", "GZip, identity"],
    ["content-encoding", " br "],
  ] as const;
  expect(codingsOf(headers)).toEqual(["gzip", "br"]);
});
