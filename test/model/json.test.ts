/** JSON for rules: as JSON.parse reads it, but lossless, bounded, and without documents that two readers would read differently. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson, UnreadableJson } from "../../server/model/json.ts";

/** Back to what JSON.parse gives. */
const plain = (value: unknown): unknown => {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  return value;
};

describe("whole numbers keep every digit", () => {
  test.for<[string, unknown]>([
    ["9007199254740993", 9007199254740993n],
    ["-9007199254740993", -9007199254740993n],
    ["18446744073709551616", 18446744073709551616n],
    ["0", 0n],
    ["-0", 0n],
    ["1.5", 1.5],
    ["1e3", 1000],
    ["1.0", 1],
    ["0.1", 0.1],
  ])("%s", ([text, value]) => {
    expect(readJson(text)).toStrictEqual(value);
  });

  test.for(["9007199254740993.0", "9.007199254740993e15", "1e400", `1${"0".repeat(500)}`])(
    "%s is refused: a double would change it",
    (text) => {
      expect(() => readJson(text)).toThrow(UnreadableJson);
    },
  );
});

test.for([
  '{"a":1,"a":2}',
  '{"a":1,"a":1}',
  '{"type":1,"Type":2}',
  '{"a":{"b":1,"B":2}}',
  '{"\\u0061":1,"a":2}',
  '{"k":1,"\u212a":2}',
  '{"s":1,"\u017f":2}',
])("a key that stands twice is refused: %s", (text) => {
  expect(() => readJson(text)).toThrow("the same key twice");
});

test("names of JavaScript's prototypes are keys like any other", () => {
  const value = readJson('{"__proto__":{"x":1},"constructor":2,"toString":3}') as Map<string, unknown>;
  expect([...value.keys()]).toEqual(["__proto__", "constructor", "toString"]);
});

test.for([
  "",
  " ",
  "{",
  "[1,]",
  "{,}",
  '{"a":1,}',
  "{'a':1}",
  "nul",
  "01",
  "+1",
  ".5",
  "1.",
  "NaN",
  "Infinity",
  '"\n"',
  '"\\x"',
  '"\\u12"',
  '"',
  '{"a" 1}',
  "1 2",
  "[1 2]",
  "// x\n1",
  "\ufeff{}",
  "\f1",
  "tru",
  "-",
])("%j is no JSON", (text) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(() => readJson(text)).toThrow(UnreadableJson);
});

test("depth and number of values are bounded", () => {
  expect(() => readJson("[".repeat(100_000))).toThrow("nested deeper than 128");
  expect(() => readJson(`[${"[],".repeat(1_000_000)}1]`)).toThrow("more than 1000000 values");
  expect(readJson(`${"[".repeat(100)}${"]".repeat(100)}`)).toBeDefined();
});

test("a message says where, and never what", () => {
  expect(() => readJson('{"password": hunter2}')).toThrow(/^a value was expected, at character 14$/);
});

/** What was read, or that it was refused; anything else that is thrown is a fault. */
const attempt = (text: string): { readonly read: unknown } | { readonly refused: string } => {
  try {
    return { read: plain(readJson(text)) };
  } catch (error) {
    if (error instanceof UnreadableJson) return { refused: error.message };
    throw error;
  }
};

test("everything JSON.stringify writes is read as JSON.parse reads it", () => {
  const folds = (value: unknown): boolean =>
    typeof value === "object" &&
    value !== null &&
    (new Set(Object.keys(value).map((key) => key.toUpperCase().toLowerCase())).size < Object.keys(value).length ||
      Object.values(value).some(folds));
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      fc.pre(!folds(value));
      const text = JSON.stringify(value, null, space);
      const attempted = attempt(text);
      // Doubles over 2^53 in exponent notation are whole numbers whose digits are not known.
      fc.pre(!("refused" in attempted && attempted.refused.includes("too large")));
      expect(attempted).toEqual({ read: JSON.parse(text) });
    }),
    { numRuns: 1_000 },
  );
});

test("on text changed at random, nothing is accepted that JSON.parse refuses", () => {
  const spoils = fc.constantFrom("", '"', ",", "}", "]", "\\", "0", " ", "\u0001", "e");
  const texts = fc.tuple(fc.json({ maxDepth: 3 }), fc.nat(), spoils).map(([text, at, by]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + by + text.slice(place + 1);
  });
  fc.assert(
    fc.property(texts, (text) => {
      const attempted = attempt(text);
      expect(attempted).toEqual("refused" in attempted ? attempted : { read: JSON.parse(text) });
    }),
    { numRuns: 2_000 },
  );
});
