/** Somebody's own pattern is searched for only where the text stands that it needs, and then it is found all the same. */

import { describe, expect, test } from "vitest";
import { literalIn } from "../../../server/stages/mask/detect/literal.ts";
import { masksOf, operation, reply } from "./setting.ts";

test.for<[string, string | null]>([
  [String.raw`\bACME-[0-9]{6}\b`, "ACME-"],
  ["employee:[0-9]+", "employee:"],
  ["abc?def", "def"],
  ["abcd*e", "abc"],
  ["abcd{2}e", "abc"],
  ["abc+def", "abc"],
  ["abcd+?e", "abcd"],
  ["(?s)head.*tail9", "tail9"],
  ["(?:one|two)-three", "-three"],
  ["(?:longest(?:in)[)]here)xyz", "xyz"],
  ["[]abc]def", "def"],
  ["[^]abc]def", "def"],
  ["[[:alpha:]]def", "def"],
  [String.raw`\]abc\-d`, "abc-d"],
  [String.raw`\x41BCD\x{43}EFGH\101IJ`, "EFGH"],
  [String.raw`\pLabc`, "abc"],
  [String.raw`\p{Greek}abc`, "abc"],
  ["^abc$", "abc"],
  [String.raw`a\bbc`, "abc"],
  ["abc|abd", null],
  ["(?i)abcdef", null],
  ["(?si:abc)def", null],
  [String.raw`\Qabc\E`, null],
  ["(abc)?(def)*", null],
  ["[0-9]{6}", null],
  ['é{2}ab/cd"e', null],
  ["ab", null],
])("%s needs %s", ([pattern, literal]) => {
  expect(literalIn(pattern)).toBe(literal);
});

describe("what has it is found however it is written", () => {
  const of = operation("GET", "/api/v1/monitor/17");
  const masks = masksOf({ detectors: [{ name: "employee", pattern: String.raw`\bACME-[0-9]{6}\b` }] });

  test.for<[string, string]>([
    ["as it is", '"ACME-123456"'],
    ["by numbers", String.raw`"\u0041CME-123456"`],
    ["behind percent-encoding", '"https://x.example/%41CME-123456"'],
    ["in JSON in a string", JSON.stringify(JSON.stringify({ a: "ACME-123456" }))],
    ["by numbers in JSON in a string", JSON.stringify(String.raw`{"a":"\u0041CME-123456"}`)],
    ["in base64", JSON.stringify(Buffer.from("the user is ACME-123456 or so").toString("base64"))],
    ["as a name", '{"ACME-123456":1}'],
  ])("%s", async ([, written]) => {
    expect(await reply(`{"a":${written}}`, { of, masks })).toContain("dwm_employee_");
  });

  test("and where one pattern needs nothing, all are searched for", async () => {
    const both = masksOf({
      detectors: [
        { name: "employee", pattern: "ACME-[0-9]{6}" },
        { name: "short", pattern: "Q[0-9]" },
      ],
    });
    expect(await reply('{"a":"Q7"}', { of, masks: both })).toContain("dwm_short_");
  });
});
