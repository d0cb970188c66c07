/** The language of searches, and what hostile ones come to. */

import { describe, expect, test } from "vitest";
import { isQueryProblem, type Query, readQuery } from "../../../server/journeys/search/language.ts";

const now = new Date("2026-05-04T12:00:00.000Z");
const read = (typed: string) => readQuery(typed, now);
const text = (word: string): Query => ({ kind: "text", text: word });

describe("is read as", () => {
  const cases: readonly [typed: string, query: Query][] = [
    ["", { kind: "all", of: [] }],
    ["checkout", text("checkout")],
    ["checkout failed", { kind: "all", of: [text("checkout"), text("failed")] }],
    ['"checkout failed"', text("checkout failed")],
    [String.raw`"say \"no\" \\ \n"`, text(String.raw`say "no" \ \n`)],
    [
      "a OR b",
      {
        kind: "any",
        of: [
          { kind: "word", word: "a" },
          { kind: "word", word: "b" },
        ],
      },
    ],
    ["one two OR three", { kind: "any", of: [{ kind: "all", of: [text("one"), text("two")] }, text("three")] }],
    ["one (two OR three)", { kind: "all", of: [text("one"), { kind: "any", of: [text("two"), text("three")] }] }],
    ["-one", { kind: "not", of: text("one") }],
    ["-(one two)", { kind: "not", of: { kind: "all", of: [text("one"), text("two")] } }],
    ["-status:404", { kind: "not", of: { kind: "range", of: "status", bounds: { from: 404, to: 404 } } }],
    ["one-two", text("one-two")],
    ["or", { kind: "word", word: "or" }],
    ["one AND two", { kind: "all", of: [text("one"), text("two")] }],
    ["ok", { kind: "word", word: "ok" }],
    ["{}", text("{}")],
    ["日本", text("日本")],
    ["word:Monitor", { kind: "word", word: "Monitor" }],
    ["status:4xx", { kind: "range", of: "status", bounds: { from: 400, to: 499 } }],
    ["status:>=400", { kind: "range", of: "status", bounds: { from: 400, to: null } }],
    ["status:<500", { kind: "range", of: "status", bounds: { from: null, to: 499 } }],
    ["status:400..404", { kind: "range", of: "status", bounds: { from: 400, to: 404 } }],
    ["duration:>1s", { kind: "range", of: "duration", bounds: { from: 1_001, to: null } }],
    ["duration:100ms..2s", { kind: "range", of: "duration", bounds: { from: 100, to: 2_000 } }],
    ["duration:<=1.5m", { kind: "range", of: "duration", bounds: { from: null, to: 90_000 } }],
    ["after:1d", { kind: "range", of: "received", bounds: { from: now.getTime() - 86_400_000, to: null } }],
    ["before:2026-05-01", { kind: "range", of: "received", bounds: { from: null, to: Date.UTC(2026, 4, 1) - 1 } }],
    ["Operation:GetMonitor", { kind: "field", field: "operation", value: "getmonitor" }],
    ['rule:"No Deletes"', { kind: "field", field: "rule", value: "no deletes" }],
    ["operation:GetA..GetB", { kind: "field", field: "operation", value: "geta..getb" }],
    ["decision:DENY", { kind: "field", field: "decision", value: "deny" }],
    [".*+?[a-z]{2}^$|\\", text(".*+?[a-z]{2}^$|\\")],
    ["\u202ereversed", text("\u202ereversed")],
  ];
  test.each(cases)("%s", (typed, query) => {
    expect(read(typed)).toEqual(query);
  });
});

describe("is refused in a column:", () => {
  const cases: readonly [typed: string, column: number, says: RegExp][] = [
    ['one "two', 5, /never closed/],
    ['"', 1, /never closed/],
    ['one ""', 5, /nothing in these quotes/],
    ["(one", 1, /never closed/],
    ["one)", 4, /closes nothing/],
    ["()", 2, /nothing between/],
    ["one -", 5, /- stands right before/],
    ["-", 1, /- stands right before/],
    ["--one", 1, /- stands right before/],
    ["- one", 1, /- stands right before/],
    ["OR one", 1, /nothing is before it/],
    ["one OR", 7, /nothing is after it/],
    ["one OR OR two", 8, /nothing is after it/],
    ["one statsu:404", 5, /'statsu'; did you mean status\?/],
    ["https://example.com", 1, /put it in quotes/],
    ["status:", 8, /without a space/],
    ["status:abc", 8, /404, 4xx/],
    ["status:500..400", 8, /ends before it begins/],
    ["duration:1s", 10, />1s/],
    ["one after:yesterday", 11, /2026-05-04/],
    ["access:wrte", 8, /did you mean write\?/],
    ["decision:maybe", 10, /known are allow, deny/],
    ["word:two-words", 6, /one word/],
    ["pr:>=40", 4, /pr: has no order/],
    ["run:<9001", 5, /run: has no order/],
    ["one pr:40..50", 8, /pr: has no order/],
    ["nul\0nul", 4, /control character/],
    ["bell\u0007", 5, /control character/],
    [`${"(".repeat(17)}one${")".repeat(17)}`, 17, /at most 16 deep/],
    [Array.from({ length: 65 }, () => "a").join(" "), 129, /at most 64/],
    [Array.from({ length: 400 }, () => "a").join(" OR "), 65 * 5 - 4, /at most 64/],
    ["x".repeat(10_000), 2_001, /at most 2000 characters/],
    [Array.from({ length: 1_000 }, () => "word").join(" OR "), 2_001, /at most 2000 characters/],
  ];
  test.each(cases)("%s", (typed, column, says) => {
    const found = read(typed);
    expect(found).toMatchObject({ column, message: expect.stringMatching(says) });
    if (isQueryProblem(found)) expect(found.message).toMatch(/^[\x20-\x7e]*$/);
  });
});
