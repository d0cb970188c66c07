/** What a reviewer sees change: everything that does, nothing that does not, and no digit lost. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { differenceOf } from "../../../server/stages/escalate/diff.ts";

const lines = (before: unknown, after: unknown): readonly string[] =>
  differenceOf(
    typeof before === "string" ? before : JSON.stringify(before),
    typeof after === "string" ? after : JSON.stringify(after),
  )?.lines ?? [];

test("ids beyond 2^53 keep every digit", () => {
  expect(lines('{"id": 9007199254740993, "n": 1}', '{"id": 9007199254740992, "n": 1}')).toEqual([
    '- "id": 9007199254740993',
    '+ "id": 9007199254740992',
    "  … 1 field as before",
  ]);
  expect(differenceOf('{"id": 9007199254740993}', '{"id": 9007199254740993}')?.changes).toBe(false);
});

test("the same number spelled otherwise is no change, the same digits as a text are one", () => {
  expect(differenceOf('{"a": 1.0}', '{"a": 1}')?.changes).toBe(false);
  expect(lines('{"a": "1"}', '{"a": 1}')).toEqual(['- "a": "1"', '+ "a": 1']);
  expect(lines('{"a": null}', '{"a": ""}')).toEqual(['- "a": null', '+ "a": ""']);
});

test("what Datadog wraps is unwrapped", () => {
  const slo = { data: { id: "x", name: "SLO", thresholds: [{ target: 99 }] }, errors: [] };
  expect(lines(slo, { name: "SLO", thresholds: [{ target: 95 }] })).toEqual([
    '  "name": "SLO"',
    '  "thresholds": [',
    "    {",
    '-     "target": 99',
    '+     "target": 95',
    "    }",
    "  ]",
  ]);
  const role = { data: { id: "7", type: "roles", attributes: { name: "a", user_count: 3 } } };
  const change = differenceOf(
    JSON.stringify(role),
    JSON.stringify({ data: { id: "7", type: "roles", attributes: { name: "b" } } }),
  );
  expect(change?.lines).toEqual([
    '  "data": {',
    '    "id": "7"',
    '    "type": "roles"',
    '    "attributes": {',
    '-     "name": "a"',
    '+     "name": "b"',
    "    }",
    "  }",
  ]);
  expect(change?.unnamed).toEqual(["data.attributes.user_count"]);
});

test("a field that the request leaves out is named, and never shown as removed", () => {
  const change = differenceOf(
    '{"a": 1, "tags": [], "options": {"x": 1, "y": 2}, "id": 7}',
    '{"a": 2, "options": {"x": 1}}',
  );
  expect(change?.lines).toEqual(['- "a": 1', '+ "a": 2', '  "options": {', "    … 1 field as before", "  }"]);
  expect(change?.unnamed).toEqual(["tags", "options.y"]);
});

test("an item of a list is replaced as a whole: what it loses is shown", () => {
  expect(lines({ widgets: [{ id: 1, title: "a", legend: true }] }, { widgets: [{ id: 1, title: "b" }] })).toEqual([
    '  "widgets": [',
    "    {",
    '      "id": 1',
    '-     "title": "a"',
    '+     "title": "b"',
    '-     "legend": true',
    "    }",
    "  ]",
  ]);
});

test("an insertion into a list is one insertion", () => {
  expect(lines({ tags: ["a", "b", "c"] }, { tags: ["a", "x", "b", "c"] })).toEqual([
    '  "tags": [',
    "    … 1 item as before",
    '+   "x"',
    "    … 2 items as before",
    "  ]",
  ]);
  expect(lines({ tags: ["a", "b"] }, { tags: ["b", "a"] }).filter((line) => /^[+-]/.test(line))).toHaveLength(2);
});

test("there is no diff of things that have nothing in common", () => {
  for (const [before, after] of [
    ["{}", "{}"],
    ['{"a":1}', '{"b":1}'],
    ["[1]", "[2]"],
    ["null", "{}"],
    ["x", '{"a":1}'],
    ['{"a":1}', '{"a":1,"a":2}'],
  ] as const)
    expect(differenceOf(before, after)).toBeNull();
});

test("names like __proto__ and constructor are names", () => {
  expect(lines('{"__proto__": 1, "constructor": 1}', '{"__proto__": 2, "constructor": 1}')).toEqual([
    '- "__proto__": 1',
    '+ "__proto__": 2',
    "  … 1 field as before",
  ]);
});

test("large lists that differ in everything end in bounded time and lines", () => {
  const list = (from: number) => Array.from({ length: 200_000 }, (_, i) => i + from);
  const change = differenceOf(JSON.stringify({ a: list(0) }), JSON.stringify({ a: list(1_000_000) }));
  expect(change?.cut).toBe(true);
  expect(change?.lines.length).toBeLessThanOrEqual(4_001);
});

test("nothing that changes is left out, and nothing changes where nothing does", () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(json, json, (before, after) => {
      const change = differenceOf(JSON.stringify({ id: 1, v: before }), JSON.stringify({ id: 1, v: after }));
      // Numbers that lose digits and keys that differ in case alone are not laid on each other: both sides are shown as they are.
      fc.pre(change !== null);
      expect(differenceOf(JSON.stringify({ id: 1, v: after }), JSON.stringify({ id: 1, v: after }))?.changes).toBe(
        false,
      );
      const unnamed = (change?.unnamed.length ?? 0) > 0;
      expect((change?.changes ?? false) || unnamed).toBe(sorted(before) !== sorted(after));
    }),
  );
});

/** As JSON tells values apart. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    member !== null && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
