/** Texts in encodings that nobody announced: what stands in them is found all the same, in a body that is held and in one that streams. */

import { describe, expect, test } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { inRecording } from "../../../server/stages/mask/detect/detector.ts";
import { maskStream } from "../../../server/stages/mask/stream/stream.ts";
import { planFor } from "../../../server/stages/mask/plan.ts";
import { everything, maskBoth, operation, sealingOf } from "./setting.ts";

const of = operation("POST", "/api/v2/logs");
const secret = `ghp_${"aB3dE5fG7hJ9".repeat(3)}`;
const said = `the token is ${secret}, keep it`;
const bigEndian = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
const wide = (text: string): Buffer => Buffer.from(new Uint32Array(Buffer.from(text, "latin1")).buffer);
const twice = (text: string): string => encodeURIComponent(everyPercent(text));
const everyPercent = (text: string): string =>
  text.replaceAll(/./g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);

const ways: readonly (readonly [string, Buffer])[] = [
  ["UTF-16", Buffer.from(said, "utf16le")],
  ["UTF-16 with its mark", Buffer.from(`\uFEFF${said}`, "utf16le")],
  ["UTF-16, the other order", bigEndian(said)],
  ["UTF-32", wide(said)],
  ["UTF-16 JSON", Buffer.from(JSON.stringify({ password: secret }), "utf16le")],
  ["base64 of UTF-16", Buffer.from(`powershell -enc ${Buffer.from(said, "utf16le").toString("base64")}`)],
  ["percent-encoding", Buffer.from(`https://x.example/?a=${everyPercent(secret)}`)],
  ["percent-encoding, twice", Buffer.from(`https://x.example/?next=${twice(secret)}`)],
  ["percent-encoding, three times", Buffer.from(`https://x.example/?next=${encodeURIComponent(twice(secret))}`)],
];
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const joined: readonly (readonly [string, string])[] = [
  ["in the path of a URL", `https://x.example/hook/${base64(said)}`],
  ["behind a prefix", `payload-${base64(said)}`],
  ["before another segment", `x ${base64(said).replaceAll("=", "")}/edit/something`],
  ["of a text in Cyrillic letters", base64(`пароль и ключ тут: ${said}`)],
  ["of a text with umlauts", base64(`Schlüssel für dich: ${said}`)],
];
const headers: HeaderList = [["Content-Type", "text/plain"]];

const streamed = async (bytes: Buffer): Promise<Buffer> => {
  const { request: search } = planFor(everything, of);
  async function* pieces(): AsyncGenerator<Buffer> {
    const padded = Buffer.concat([
      Buffer.alloc(99_000, "line of a log\n"),
      bytes,
      Buffer.alloc(99_000, "\nline of a log"),
    ]);
    for (let at = 0; at < padded.length; at += 33_001) yield padded.subarray(at, at + 33_001);
  }
  const out: Buffer[] = [];
  for await (const piece of maskStream(pieces(), headers, { search, side: inRecording, sealing: sealingOf(of) }))
    out.push(piece);
  return Buffer.concat(out);
};

describe("a secret is not stored in", () => {
  test.for(ways)("%s", async ([, bytes]) => {
    const { recording } = await maskBoth(bytes, { of, headers });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    for (const stored of [recording.bytes, await streamed(bytes)]) {
      expect(stored.includes("dwm_")).toBe(true);
      for (const [, written] of ways) {
        const trace = written.subarray(written.length >> 1, (written.length >> 1) + 24);
        expect(stored.includes(trace)).toBe(false);
      }
    }
  });
});

test.for(joined)("nor in base64 %s", async ([, text]) => {
  const { recording } = await maskBoth(text, { of, headers });
  expect(recording.outcome).toBe("masked");
  const stored = recording.outcome === "masked" ? recording.bytes.toString() : text;
  const runs = stored.replaceAll(/dwm_[\w-]+/g, " ").match(/[\w+/-]{24,}/g) ?? [];
  for (const run of runs)
    for (let at = 0; at < 4; at++)
      expect(Buffer.from(run.slice(at), "base64").toString()).not.toContain(secret.slice(0, 12));
});

test("what holds NULs and nothing secret stays as it is", async () => {
  const { recording } = await maskBoth(Buffer.from("an ordinary text\0\0with an end", "utf16le"), { of, headers });
  expect(recording.outcome).toBe("untouched");
});
