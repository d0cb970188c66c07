/** Each kind is known by its look wherever it stands in a text, and what only looks alike is left. */

import { describe, expect, test } from "vitest";
import { buildDetector, inRecording, inReply, loosen } from "../../../server/stages/mask/detect/detector.ts";
import { gateOf, isUuid, lookAtText, passes } from "../../../server/stages/mask/detect/gate.ts";
import { groups, type Kind, kindNames, kindsOf } from "../../../server/stages/mask/detect/kinds.ts";
import { secretKind } from "../../../server/stages/mask/detect/names.ts";
import { rules } from "../../../server/stages/mask/detect/rules/all.ts";
import { isIban, passesLuhn, passesTokenChecksum } from "../../../server/stages/mask/detect/validators.ts";
import { Chance, otherKinds, prefixedKinds, sampleOf } from "./samples.ts";
import { everything } from "./setting.ts";

const all = buildDetector(rules.map((rule) => ({ ...rule, sides: inReply | inRecording, custom: false })));

/** What is found in a text: `kind value`. */
const found = (text: string): string[] => {
  const spans = all.find(text).toSorted((a, b) => a.start - b.start || b.end - a.end);
  let end = -1;
  return spans
    .filter((span) => span.end > end && (end = span.end) > 0)
    .map(({ kind, start, end: to }) => `${kind} ${text.slice(start, to)}`);
};

test("there are more than 40 kinds, each in a group, each with a rule, each with a sample", () => {
  expect(kindNames.length).toBeGreaterThan(40);
  expect(groups.flatMap(kindsOf).toSorted()).toEqual([...kindNames].toSorted());
  expect(new Set(rules.map(({ kind }) => kind))).toEqual(new Set(kindNames));
  expect(new Set([...prefixedKinds, ...otherKinds])).toEqual(new Set(kindNames));
});

describe("a value of every kind", () => {
  const surroundings: readonly [string, (text: string) => string][] = [
    ["alone", (text) => text],
    ["in a sentence", (text) => `it says ${text} and more`],
    ["in brackets", (text) => `(${text})`],
    ["in quotes", (text) => `x="${text}"`],
    ["at the end of a line", (text) => `first\n${text}\nlast`],
    ["behind a long text", (text) => `${"lorem ipsum ".repeat(1_000)}${text} end`],
    ["across the edge of a window", (text) => `${"x ".repeat(1_024 - 10)}${text} end`],
  ];

  test.for(surroundings)("%s is found, all of it", ([, around]) => {
    const c = new Chance(11);
    const missed: string[] = [];
    for (const kind of [...prefixedKinds, ...otherKinds])
      for (let i = 0; i < 12; i++) {
        const sample = sampleOf(c, kind);
        const text = around(sample.text);
        const at = text.indexOf(sample.secret);
        const spans = all.find(text);
        if (!spans.some(({ start, end }) => start <= at && end >= at + sample.secret.length))
          missed.push(`${kind}: ${text.slice(0, 80)}`);
      }
    expect(missed).toEqual([]);
  });

  test("passes the gate of its rule: the cheap look never hides one", () => {
    const c = new Chance(12);
    for (const kind of [...prefixedKinds, ...otherKinds])
      for (let i = 0; i < 50; i++) {
        const { text } = sampleOf(c, kind);
        const gate = gateOf(new Set(rules.filter((rule) => rule.kind === kind).map(({ sign }) => sign)));
        expect(passes(gate, lookAtText(text)), `${kind} ${text}`).toBe(true);
      }
  });

  test("glued to the text before and after it still goes as a whole", () => {
    const c = new Chance(13);
    for (const kind of ["github-token", "aws-access-key-id", "gcp-api-key", "datadog-access-token"] as const) {
      const { text } = sampleOf(c, kind);
      const [span] = all.find(`x${text}yz end`);
      expect(span, kind).toMatchObject({ start: 1 });
      expect(span?.end).toBeGreaterThanOrEqual(text.length + 1);
    }
  });
});

describe("what only looks alike is left", () => {
  test.for<[string, string]>([
    ["a UUID", "0197a000-0000-7000-8000-0000deadbeef"],
    ["a digest", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ["a commit", "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"],
    ["a trace", "trace_id:64f3a0b1c2d3e4f564f3a0b1c2d3e4f5"],
    ["a metric", "avg(last_5m):sum:trace.http.request.errors{service:checkout,env:prod} > 42"],
    ["a time", "2023-03-28T00:12:55.123456+00:00"],
    ["two times", "10:20:30 10:20:30:40"],
    ["a time in nanoseconds", "1676922833778186514"],
    ["an id that passes Luhn", "6252933144469107600"],
    ["digits of a card in a longer number", "94111111111111111"],
    ["a card with a wrong check digit", "4111 1111 1111 1112"],
    ["an IBAN with wrong check digits", "DE88 3704 0044 0532 0130 00"],
    ["a social security number that was never given", "000-12-3456 666-12-3456 900-12-3456 123-00-4567"],
    ["a version", "v1.2.3-rc.4 and 10.0.0"],
    ["five numbers with dots", "1.2.3.4.5"],
    ["a number over 255", "300.1.2.3"],
    ["names with colons", "std::dead::beef and Foo::Bar"],
    ["a fingerprint", "5B:1D:26:C2:84:4A:37:36:57:E4:95:53:4D:19:0B:FD:36:1A:EB:96"],
    ["a package", "npm install left-pad@1.3.0"],
    ["an image", "logo@2x.png"],
    ["a repository", "git@github.com:acme/app.git"],
    ["a mention", "@slack-ops @all"],
    ["a local number", "12345678"],
    ["a placeholder", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and sk_live_xxxxxxxxxxxxxxxxxxxxxxxx"],
    ["the name of a secret", "password=${env:DB_PASSWORD} token: {{ API_TOKEN }} client_secret=<your secret>"],
    ["a word behind a name", "Bearer authentication-is-required; token: authentication_failed"],
    ["base64 of nothing secret", Buffer.from("just a plain sentence, nothing else").toString("base64")],
    ["a path", "/api/v2/security_monitoring/configuration/critical_assets"],
    ["a reference", "arn:aws:iam::123456789012:role/DatadogAWSIntegrationRole"],
  ])("%s", ([, text]) => {
    expect(found(text)).toEqual([]);
  });
});

describe("the part that is masked", () => {
  test.for<[string, string, string[]]>([
    ["a URL keeps its host", "postgres://app:hunter22@db.example.com/x", ["url-password app:hunter22"]],
    [
      "a webhook keeps its host",
      "https://hooks.slack.com/services/T0000000/B0000000/abcdefghijklmnop12345678",
      ["slack-webhook T0000000/B0000000/abcdefghijklmnop12345678"],
    ],
    ["an assignment keeps its name", 'password = "correct-horse1"', ["secret-field correct-horse1"]],
    [
      "a header keeps its scheme",
      "Authorization: Bearer abcdefghijklmnop1234",
      ["http-authorization abcdefghijklmnop1234"],
    ],
    ["an address in brackets", "Ann <ann.o'neil+x@mail.example.co.uk>, Bob", ["email ann.o'neil+x@mail.example.co.uk"]],
    [
      "a key to its end line",
      "a -----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY----- b",
      ["private-key -----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----"],
    ],
    [
      "a key without its end",
      "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg",
      ["private-key -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg"],
    ],
    [
      "cards as people write them",
      "4111 1111 1111 1111, 3782-822463-10005, 5500000000000004",
      ["credit-card 4111 1111 1111 1111", "credit-card 3782-822463-10005", "credit-card 5500000000000004"],
    ],
    [
      "phones as people write them",
      "+49 (30) 1234-5678 or 415-555-2671 or (415) 555-2671",
      ["phone +49 (30) 1234-5678", "phone 415-555-2671", "phone (415) 555-2671"],
    ],
    [
      "addresses with a port, a mask, in a list",
      "10.1.2.3:80,10.1.2.0/24;[2001:db8::1]:443",
      ["ipv4 10.1.2.3", "ipv4 10.1.2.0", "ipv6 2001:db8::1"],
    ],
    ["a card behind other digits", "1234 4111 1111 1111 1111", ["credit-card 4111 1111 1111 1111"]],
  ])("%s", ([, text, expected]) => {
    expect(found(text)).toEqual(expected);
  });
});

describe("check digits and sums", () => {
  test("Luhn", () => {
    expect(passesLuhn("79927398713")).toBe(true);
    expect(passesLuhn("79927398710")).toBe(false);
  });

  test("IBAN", () => {
    expect(isIban("GB82 WEST 1234 5698 7654 32")).toBe(true);
    expect(isIban("GB82 WEST 1234 5698 7654 3")).toBe(false);
    expect(isIban("ZZ82 WEST 1234 5698 7654 32")).toBe(false);
  });

  test("GitHub's token checksum", () => {
    expect(passesTokenChecksum("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")).toBe(true);
    expect(passesTokenChecksum("ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18")).toBe(false);
  });
});

describe("fields that are named like secrets", () => {
  test.for<[string, string, Kind | null]>([
    ["password", "x1", "secret-field"],
    ["DB_PASSWORD", "hunter2", "secret-field"],
    ["clientSecret", "abc", "secret-field"],
    ["DD_API_KEY", "0123456789abcdef0123456789abcdef", "datadog-api-key"],
    ["application_key", "0123456789abcdef0123456789abcdef01234567", "datadog-app-key"],
    ["api-key", "short", "secret-field"],
    ["token", "fasjyydbcgwwc2uc546a27681750cfe1aa43a99", "secret-field"],
    ["token", "next-page", null],
    ["next_page_token", "abcdefghijklmnopqrstuvwxyz", null],
    ["attribute_key", "testcreateanauthnmappingreturnsokresponse1652349067", null],
    ["key", "0197a000-0000-7000-8000-0000deadbeef", null],
    ["publicKey", "voTcDho3mVIVzY8m98GyVfIib84TgbZoHSWzVQ09TFU=", null],
    ["password", "********", null],
    ["monkey", "0123456789abcdef0123456789abcdef".slice(0, 12), null],
    ["name", "0123456789abcdef0123456789abcdef", null],
  ])("%s: %s is %s", ([name, value, kind]) => {
    expect(secretKind(name, value)).toBe(kind);
  });
});

describe("a custom pattern", () => {
  const custom = (pattern: string) =>
    buildDetector([{ kind: "custom", pattern, sign: "any", sides: inReply, custom: true }]);

  test("finds its matches, or what its group matches, and takes the rest of the word along", () => {
    const text = "id CUST-0042 and CUST-0043x, name: Ann";
    expect(
      custom("CUST-\\d{4}")
        .find(text)
        .map(({ start, end }) => text.slice(start, end)),
    ).toEqual(["CUST-0042", "CUST-0043x"]);
    expect(
      custom("name: (\\w+)")
        .find(text)
        .map(({ start, end }) => text.slice(start, end)),
    ).toEqual(["Ann"]);
  });

  test("in any script", () => {
    const text = "der Größenwahn, 東京";
    expect(
      custom("Größ\\w*|東京")
        .find(text)
        .map(({ start, end }) => text.slice(start, end)),
    ).toEqual(["Größenwahn", "東京"]);
  });

  test("that matches nearly everything masks the piece as a whole", () => {
    const spans = custom("[a-z]").find("a b c d e f ".repeat(100));
    expect(spans.length).toBeLessThan(200);
    expect(spans.at(-1)?.end).toBe(1_200);
  });
});

test("the set's patterns are looser than the rules', and only in their counts", () => {
  expect(loosen("gh[pousr]_[A-Za-z0-9]{36,}")).toBe("gh[pousr]_[A-Za-z0-9]{8,}");
  expect(loosen("a{3}b{40}c{2,300}d{0,24}")).toBe("a{3}b{8,}c{2,}d{0,}");
  expect(loosen("[{36}]\\{36}\\x{10FFFF}{9}")).toBe("[{36}]\\{36}\\x{10FFFF}{8,}".replace("\\{36}", "\\{36}"));
});

test("a UUID alone needs no second look", () => {
  expect(isUuid(Buffer.from("0197a000-0000-7000-8000-0000deadbeef"), 0, 36)).toBe(true);
  expect(isUuid(Buffer.from("0197a000-0000-7000-8000-0000deadbeeg"), 0, 36)).toBe(false);
});

test("in recordings secrets are looked for without any mask, people and machines only by one", () => {
  expect(everything.detector.find("ann@example.com").map(({ sides }) => sides)).toEqual([inReply | inRecording]);
});
