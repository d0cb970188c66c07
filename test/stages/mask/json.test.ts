/** A masked document keeps every byte that is not masked; what a field path names is masked; what is no JSON is read as text, or not at all. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gateOf } from "../../../server/stages/mask/detect/gate.ts";
import { isFieldPath, matchesPath, readFieldPath } from "../../../server/stages/mask/json/path.ts";
import { scanJson } from "../../../server/stages/mask/json/scan.ts";
import {
  type Case,
  maskBoth,
  masksOf,
  operation,
  recorded,
  recordedRequest,
  reply,
  restore,
  tokensIn,
} from "./setting.ts";

const of = operation("GET", "/api/v1/monitor/17");

/** Any JSON, written in any way that RFC 8259 allows: spacing, escapes, spellings of numbers, the same key twice. */
const written = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("null", "true", "false", "-0", "1e5", "1.50E-10", "12345678901234567890", "0.1000"),
    stringIn(
      fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 12 }),
        fc.constantFrom("ann@example.com", "AKIAIOSFODNN7EXAMPLE", "10.1.2.3", "https://u:pass1@h/x"),
      ),
    ),
    fc
      .tuple(space(), fc.array(tie("value"), { maxLength: 4 }))
      .map(([gap, items]) => `[${gap}${items.join(`${gap},`)}${gap}]`),
    fc
      .tuple(
        space(),
        fc.array(fc.tuple(stringIn(fc.constantFrom("a", "b", "data", "id", "email", "ключ", "x y")), tie("value")), {
          maxLength: 4,
        }),
      )
      .map(([gap, members]) => `{${members.map(([key, value]) => `${gap}${key}${gap}:${value}`).join(",")}${gap}}`),
  ),
})).value;

function space(): fc.Arbitrary<string> {
  return fc.constantFrom("", " ", "\n", "\t\r\n  ");
}

function stringIn(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, fc.infiniteStream(fc.nat(9))).map(([value, chances]) => {
    const spelled = Array.from(JSON.stringify(value).slice(1, -1));
    // Whole escapes stay whole; other characters are sometimes written by their number.
    if (spelled.includes("\\")) return `"${spelled.join("")}"`;
    return `"${spelled.map((char) => (chances.next().value === 0 && char.length === 1 ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : char)).join("")}"`;
  });
}

const visitor = { key: () => {}, string: () => {}, scalar: () => {}, open: () => {}, close: () => {} };
const isDocument = (text: string): boolean => scanJson(Buffer.from(text), gateOf(new Set()), visitor) === null;

describe("the scanner", () => {
  test("takes what JSON.parse takes", () => {
    fc.assert(
      fc.property(written, (text) => {
        JSON.parse(text);
        expect(isDocument(text)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("finds every string and key where it stands", () => {
    fc.assert(
      fc.property(written, (text) => {
        const bytes = Buffer.from(text);
        const seen: string[] = [];
        const note = (start: number, end: number): void =>
          void seen.push(JSON.parse(bytes.toString("utf8", start - 1, end + 1)) as string);
        scanJson(bytes, gateOf(new Set()), { ...visitor, key: note, string: note });
        const wanted: string[] = [];
        JSON.parse(text, function (key, value: unknown) {
          if (typeof value === "string") wanted.push(value);
          return value;
        });
        for (const value of wanted) expect(seen).toContain(value);
      }),
      { numRuns: 300 },
    );
  });

  test.for([
    "",
    "{",
    "[1,]",
    '{"a":}',
    '{"a" 1}',
    '{"a":1,}',
    "[1 2]",
    '"open',
    '"\n"',
    "{]",
    "[}",
    "nul",
    "[] []",
    "{1:2}",
    "'a'",
    '{"a":1}}',
    ",",
    ":",
  ])("refuses %j", (text) => {
    expect(isDocument(text)).toBe(false);
  });

  test("refuses what is nested too deep, and nothing before", () => {
    expect(isDocument("[".repeat(500) + "]".repeat(500))).toBe(true);
    expect(isDocument("[".repeat(600) + "]".repeat(600))).toBe(false);
  });
});

describe("a masked document", () => {
  const masks = masksOf({ detect: ["secret", "personal", "network"], fields: ["$..email"] });
  const options: Case = { of, masks };

  /** What is outside of strings. */
  const skeleton = (text: string): string => text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const stringsOf = (text: string): string[] => text.match(/"(?:[^"\\]|\\.)*"/g) ?? [];

  test("keeps every byte outside of its strings, and every string that holds nothing", async () => {
    await fc.assert(
      fc.asyncProperty(written, async (text) => {
        const { recording } = await maskBoth(text, options);
        if (recording.outcome !== "masked") return;
        const masked = recording.bytes.toString();
        // A value that is no text at `email` becomes null, and so its shape differs.
        if (recording.values.some(({ kind, text: value }) => kind === "field" && value === "")) return;
        expect(skeleton(masked)).toBe(skeleton(text));
        const [before, after] = [stringsOf(text), stringsOf(masked)];
        for (const [i, string] of after.entries()) if (!string.includes("dwm_")) expect(string).toBe(before[i]);
      }),
      { numRuns: 400 },
    );
  });

  test("comes back as it was, whatever it was", async () => {
    await fc.assert(
      fc.asyncProperty(written, async (text) => {
        const { reply: answer } = await maskBoth(text, options);
        if (answer.outcome !== "masked") return;
        const back = restore(answer.bytes, { of: operation("PUT", "/api/v1/monitor/17") });
        // The same key twice is ambiguous, and nothing of it turns back.
        if (back.outcomes.every((outcome) => outcome === "ambiguous")) return;
        expect(back.outcomes.every((outcome) => outcome === "restored")).toBe(true);
        expect(JSON.parse(back.text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 400 },
    );
  });

  test("that holds nothing is the same buffer", async () => {
    expect(await maskBoth('{"a": [1, "b"]}', options)).toEqual({
      reply: { outcome: "untouched" },
      recording: { outcome: "untouched" },
    });
  });

  test("keeps the spelling of what stands around a value in its string", async () => {
    const masked = await reply(
      '{"a":"\\u0041\\/b\\n ann@example.com \\u00e9é\\ud83d\\ude00😀 bob@example.com\\\\"}',
      options,
    );
    expect(masked).toMatch(
      /^\{"a":"\\u0041\\\/b\\n dwm_email_[\w-]+@masked\.invalid \\u00e9é\\ud83d\\ude00😀 dwm_email_[\w-]+@masked\.invalid\\\\"\}$/,
    );
  });

  test("is looked into: JSON in strings, base64, percent-encoding, keys", async () => {
    const inner = JSON.stringify({ list: [JSON.stringify({ to: "ann@example.com" })] });
    const body = JSON.stringify({
      inner,
      code: Buffer.from("mail ann@example.com").toString("base64"),
      link: "https://x.example/?to=ann%40example.com&a=%20",
      "ann@example.com": 1,
    });
    const masked = await reply(body, options);
    expect(masked).not.toMatch(/ann|YW5u|%40/);
    const value = JSON.parse(masked) as Record<string, string>;
    expect(JSON.parse(String((JSON.parse(value["inner"] ?? "") as { list: string[] }).list[0]))).toEqual({
      to: expect.stringMatching(/^dwm_email_/),
    });
    expect(value["link"]).toMatch(/^https:\/\/x\.example\/\?to=dwm_email_[\w-]+@masked\.invalid&a=%20$/);
    expect(JSON.parse(restore(masked, { of: operation("PUT", "/api/v1/monitor/17") }).text)).toEqual(JSON.parse(body));
  });
});

describe("fields", () => {
  const masks = (...fields: string[]) => masksOf({ fields, where: ["reply", "recording"] });

  test("are masked wherever the path leads, in the form that clients check for", async () => {
    const body =
      '{"data":[{"attributes":{"email":"ann@example.com","title":"Dr","site":"https://ann.example/x"}},{"attributes":{"email":"no address"}}]}';
    const value = JSON.parse(
      await reply(body, { of, masks: masks("$..attributes.email", "$.data[0].attributes.title", "$..site") }),
    ) as { data: { attributes: Record<string, string> }[] };
    expect(value.data[0]?.attributes["email"]).toMatch(/^dwm_email_[\w-]+@masked\.invalid$/);
    expect(value.data[0]?.attributes["title"]).toMatch(/^dwm_field_[\w-]+$/);
    expect(value.data[0]?.attributes["site"]).toMatch(/^https:\/\/masked\.invalid\/dwm_url_[\w-]+$/);
    expect(value.data[1]?.attributes["email"]).toMatch(/^dwm_field_[\w-]+$/);
    const back = restore(await reply(body, { of, masks: masks("$..site") }), {
      of: operation("PUT", "/api/v1/monitor/17"),
    });
    expect(back.text).toBe(body);
  });

  test.for<[string, string]>([
    ["a number", '{"a":{"secret":5},"b":"x"}'],
    ["a boolean", '{"a":{"secret":true},"b":"x"}'],
    ["an object", '{"a":{"secret":{"x":["y",{}]}},"b":"x"}'],
    ["a list", '{"a":{"secret":["x","y"]},"b":"x"}'],
  ])("%s at such a place is null in the recording and blocks the reply", async ([, body]) => {
    const { reply: answer, recording } = await maskBoth(body, { of, masks: masks("$.a.secret") });
    expect(answer).toEqual({ outcome: "blocked", says: expect.stringContaining("$.a.secret") });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    expect(recording.bytes.toString()).toBe('{"a":{"secret":null},"b":"x"}');
  });

  test("null and an empty text hold nothing", async () => {
    const body = '{"a":{"secret":null},"b":{"secret":""}}';
    expect(await reply(body, { of, masks: masks("$..secret") })).toBe(body);
  });

  test("a key that is spelled with escapes, or given twice, is the same key", async () => {
    const masked = await reply('{"sec\\u0072et":"one","secret":"two"}', { of, masks: masks("$.secret") });
    expect(masked).not.toMatch(/one|two/);
  });

  test("only where the mask says: reply, recording", async () => {
    const only = masksOf({ fields: ["$.a"], where: ["reply"] }, { fields: ["$.b"], where: ["recording"] });
    const body = '{"a":"one","b":"two"}';
    expect(await reply(body, { of, masks: only })).toMatch(/^\{"a":"dwm_field_[\w-]+","b":"two"\}$/);
    expect(await recorded(body, { of, masks: only })).toMatch(/^\{"a":"one","b":"dwm_field_[\w-]+"\}$/);
  });

  test("kinds too: what overlaps is masked on each side as that side wants it", async () => {
    const both = masksOf({ detect: ["email"], where: ["reply"] }, { fields: ["$.a"], where: ["recording"] });
    const body = '{"a":"to ann@example.com"}';
    expect(await reply(body, { of, masks: both })).toMatch(/^\{"a":"to dwm_email_[\w-]+@masked\.invalid"\}$/);
    expect(await recorded(body, { of, masks: both })).toMatch(/^\{"a":"dwm_field_[\w-]+"\}$/);
  });

  test("known secrets are masked in recordings without any mask; replies stay as they are", async () => {
    const none = masksOf();
    const webhook = operation("GET", "/api/v1/integration/webhooks/configuration/webhooks/x");
    const body = '{"name":"x","custom_headers":"{\\"a\\":\\"b\\"}","url":"https://x.example"}';
    expect(await reply(body, { of: webhook, masks: none })).toBe(body);
    expect(await recorded(body, { of: webhook, masks: none })).toMatch(
      /^\{"name":"x","custom_headers":"dwm_secret-field_[\w-]+","url":"https:\/\/x\.example"\}$/,
    );
    expect(
      await recordedRequest('{"data":{"attributes":{"key":"ab","name":"n"}}}', {
        of: operation("GET", "/api/v2/api_keys/1"),
        masks: none,
      }),
    ).toContain('"ab"');
    expect(
      await recorded('{"data":{"attributes":{"key":"ab","name":"n"}}}', {
        of: operation("GET", "/api/v2/api_keys/1"),
        masks: none,
      }),
    ).not.toContain('"ab"');
  });

  test("unless the field beside it says that it is no secret", async () => {
    const variable = operation("POST", "/api/v1/integration/webhooks/configuration/custom-variables");
    const none = masksOf();
    const send = (body: string) => recordedRequest(body, { of: variable, masks: none });
    expect(await send('{"is_secret":true,"name":"A","value":"one"}')).not.toContain("one");
    expect(await send('{"name":"A","value":"one"}')).not.toContain("one");
    expect(await send('{"value":"one","name":"A","is_secret":false}')).toContain("one");
    expect(await send('{"value":"one","is_secret":false,"is_secret":true}')).not.toContain("one");
    expect(await send('{"is_secret":false,"inner":{"is_secret":true},"value":"one"}')).toContain("one");
    expect(await send('{"inner":{"is_secret":false},"value":"one"}')).not.toContain("one");
  });
});

describe("field paths", () => {
  test.for<[string, (string | number)[][], (string | number)[][]]>([
    ["$.a.b", [["a", "b"]], [["a"], ["a", "b", "c"], ["x", "a", "b"]]],
    ["$..email", [["email"], ["a", 0, "email"]], [["emails"], ["email", "x"]]],
    [
      "$..attributes.email",
      [
        ["attributes", "email"],
        ["data", 3, "attributes", "email"],
      ],
      [["email"], ["attributes", "x", "email"]],
    ],
    [
      "$.items[*].url",
      [
        ["items", 0, "url"],
        ["items", 7, "url"],
      ],
      [["items", "url"]],
    ],
    ["$.items[1]", [["items", 1]], [["items", 0], ["items"]]],
    [
      "$['odd name']..['a.b']",
      [
        ["odd name", "x", "a.b"],
        ["odd name", "a.b"],
      ],
      [["a.b"]],
    ],
    ['$["a\\"b"]', [['a"b']], [["ab"]]],
    [
      "$.a.*",
      [
        ["a", "x"],
        ["a", 0],
      ],
      [["a"], ["a", "x", "y"]],
    ],
    [
      "$..tags[*]",
      [
        ["tags", 0],
        ["x", "tags", 5],
      ],
      [["tags"]],
    ],
    [
      "$..a..b",
      [
        ["a", "b"],
        ["x", "a", "y", "b"],
      ],
      [["b", "a"]],
    ],
    ["$.größe", [["größe"]], []],
  ])("%s", ([path, inside, outside]) => {
    const read = readFieldPath(path);
    if (!isFieldPath(read)) throw new Error(read.message);
    for (const steps of inside) expect(matchesPath(read, steps), steps.join(".")).toBe(true);
    for (const steps of outside) expect(matchesPath(read, steps), steps.join(".")).toBe(false);
  });

  test.for<[string, number, string]>([
    ["a.b", 0, "must begin with $"],
    ["$", 0, "names the whole body"],
    ["$.", 2, "a name was expected"],
    ["$.a..", 5, "a name was expected"],
    ["$a", 1, 'has "a" where . or [ was expected'],
    ["$.a b", 3, 'has " " where'],
    ["$.a[", 4, "a position, * or a name in quotes"],
    ["$.a[-1]", 4, "a position, * or a name in quotes"],
    ["$.a[?(@.x)]", 3, "has a filter"],
    ["$.a.[0]", 3, "has a dot before ["],
    ["$.a[1:2]", 4, "a position, * or a name in quotes"],
    [`$${".a".repeat(40)}`, 67, "more than 32 steps"],
  ])("%s is wrong at %i: %s", ([path, offset, message]) => {
    expect(readFieldPath(path)).toMatchObject({ offset, message: expect.stringContaining(message) });
  });
});

describe("what is no JSON", () => {
  test("is masked as text where only looks matter", async () => {
    const text = await reply('{"a": ann@example.com, broken', { of, masks: masksOf({ detect: ["email"] }) });
    expect(text).toMatch(/^\{"a": dwm_email_[\w-]+@masked\.invalid, broken$/);
  });

  test("is not read at all where fields are to be masked: they could be anywhere in it", async () => {
    const masks = masksOf({ fields: ["$.password"] });
    const { reply: answer, recording } = await maskBoth('{"password": "one", broken', { of, masks });
    expect(answer).toMatchObject({ outcome: "unreadable", says: expect.stringContaining("it is not JSON") });
    expect(recording).toEqual(answer);
    expect(JSON.stringify(answer)).not.toContain("one");
  });

  test("with a false content type is read as what it is", async () => {
    const headers = [["Content-Type", "text/plain"]] as const;
    expect(
      await reply('{"password":"one"}', { of, masks: masksOf({ fields: ["$.password"] }), headers }),
    ).not.toContain("one");
  });

  test("one document behind the other is lines", async () => {
    const body = '{"a":"ann@example.com"}\n{"a":"bob@example.com"}\n';
    const text = await reply(body, { of, masks: masksOf({ fields: ["$[0].a", "$[1].a"] }) });
    expect(tokensIn(text)).toHaveLength(2);
  });
});
