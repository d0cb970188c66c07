/** What is too large to be held is masked as it passes, wherever its pieces are cut; what cannot be is refused with the reason. */

import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { inRecording, inReply } from "../../../server/stages/mask/detect/detector.ts";
import { planFor } from "../../../server/stages/mask/plan.ts";
import { Unstreamable } from "../../../server/stages/mask/stream/masker.ts";
import { openStream } from "../../../server/stages/mask/stream/open.ts";
import { maskStream } from "../../../server/stages/mask/stream/stream.ts";
import { reveal } from "../../../server/stages/mask/token/sealer.ts";
import { Chance, sampleOf } from "./samples.ts";
import { everything, keys, masksOf, operation, restore, sealingOf, tokensIn } from "./setting.ts";

const of = operation("GET", "/api/v1/monitor");
const context = (masks = everything, side = inReply) => ({
  search: planFor(masks, of).response,
  side,
  sealing: sealingOf(of),
});

/** In pieces that end at the given places. */
const pushed = (
  body: string,
  type: string,
  {
    cuts = [body.length],
    masks = everything,
    side = inReply,
  }: { cuts?: readonly number[]; masks?: typeof everything; side?: number } = {},
): string => {
  const bytes = Buffer.from(body);
  const masker = openStream(context(masks, side), type);
  const out: Buffer[] = [];
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    if (to > from) out.push(masker.push(bytes.subarray(from, to)));
    from = Math.max(from, to);
  }
  out.push(masker.end());
  return Buffer.concat(out).toString();
};

const email = String.raw`dwm_email_[\w-]+@masked\.invalid`;

describe("JSON that passes", () => {
  const body =
    '{ "a" : "ann@example.com" , "b" : [1.50, "x \\u0041KIAIOSFODNN7EXAMPLE", {"password": "one", "n": null}], "bob@example.com": "\\"{\\\\\\"to\\\\\\":\\\\\\"cy@example.com\\\\\\"}\\"" }\n';
  const masks = masksOf({ detect: ["secret", "email"], fields: ["$.b[2].n", "$.b[0]"] });

  test("is masked alike wherever it is cut, and keeps every other byte", () => {
    const whole = pushed(body, "application/json", { side: inRecording, masks });
    expect(whole).toMatch(
      new RegExp(
        `^\\{ "a" : "${email}" , "b" : \\[null, "x dwm_aws-access-key-id_[\\w-]+", \\{"password": "dwm_secret-field_[\\w-]+", "n": null\\}\\], "${email}": .*${email}.* \\}\\n$`,
      ),
    );
    for (let cut = 0; cut <= body.length; cut++)
      expect(pushed(body, "application/json", { cuts: [cut], side: inRecording, masks })).toBe(whole);
    const every = Array.from({ length: body.length }, (_, i) => i);
    expect(pushed(body, "application/json", { cuts: every, side: inRecording, masks })).toBe(whole);
  });

  test("comes through as it is when nothing is in it", () => {
    const few = masksOf({ detect: ["iban"] });
    fc.assert(
      fc.property(fc.json(), fc.array(fc.nat(200)), (text, cuts) => {
        expect(pushed(text, "application/json", { cuts, masks: few })).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("a container that a mask names is null in the recording, and nothing of it goes out", () => {
    const object = '{"keep":1,"secret":{"a":["x",{"b":"}"}]},"secret2":[1,2],"end":"z"}';
    const drop = masksOf({ fields: ["$.secret", "$.secret2"] });
    for (let cut = 0; cut <= object.length; cut++)
      expect(pushed(object, "application/json", { cuts: [cut], side: inRecording, masks: drop })).toBe(
        '{"keep":1,"secret":null,"secret2":null,"end":"z"}',
      );
  });

  test("and breaks the reply off before it", () => {
    const masker = openStream(context(masksOf({ fields: ["$.secret"] })), "application/json");
    expect(masker.push(Buffer.from('{"keep":1,')).toString()).toBe('{"keep":1,');
    expect(() => masker.push(Buffer.from('"secret":{"a":"hidden"}}'))).toThrow(/\$\.secret, which is no text/);
  });

  test.for<[string, string]>([
    ["cut off", '{"a":"b"'],
    ["cut in a text", '{"a":"b'],
    ["no JSON", '{"a" "b"}'],
    ["closed wrongly", '{"a":["b"}]'],
    ["a key that is none", "{1:2}"],
    ["a broken escape", '{"a":"ann@example.com\\x"}'],
    ["a text without quotes", '{"a":ann@example.com}'],
  ])("%s is said to be so where fields are named, and is text where none are", ([, text]) => {
    const fields = masksOf({ detect: ["email"], fields: ["$.secret"] });
    expect(() => pushed(text, "application/json", { masks: fields })).toThrow(Unstreamable);
    expect(pushed(text, "application/json")).not.toContain("ann@example.com");
  });

  test("a text that is too long to be held is said to be so", () => {
    const masker = openStream(context(), "application/json");
    masker.push(Buffer.from('["'));
    expect(() => {
      for (let i = 0; i < 40; i++) masker.push(Buffer.alloc(65_536, "a"));
    }).toThrow(/longer than 1048576 bytes/);
  });
});

describe("text that passes", () => {
  test("hides every kind wherever it is cut", () => {
    const c = new Chance(21);
    for (const kind of ["private-key", "jwt", "email", "github-token", "credit-card", "url-password"] as const) {
      const sample = sampleOf(c, kind);
      const body = `${"lorem ipsum ".repeat(9_000)}${sample.text} ${"dolor sit ".repeat(9_000)}`;
      const at = body.indexOf(sample.text);
      for (let i = 0; i < 20; i++) {
        const masked = pushed(body, "text/plain", {
          cuts: [
            at + c.below(sample.text.length),
            at - 40_000,
            at + 60_000,
            ...Array.from({ length: 5 }, () => c.below(body.length)),
          ],
        });
        expect(masked, kind).not.toContain(sample.secret);
        expect(masked.startsWith("lorem ipsum ".repeat(8_999))).toBe(true);
        expect(masked.endsWith("dolor sit ".repeat(8_999))).toBe(true);
      }
    }
  });

  test("hides a value that is known by its name only, wherever a piece of it ends", () => {
    const line = "2026-05-04 login password=Kd83jfkE92 ok, DD_API_KEY=0f8d5a1c9b7e4d2f8a6c3e1b5d7f9a0c;\n";
    for (const shift of [0, 22, 40, 68]) {
      const body = "x".repeat(shift) + line.repeat(3_000);
      const cuts = Array.from({ length: Math.floor(body.length / 20_011) }, (_, i) => (i + 1) * 20_011);
      const masked = pushed(body, "text/plain", { cuts });
      expect(masked).not.toMatch(/Kd83jfkE92|0f8d5a1c9b7e4d2f8a6c3e1b5d7f9a0c/);
    }
  });

  test("is not held longer than it must be", () => {
    const masker = openStream(context(), "text/plain");
    let held = 0;
    for (let i = 0; i < 400; i++) {
      held += 16_384 - masker.push(Buffer.alloc(16_384, "word ")).length;
      expect(held).toBeLessThan(200_000);
    }
  });

  test("a value that never ends is said to be so", () => {
    const masker = openStream(context(), "text/plain");
    const endless = Buffer.from(Buffer.from(`ann@example.com ${"x ".repeat(4_000_000)}`).toString("base64"));
    expect(() => {
      for (let at = 0; at < endless.length; at += 65_536) masker.push(endless.subarray(at, at + 65_536));
    }).toThrow(/a value in it is longer than/);
  });
});

describe("lines that pass", () => {
  const body = '{"a":"ann@example.com"}\nplain bob@example.com\n\n{"a":"x"}';

  test("are masked alike wherever they are cut", () => {
    const whole = pushed(body, "application/x-ndjson");
    expect(whole).toMatch(new RegExp(`^\\{"a":"${email}"\\}\\nplain ${email}\\n\\n\\{"a":"x"\\}$`));
    for (let cut = 0; cut <= body.length; cut++)
      expect(pushed(body, "application/x-ndjson", { cuts: [cut] })).toBe(whole);
  });

  test("one that never ends is said to be so", () => {
    const masker = openStream(context(), "application/x-ndjson");
    expect(() => {
      for (let i = 0; i < 100; i++) masker.push(Buffer.alloc(65_536, "a"));
    }).toThrow(/a line of it is longer than/);
  });
});

describe("what cannot pass is said before the first byte", () => {
  const fields = masksOf({ fields: ["$.a"] });

  test.for(["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])("fields in %s", (type) => {
    expect(() => openStream(context(fields), type)).toThrow(/fields of it are to be masked/);
    expect(pushed("a=ann%40example.com&b=1", type)).toMatch(new RegExp(`^a=${email}&b=1$`));
  });

  test("fields in what says it is JSON and is none", () => {
    expect(() => openStream(context(fields), "application/json").push(Buffer.from("<html>"))).toThrow(/it is not JSON/);
  });

  test("a false content type hides no field", () => {
    expect(pushed('  {"a":"one"}', "text/plain", { masks: fields })).toMatch(/^ {2}\{"a":"dwm_field_[\w-]+"\}$/);
  });

  test("neither does a byte order mark, wherever it is cut", () => {
    for (const cut of [0, 1, 2, 3, 4])
      expect(pushed('\uFEFF{"a":"one"}', "application/json", { masks: fields, cuts: [cut] })).toMatch(
        /^\uFEFF\{"a":"dwm_field_[\w-]+"\}$/,
      );
  });

  test("a content coding nobody knows", async () => {
    const stream = maskStream(piecesOf(Buffer.from("x")), [["Content-Encoding", "snappy"]], context());
    await expect(stream.next()).rejects.toThrow(/its content coding is none of/);
  });
});

async function* piecesOf(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const collect = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

describe("in its content coding", () => {
  const body = Buffer.from(
    JSON.stringify(
      Array.from({ length: 20_000 }, (_, i) => ({ id: i, to: `u${i}@example.com`, text: new Chance(i).text(60) })),
    ),
  );

  test.for<[string, (bytes: Buffer) => Buffer, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync, gunzipSync],
    ["zstd1", zstdCompressSync, zstdDecompressSync],
    ["br", (bytes) => brotliCompressSync(bytes, { params: { 1: 1 } }), brotliDecompressSync],
  ])("%s", async ([coding, compress, decompress]) => {
    const headers: HeaderList = [
      ["Content-Type", "application/json"],
      ["Content-Encoding", coding],
    ];
    const masked = decompress(await collect(maskStream(piecesOf(compress(body)), headers, context())));
    const value = JSON.parse(masked.toString()) as { id: number; to: string }[];
    expect(value).toHaveLength(20_000);
    expect(value[19_999]).toMatchObject({ id: 19_999, to: expect.stringMatching(new RegExp(`^${email}$`)) });
    expect(masked.includes("@example.com")).toBe(false);
  });

  test.for<[string, Buffer, RegExp]>([
    ["broken", Buffer.from("no gzip at all"), /content coding is broken/],
    ["cut", gzipSync(body).subarray(0, 100_000), /content coding is broken/],
    ["a bomb", gzipSync(Buffer.alloc(64 * 2 ** 20)), /more than 100 times its size/],
  ])("%s is said to be so", async ([, bytes, says]) => {
    const headers: HeaderList = [
      ["Content-Type", "text/plain"],
      ["Content-Encoding", "gzip"],
    ];
    await expect(collect(maskStream(piecesOf(bytes), headers, context()))).rejects.toThrow(says);
  });

  test("an error of its source is its error", async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield gzipSync("x").subarray(0, 5);
      throw new Error("the upstream went away");
    }
    await expect(collect(maskStream(failing(), [["Content-Encoding", "gzip"]], context()))).rejects.toThrow(
      "the upstream went away",
    );
  });

  test("whoever stops reading stops its source", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536, "word ");
      } finally {
        ended = true;
      }
    }
    const stream = maskStream(endless(), [["Content-Type", "text/plain"]], context());
    await stream.next();
    await stream.return();
    expect(ended).toBe(true);
  });
});

test("20 MB pass with flat memory", { timeout: 240_000 }, async () => {
  const chunk = Buffer.from(
    Array.from(
      { length: 200 },
      (_, i) => `{"host":"web-${i}","msg":"GET /cart 200","user":"u${i}@example.com","n":${i}},`,
    ).join(""),
  );
  async function* source(): AsyncGenerator<Buffer> {
    yield Buffer.from("[");
    for (let sent = 0; sent < 20_000_000; sent += chunk.length) yield chunk;
    yield Buffer.from("0]");
  }
  let passed = 0;
  let most = 0;
  globalThis.gc?.();
  const before = process.memoryUsage();
  for await (const piece of maskStream(source(), [["Content-Type", "application/json"]], context())) {
    passed += piece.length;
    const now = process.memoryUsage();
    most = Math.max(most, now.arrayBuffers - before.arrayBuffers);
  }
  expect(passed).toBeGreaterThan(20_000_000);
  // Buffers wait for the collector; what is held is a few percent of what passed.
  console.info(`${(passed / 1e6).toFixed(0)} MB passed, at most ${(most / 1e6).toFixed(1)} MB of buffers at a time`);
  expect(most).toBeLessThan(16_000_000);
});

describe("tokens of what passed", () => {
  test("stand for their values where people may reveal them, and never turn back", () => {
    const masked = pushed('{"id":17,"message":"ann@example.com"}', "application/json");
    const [token = ""] = tokensIn(masked);
    expect(reveal(keys, token)).toEqual({ kind: "email", value: "ann@example.com" });
    expect(restore(masked, { of: operation("PUT", "/api/v1/monitor/17") }).outcomes).toEqual(["foreign"]);
  });
});
