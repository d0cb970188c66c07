/** JSON read in place: every value as it is written, whatever it is, however deep. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { isWithin, type JsonValue, linesOf, type Member, membersOf, readJson } from "../../server/web/app/json.ts";

const textOf = (text: string, { start, end }: JsonValue): string => text.slice(start, end);

/** Read to its last member. */
const rebuilt = (text: string, at: Omit<Member, "key">): unknown => {
  const { value } = at;
  if (value.kind !== "object" && value.kind !== "array") return JSON.parse(textOf(text, value));
  const { members, rest } = membersOf(text, at, 10_000);
  expect(rest).toBe(false);
  return value.kind === "array"
    ? members.map((member) => rebuilt(text, member))
    : Object.fromEntries(members.map((member) => [JSON.parse(member.key ?? ""), rebuilt(text, member)]));
};

test("says what the engine's own parser says", () => {
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 0, max: 4 }), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      const value = readJson(spaced);
      expect(value === null ? null : JSON.stringify(rebuilt(spaced, { value, path: "$" }))).toBe(
        JSON.stringify(JSON.parse(text)),
      );
      expect(JSON.stringify(JSON.parse(linesOf(spaced, 1e6)?.join("\n") ?? ""))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("keeps the spelling of numbers and escapes", () => {
  const text = String.raw`{"id":12345678901234567890,"ratio":1.50e+3,"zero":-0.0,"name":"\u0041\n"}`;
  expect(linesOf(text, 100)).toEqual([
    "{",
    '  "id": 12345678901234567890,',
    '  "ratio": 1.50e+3,',
    '  "zero": -0.0,',
    String.raw`  "name": "\u0041\n"`,
    "}",
  ]);
});

test.each(["", "{", "{} {}", "nul", '{"a":1,}', "NaN", "'a'"])("%j is no JSON", (text) => {
  expect(readJson(text)).toBeNull();
});

test("a hundred thousand levels are one value", () => {
  const text = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(readJson(text)).toEqual({ kind: "array", start: 0, end: 200_000 });
});

test("reads no more members than are asked for", () => {
  const text = JSON.stringify(Array.from({ length: 100 }, (_, index) => index));
  const value = readJson(text) as JsonValue;
  const { members, rest } = membersOf(text, { value, path: "$" }, 10);
  expect([members.length, rest, members.at(-1)?.path]).toEqual([10, true, "$[9]"]);
});

test("a value's address holds its members and no others", () => {
  const text = '{"a":{"b c":[1]},"ab":2}';
  const value = readJson(text) as JsonValue;
  const { members } = membersOf(text, { value, path: "$" }, 10);
  expect(members.map(({ path }) => path)).toEqual(["$.a", "$.ab"]);
  expect(isWithin('$.a["b c"][0]', "$.a")).toBe(true);
  expect(isWithin("$.ab", "$.a")).toBe(false);
});
