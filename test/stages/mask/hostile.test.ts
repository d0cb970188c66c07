/** Input that is made to cost: every body is masked in time that grows with its size alone. A hang here is a failure; nothing is decided by a stopwatch. */

import { describe, expect, test } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { mostReturned } from "../../../server/stages/mask/token/restore.ts";
import { mostFindings } from "../../../server/stages/mask/detect/detector.ts";
import { Chance } from "./samples.ts";
import { everything, json, maskBoth, masksOf, operation, reply, restore, tokensIn } from "./setting.ts";

const of = operation("GET", "/api/v1/monitor/17");
const size = 1_000_000;
const text: HeaderList = [["Content-Type", "text/plain"]];
const repeat = (unit: string): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
/** Ten times what the slowest of them takes on a busy machine of two cores. */
const guard = { timeout: 120_000 };

const lines: readonly [string, () => string][] = [
  ["one letter", () => repeat("a")],
  ["digits", () => repeat("1")],
  ["@", () => repeat("@")],
  ["addresses that never end", () => repeat("a@a.")],
  ["addresses that never begin", () => repeat("a.b-c_d+e%f")],
  ["URLs that never end", () => repeat("a://a:")],
  ["half a URL with a password", () => `https://${repeat("a:")}`],
  ["tokens without a dot", () => `eyJ${repeat("A")}`],
  ["beginnings of tokens", () => repeat("eyJhbGciOiJ9.")],
  ["beginnings of our own tokens", () => repeat("dwm_")],
  ["beginnings of keys", () => repeat("-----BEGIN PRIVATE KEY-----")],
  ["prefixes of everything", () => repeat("ghp_xoxb-sk_live_AKIASG.glpat-npm_eyJddpat_")],
  ["names of secrets", () => repeat("password=token:api_key=secret ")],
  ["numbers with separators", () => repeat("4-1 1-1 ")],
  ["IBAN-like words", () => repeat("DE89 3704 ")],
  ["colons", () => repeat("a:b:")],
  ["IPv6-like rows", () => repeat("1:2:3:4:5:6:7:8:")],
  ["dots", () => repeat("1.2.3.")],
  ["percent-encoding", () => repeat("%61%40")],
  ["broken percent-encoding", () => repeat("%e2%82")],
  ["base64 of text", () => Buffer.from(repeat("plain text ").slice(0, 740_000)).toString("base64")],
  [
    "base64 of base64 of base64",
    () =>
      Buffer.from(
        Buffer.from(Buffer.from(repeat("x ").slice(0, 400_000)).toString("base64")).toString("base64"),
      ).toString("base64"),
  ],
  ["many beginnings of base64", () => repeat("QUFBQUFBQUFBQUFBQUFBQUFBQUFB.")],
  ["base64 of which every fourth letter is a slash", () => repeat("Pz8/")],
  ["base64 of words and of what is none", () => repeat("cGxhaW4gdGV4dCBwbGFpbiB0ZXh0/_-x")],
  ["random letters", () => new Chance(1).text(size)],
];

describe("a line of 1 MB", () => {
  test.for(lines)("of %s", guard, async ([, make]) => {
    const body = make();
    const { recording } = await maskBoth(body, { of, headers: text });
    expect(["untouched", "masked", "unreadable"]).toContain(recording.outcome);
  });

  test("in a JSON string, with escapes, in JSON in a string", guard, async () => {
    for (const unit of ["\\u0061", "ann\\u0040example.com ", '\\"', "😀"]) {
      const { recording } = await maskBoth(`{"a":"${unit.repeat(Math.floor(size / Buffer.byteLength(unit)))}"}`, {
        of,
      });
      expect(["untouched", "masked", "unreadable"]).toContain(recording.outcome);
    }
    const nested = JSON.stringify(
      JSON.stringify(JSON.stringify(Array.from({ length: 60_000 }, () => "ann@example.com"))),
    );
    const { recording } = await maskBoth(nested, { of });
    expect(recording.outcome).toBe("masked");
  });
});

describe("a document of 1 MB", () => {
  test.for<[string, () => string]>([
    ["millions of lists", () => `[${"[],".repeat(size / 4)}[]]`],
    ["millions of empty keys", () => `{${'"":1,'.repeat(size / 6)}"":1}`],
    ["a key of 1 MB", () => `{"${"k".repeat(size)}":"ann@example.com"}`],
    [
      "as deep as it may be, again and again",
      () => `[${`${"[".repeat(400)}"ann@example.com"${"]".repeat(400)},`.repeat(size / 900)}0]`,
    ],
    ["nothing but secrets", () => JSON.stringify(Array.from({ length: 100_000 }, (_, i) => `user${i}@example.com`))],
    [
      "nothing but destinations beside one secret",
      () =>
        JSON.stringify({
          id: 1,
          a: "ann@example.com",
          ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`url_${i}`, `https://x.example/${i}`])),
        }),
    ],
    ...[`"//a `, `'https:a `, "<http:b ", "a:b:c.de:", "&#47;", "{{#", "{{!-- ", "@a ", "x.y:"].map(
      (unit): [string, () => string] => [
        `an endless ${unit} beside a secret in one text`,
        () =>
          JSON.stringify({ id: 1, a: `ann@example.com ${repeat(unit)}`, message: `ann@example.com ${repeat(unit)}` }),
      ],
    ),
    [
      "a thousand things with many of both",
      () =>
        JSON.stringify(
          Array.from({ length: 1_000 }, (_, id) => ({
            id,
            list: Array.from({ length: 60 }, (_, i) => ({ url: `https://x.example/${i}`, mail: `u${i}@example.com` })),
          })),
        ),
    ],
  ])("%s", guard, async ([, make]) => {
    const { recording } = await maskBoth(make(), { of: operation("GET", "/api/v1/monitor") });
    expect(["untouched", "masked", "unreadable"]).toContain(recording.outcome);
  });

  test("nothing but fields", guard, async () => {
    const body = JSON.stringify({ list: Array.from({ length: 30_000 }, (_, i) => ({ a: { b: `v${i}` } })) });
    const masks = masksOf({ fields: ["$..b", "$..a..*", "$.list[*].a.b"] });
    expect(tokensIn(await reply(body, { of, masks })).length).toBe(30_000);
  });

  test("more values than are masked at once: nothing of it is shown or kept", guard, async () => {
    const bodies = [
      `[${'"a@b.co",'.repeat(mostFindings)}"c@d.co"]`,
      `[${'{"password":"pw12"},'.repeat(mostFindings + 1)}1]`,
    ];
    for (const body of bodies) {
      const { reply: answer, recording } = await maskBoth(body, { of });
      expect(answer).toMatchObject({ outcome: "unreadable", says: expect.stringContaining("100000 values") });
      expect(recording.outcome).toBe("unreadable");
    }
  });

  test.for(["a@b.co ", "a@b.co,a@b.co,", "x@y.zz"])(
    "and what stands behind them is not kept either: %s",
    guard,
    async (unit) => {
      const key = "AKIAQ3EGRZUOT7WBPB2M";
      const { recording } = await maskBoth(`${unit.repeat(2 * mostFindings)} ${key}`, { of, headers: text });
      if (recording.outcome === "masked") expect(recording.bytes.includes(key)).toBe(false);
      else expect(recording.outcome).toBe("unreadable");
    },
  );
});

describe("a custom pattern of somebody who did not think of it", () => {
  test.for(["(a|aa)+$", "foo.*bar|foo", "a.{0,100}b|a", "(?i)x[^y]*y|x", "[ab]{1,100}c|a"])(
    "%s",
    guard,
    async (pattern) => {
      const masks = masksOf({ detectors: [{ name: "mine", pattern }] });
      for (const body of [
        repeat("a").slice(0, 1_000_000),
        repeat("foo").slice(0, 1_000_000),
        repeat("xab").slice(0, 1_000_000),
      ]) {
        const { recording } = await maskBoth(body, { of, headers: text, masks });
        expect(["untouched", "masked", "unreadable"]).toContain(recording.outcome);
      }
    },
  );
});

describe("requests made to cost", () => {
  const put = operation("PUT", "/api/v1/monitor/17");

  test("20,000 forged tokens", guard, () => {
    const forged = "dwm_email_LAAwn3EGqunxELpD-C0j9c6Ji0NIO1MKNM6NanDAc1XJzv8mZ-7195f2v5rutxpS@masked.invalid";
    const back = restore(JSON.stringify({ url: Array.from({ length: mostReturned }, () => forged) }), { of: put });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toHaveLength(mostReturned);
  });

  test("one real token 20,000 times, in as many destinations", guard, async () => {
    const [token = ""] = tokensIn(await reply('{"message":"ann@example.com"}', { of }));
    const back = restore(
      JSON.stringify({ message: token, urls: Array.from({ length: mostReturned - 1 }, () => `https://${token}`) }),
      { of: put },
    );
    expect(back.bytes).toBeNull();
  });

  test("megabytes of what could be a token", guard, () => {
    for (const unit of ["dwm_", "_", "dwm_email_", "dwm_email_AAAAAAAA"]) {
      const back = restore(JSON.stringify({ a: repeat(unit) }), { of: put });
      expect(back.bytes).toBeNull();
    }
  });
});

test("masks are found again after all that: no pattern was given up", async () => {
  expect(await reply('{"a":"ann@example.com"}', { of, masks: everything, headers: json })).toContain("dwm_email_");
});
