/** What the search box completes, what a click adds to a search, and where one is wrong. */

import { describe, expect, test } from "vitest";
import { isQueryProblem, readQuery } from "../../server/journeys/search/language.ts";
import { completionsOf, knownIn } from "../../server/web/app/completions.ts";
import { filters, hasTerm, markedPieces, pointAt, suggestedSearches, withTerm } from "../../server/web/searching.ts";

const now = new Date("2026-05-04T12:00:00.000Z");
const isRead = (q: string): boolean => !isQueryProblem(readQuery(q, now));
const textsOf = (text: string, known = new Map<string, readonly string[]>()): readonly string[] =>
  completionsOf(text, known).map((completion) => completion.text);

describe("completions", () => {
  test("are fields, then values, wherever a word begins", () => {
    expect(textsOf("x -sta")).toEqual(["x -status:"]);
    expect(textsOf("(acc")).toEqual(["(access:"]);
    expect(textsOf("decision:d")).toEqual(["decision:deny "]);
    expect(textsOf('operation:"x" ACCESS:wri')).toEqual(['operation:"x" ACCESS:write ']);
    expect(textsOf("nothing-like-it")).toEqual([]);
  });

  test("stay out of quotes", () => {
    for (const text of ['"sta', 'one "two acc', String.raw`"a \" acc`]) expect(textsOf(text)).toEqual([]);
    expect(textsOf(String.raw`"a \" b" acc`)).toHaveLength(1);
  });

  test("of values that were seen can be searched for, whatever they hold", () => {
    const odd = ["Tidy up", 'say "hi"', String.raw`back\slash ()`, "\u202ereversed", "plain"];
    const known = new Map([["rule", odd]]);
    expect(textsOf("rule:", known)).toEqual([
      'rule:"Tidy up" ',
      String.raw`rule:"say \"hi\"" `,
      String.raw`rule:"back\\slash ()" `,
      "rule:\u202ereversed ",
      "rule:plain ",
    ]);
    odd.forEach((value, index) =>
      expect(readQuery(textsOf("rule:", known)[index] ?? "", now)).toEqual({
        kind: "field",
        field: "rule",
        value: value.toLowerCase(),
      }),
    );
  });

  test("are of what was shown, and of nothing that cannot be typed", () => {
    const session = {
      connection: "prod",
      caller: { issuer: "i", subject: "s", repository: "acme/app", actor: "a\u0000b", ref: "refs/pull/7/merge" },
    };
    const hit = { repository: "acme/other", connection: "prod", operation: "v1.MonitorsApi.GetMonitor" };
    const known = knownIn(
      [session as unknown as Parameters<typeof knownIn>[0][number]],
      [{ ...hit, decision: { rules: [{ name: "reads" }] } } as unknown as Parameters<typeof knownIn>[1][number]],
    );
    expect(Object.fromEntries(known)).toEqual({
      repo: ["acme/app", "acme/other"],
      pr: ["7"],
      connection: ["prod"],
      operation: ["GetMonitor"],
      rule: ["reads"],
    });
  });

  test("are understood: every field, every value that is offered beforehand", () => {
    for (const [field] of completionsOf("", new Map()).map(({ shown }) => shown.split(":"))) {
      const values = textsOf(`${field}:`);
      for (const value of values.length > 0 ? values : [`${field}:1`])
        expect([value, isRead(value)]).toEqual([value, true]);
    }
  });
});

describe("a filter", () => {
  test("takes the place of another one of its field, and goes when it is clicked again", () => {
    expect(withTerm("", "access", "read")).toBe("access:read");
    expect(withTerm("checkout access:read -status:404", "access", "write")).toBe("checkout -status:404 access:write");
    expect(withTerm("checkout access:read", "access", null)).toBe("checkout");
    expect(hasTerm("checkout Access:read", "access", "read")).toBe(true);
  });

  test("is about the whole search, also where that is one or the other", () => {
    expect(withTerm("one two OR three", "access", "read")).toBe("(one two OR three) access:read");
    expect(hasTerm("access:read OR three", "access", "read")).toBe(false);
    expect(withTerm("access:read OR three", "access", "read")).toBe("(access:read OR three) access:read");
  });

  test.each([
    'say "access:read (x" (access:read OR -decision:deny) a-b',
    String.raw`"quo\"te" -(one two) repo:"acme/app"`,
    "- OR ) (",
    '"never closed access:read',
  ])("leaves everything else as it was: %s", (q) => {
    const added = withTerm(q, "access", "write");
    expect(isRead(added)).toBe(isRead(q));
    if (!isRead(q)) return;
    const [before, after] = [readQuery(q, now), readQuery(added, now)];
    expect(after).toEqual({
      kind: "all",
      of: [
        ...("of" in before && before.kind === "all" ? before.of : [before]),
        { kind: "field", field: "access", value: "write" },
      ].flat(),
    });
    expect(readQuery(withTerm(added, "access", null), now)).toEqual(before);
  });

  test("is understood, like every search that is suggested", () => {
    for (const { field, values } of filters)
      for (const { value } of values) expect(isRead(`${field}:${value}`)).toBe(true);
    for (const { q } of suggestedSearches) expect([q, isRead(q)]).toEqual([q, true]);
  });
});

test("the place that was not understood is pointed at, at the end and in the midst of a long search too", () => {
  expect(pointAt("plain statsu:404", 7)).toEqual({ before: "plain ", at: "s", after: "tatsu:404" });
  expect(pointAt("one OR", 7)).toEqual({ before: "one OR", at: " ", after: "" });
  expect(pointAt("a😀b", 2)).toEqual({ before: "a", at: "😀", after: "b" });
  const { before, at, after } = pointAt("x".repeat(2_001), 1_001);
  expect([before, at, after]).toEqual([`…${"x".repeat(60)}`, "x", `${"x".repeat(60)}…`]);
});

test("an excerpt is cut at its marks and nothing of it is lost", () => {
  const text = "…<b>found</b> found…";
  const pieces = markedPieces(text, [
    [4, 9],
    [14, 19],
  ]);
  expect(pieces.filter(({ isFound }) => isFound).map((piece) => piece.text)).toEqual(["found", "found"]);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  expect(markedPieces("", [])).toEqual([]);
});
