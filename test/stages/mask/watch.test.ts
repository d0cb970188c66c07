/** Tokens in a body that only passes are seen however it is cut and written. */

import { describe, expect, test } from "vitest";
import { findForeign } from "../../../server/stages/mask/token/restore.ts";
import { writeToken } from "../../../server/stages/mask/token/text.ts";
import { TokenWatch } from "../../../server/stages/mask/token/watch.ts";

const payload = (size: number): Buffer => {
  const bytes = Buffer.alloc(size, 7);
  bytes.writeUInt16BE(size, 1);
  return bytes;
};
const note = writeToken("secret-field", payload(40));
const address = writeToken("email", payload(40));
const longest = writeToken("secret-field", payload(65_535));

const watched = (text: string, pieces: (bytes: Buffer) => Iterable<Buffer>): string[] => {
  const watch = new TokenWatch(new Set());
  for (const piece of pieces(Buffer.from(text))) watch.push(piece);
  watch.end();
  return watch.attempts.map(({ kind, path, outcome }) => `${kind} ${path} ${outcome}`);
};

const cutAt = (at: number) => (bytes: Buffer) => [bytes.subarray(0, at), bytes.subarray(at)];
function* bySize(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("the samples are tokens as masks write them", () => {
  expect(findForeign(`${note} ${address} ${longest}`, new Set()).map(({ outcome }) => outcome)).toEqual(
    Array(3).fill("foreign"),
  );
});

describe("a token is seen whole wherever the body is cut", () => {
  const text = `{"a":"${note}","b":"to ${address}, please"}`;
  test("in two", () => {
    for (let at = 0; at <= text.length; at++)
      expect(watched(text, cutAt(at)), `cut at ${at}`).toEqual(["secret-field $ foreign", "email $ foreign"]);
  });

  test("in single bytes", () => {
    expect(watched(text, (bytes) => bySize(bytes, 1))).toEqual(["secret-field $ foreign", "email $ foreign"]);
  });

  test("the longest of all in pieces of 4 KiB, behind text that has no end", () => {
    expect(watched(`${"x".repeat(300_000)}"${longest}"`, (bytes) => bySize(bytes, 4_096))).toEqual([
      "secret-field $ foreign",
    ]);
  });
});

describe("written with escapes", () => {
  const everyLetter = (escape: (code: string) => string): string =>
    note.replaceAll(/./g, (letter) => escape(letter.charCodeAt(0).toString(16).padStart(2, "0")));

  test("as JSON may", () => {
    const text = `{"a":"${everyLetter((code) => `\\u00${code}`)}"}`;
    for (let at = 0; at <= text.length; at++)
      expect(watched(text, cutAt(at)), `cut at ${at}`).toEqual(["secret-field $ foreign"]);
  });

  test("as forms may", () => {
    const text = `a=${everyLetter((code) => `%${code}`)}&b=1`;
    for (let at = 0; at <= text.length; at++)
      expect(watched(text, cutAt(at)), `cut at ${at}`).toEqual(["secret-field $ foreign"]);
  });
});

test("cut short or changed it is told as that", () => {
  expect(watched(`"${note.slice(0, -6)}" "${note.replace("dwm", "DWM")}"`, (bytes) => [bytes])).toEqual([
    "secret-field $ truncated",
    "secret-field $ altered",
  ]);
});

test("at most 100 are told", () => {
  expect(watched(`${note} `.repeat(1_000), (bytes) => bySize(bytes, 1_000))).toHaveLength(100);
});
