/** What callers send to slow a policy down or to fool it. Time is not measured here: what would hang does not come to an end. */

import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decide, needsBody } from "../../../server/stages/decide/decide.ts";
import type { Facts } from "../../../server/stages/decide/facts.ts";
import { decodeBody } from "../../../server/stages/decide/inspect.ts";
import { factsOf, policyOf, rule } from "./example.ts";

const json = [["content-type", "application/json"]] as const;

const judged = async (when: string, body: string | Buffer, headers: Facts["request"]["headers"] = json) => {
  const decoded = await decodeBody(Buffer.from(body), headers, { inspect: 8 * 2 ** 20 });
  if ("code" in decoded) return decoded.code;
  const facts = factsOf({ body: decoded });
  const [deny, allow] = (["deny", "allow"] as const).map((effect) => {
    const decision = decide(policyOf([rule("it", effect, when)]), facts);
    return needsBody(decision) ? "needs" : decision.rules.length === 1;
  });
  return { deny, allow };
};
/** Nobody can say what it means: it denies, and allows nothing. */
const unevaluable = { deny: true, allow: false };

describe("bodies that two readers could read differently", () => {
  test.for<[string, string | Buffer]>([
    ["the same key twice", '{"priority":1,"priority":5}'],
    ["the same key in two cases", '{"priority":1,"Priority":5}'],
    ["the same key, escaped", '{"priority":1,"\\u0070riority":5}'],
    ["a byte order mark", '\ufeff{"priority":1}'],
    ["two documents", '{"priority":1}{"priority":5}'],
    ["a comment", '{"priority":1}//'],
    ["a trailing comma", '{"priority":1,}'],
    ["single quotes", "{'priority':1}"],
    ["NaN", '{"priority":NaN}'],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["overlong UTF-8", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ["UTF-16", Buffer.from('{"priority":1}', "utf16le")],
    ["depth", "[".repeat(5_000) + "]".repeat(5_000)],
    ["depth that does not end", "[".repeat(1_000_000)],
    ["a number of a thousand digits", `{"priority":${"9".repeat(1_000)}}`],
    ["a number over all bounds", '{"priority":1e999}'],
  ])("%s", async ([, body]) => {
    expect(await judged("request.body.priority == 1", body)).toEqual(unevaluable);
    expect(await judged("request.body.priority != 1", body)).toEqual(unevaluable);
    expect(await judged("!has(request.body.priority)", body)).toEqual(unevaluable);
  });
});

describe("numbers", () => {
  test("beyond 2^53 keep every digit", async () => {
    expect(await judged("request.body.id == 9007199254740993", '{"id":9007199254740993}')).toEqual({
      deny: true,
      allow: true,
    });
    expect(await judged("request.body.id == 9007199254740993", '{"id":9007199254740992}')).toEqual({
      deny: false,
      allow: false,
    });
  });

  test("a fraction is no way around a threshold", async () => {
    for (const written of ["50", "50.0", "5e1", "50.00000000000001"])
      expect(await judged("request.body.critical >= 50", `{"critical":${written}}`)).toMatchObject({ deny: true });
    expect(await judged("request.body.critical >= 50", '{"critical":"50"}')).toEqual(unevaluable);
    expect(await judged("request.body.critical >= 50", '{"critical":true}')).toEqual(unevaluable);
  });
});

describe("names of prototypes", () => {
  test.for(["__proto__", "constructor", "toString", "hasOwnProperty", "size", "get"])(
    "%s is a key like any other",
    async (name) => {
      expect(await judged(`request.body["${name}"] == "x"`, "{}")).toEqual(unevaluable);
      expect(await judged(`"${name}" in request.body`, "{}")).toEqual({ deny: false, allow: false });
      expect(await judged(`"${name}" in request.body`, `{"${name}":"x"}`)).toEqual({ deny: true, allow: true });
      if (name !== "__proto__")
        expect(await judged(`request.body.${name} == "x"`, `{"${name}":"x"}`)).toEqual({ deny: true, allow: true });
    },
  );

  test("an object cannot give itself fields by __proto__", async () => {
    expect(await judged('request.body.admin == "yes"', '{"__proto__":{"admin":"yes"}}')).toEqual(unevaluable);
  });
});

describe("size", () => {
  test("five megabytes are judged like any body", async () => {
    const body = JSON.stringify({ tags: Array.from({ length: 300_000 }, (_, i) => `a-tag:${i}`), priority: 1 });
    expect(body.length).toBeGreaterThan(4_000_000);
    expect(await judged('"a-tag:299999" in request.body.tags && request.body.priority == 1', body)).toEqual({
      deny: true,
      allow: true,
    });
    expect(await judged('request.body.tags.exists(t, t == "a-tag:299999")', body)).toEqual({ deny: true, allow: true });
  });

  test("what expands without end is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, " "));
    expect(await judged("request.body.priority == 1", bomb, [...json, ["content-encoding", "gzip"]])).toBe(
      "body_too_large",
    );
  });

  test("millions of empty values are refused, not kept", async () => {
    expect(await judged("request.body.size() > 0", `[${"[],".repeat(1_500_000)}[]]`)).toEqual(unevaluable);
  });
});

describe("regular expressions that would never end", () => {
  test.for(["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])("%s", async (pattern) => {
    const outcome = await judged(
      `request.body.text.re("${pattern}")`,
      JSON.stringify({ text: `${"a".repeat(20_000)}!` }),
    );
    expect(outcome).toEqual({ deny: false, allow: false });
  });
});
