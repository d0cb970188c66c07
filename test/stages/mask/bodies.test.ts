/** Bodies of every form: what is masked in them, what stays, and in which coding they come out. */

import { brotliCompressSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { codingsOf, decodeCodings } from "../../../server/model/coding.ts";
import type { HeaderList } from "../../../server/model/receipt.ts";
import {
  everything,
  json,
  maskBoth,
  masksOf,
  operation,
  recorded,
  recordedRequest,
  reply,
  tokensIn,
} from "./setting.ts";

const of = operation("POST", "/api/v1/events");
const typed = (type: string): HeaderList => [["Content-Type", type]];
const email = String.raw`dwm_email_[\w-]+@masked\.invalid`;

describe("forms", () => {
  const headers = typed("application/x-www-form-urlencoded");

  test("are masked value by value, and keep every other byte", async () => {
    const body = "a=1&to=ann%40example.com&b=x+y%20z&password=hunter22&=&c&note=see+ann%40example.com%21";
    const masked = await recordedRequest(body, { headers, of });
    expect(masked).toMatch(
      new RegExp(`^a=1&to=${email}&b=x\\+y%20z&password=dwm_secret-field_[\\w-]+&=&c&note=see\\+${email}%21$`),
    );
    expect(new URLSearchParams(masked).get("note")).toMatch(new RegExp(`^see ${email}!$`));
  });

  test("may hold JSON, or be JSON", async () => {
    const payload = encodeURIComponent(JSON.stringify({ to: "ann@example.com", n: 1 }));
    const masked = await recordedRequest(`payload=${payload}`, { headers, of });
    expect(JSON.parse(new URLSearchParams(masked).get("payload") ?? "")).toEqual({
      to: expect.stringMatching(new RegExp(`^${email}$`)),
      n: 1,
    });
    expect(await recordedRequest('{"to":"ann@example.com"}', { headers, of })).toMatch(
      new RegExp(`^\\{"to":"${email}"\\}$`),
    );
  });

  test("have fields by name", async () => {
    expect(await recordedRequest("a=one&b=two", { headers, of, masks: masksOf({ fields: ["$.a"] }) })).toMatch(
      /^a=dwm_field_[\w-]+&b=two$/,
    );
  });
});

describe("multipart", () => {
  const headers = typed('multipart/form-data; boundary="--x:y"');
  const part = (head: string, content: Buffer | string): Buffer =>
    Buffer.concat([Buffer.from(`----x:y\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from("\r\n")]);
  const body = (...parts: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from("preamble\r\n"), ...parts, Buffer.from("----x:y--\r\nepilogue")]);

  test("is masked part by part: text, JSON, names, files; what is between stays", async () => {
    const sent = body(
      part('Content-Disposition: form-data; name="password"', "hunter22"),
      part(
        'content-disposition: form-data; name="event"; filename="for ann@example.com"\r\nContent-Type: application/json',
        '{"to": "ann@example.com"}',
      ),
      part(
        'Content-Disposition: form-data; name="icon"; filename="i.png"\r\nContent-Type: image/png',
        Buffer.from([137, 80, 78, 71, 0, 255, 13, 10]),
      ),
    );
    const { recording } = await maskBoth(sent, { headers, of });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    const text = recording.bytes.toString("latin1");
    expect(text).not.toMatch(/hunter22|ann@/);
    expect(text).toMatch(
      /^preamble\r\n----x:y\r\nContent-Disposition: form-data; name="password"\r\n\r\ndwm_secret-field_[\w-]+\r\n----x:y\r\n/,
    );
    expect(text).toContain(Buffer.from([137, 80, 78, 71, 0, 255, 13, 10]).toString("latin1"));
    expect(text.endsWith("----x:y--\r\nepilogue")).toBe(true);
    const form = await new Response(new Uint8Array(recording.bytes), {
      headers: { "content-type": headers[0]?.[1] ?? "" },
    }).formData();
    expect([...form.keys()]).toEqual(["password", "event", "icon"]);
  });

  test("compressed files are opened, and compressed again where something was in them", async () => {
    const quiet = gzipSync("<testsuite/>");
    const sent = body(
      part(
        'Content-Disposition: form-data; name="a"; filename="a.xml.gz"',
        gzipSync("<testsuite><!-- ann@example.com --></testsuite>"),
      ),
      part('Content-Disposition: form-data; name="b"; filename="b.xml.gz"', quiet),
    );
    const { recording } = await maskBoth(sent, { headers, of });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    expect(recording.bytes.includes(quiet)).toBe(true);
    const start = recording.bytes.indexOf(Buffer.from([0x1f, 0x8b]));
    const end = recording.bytes.indexOf("\r\n----x:y\r\n", start);
    expect(gunzipSync(recording.bytes.subarray(start, end)).toString()).toMatch(
      new RegExp(`^<testsuite><!-- ${email} --></testsuite>$`),
    );
  });

  test("that is none is read as text", async () => {
    expect(await recordedRequest("no boundary, ann@example.com", { headers, of })).toMatch(
      new RegExp(`^no boundary, ${email}$`),
    );
  });
});

describe("lines", () => {
  test("are documents or text, each by itself", async () => {
    const body = '{"a":"ann@example.com"}\r\n\nplain bob@example.com\n[1,"x"]\n{"broken": ann@example.com';
    const masked = await recorded(body, { headers: typed("application/x-ndjson"), of });
    expect(masked).toMatch(
      new RegExp(`^\\{"a":"${email}"\\}\\r\\n\\nplain ${email}\\n\\[1,"x"\\]\\n\\{"broken": ${email}$`),
    );
  });

  test("of an event stream have their data read as JSON", async () => {
    const body = 'event: message\ndata: {"token":"fasjyydbcgwwc2uc546a27681750cfe1aa43a99"}\n\n: ann@example.com\n';
    const masked = await recorded(body, {
      headers: typed("text/event-stream"),
      of,
      masks: masksOf({ detect: ["email"], fields: ["$[1].token"] }),
    });
    expect(masked).toMatch(new RegExp(`^event: message\\ndata: \\{"token":"dwm_[\\w-]+"\\}\\n\\n: ${email}\\n$`));
  });
});

describe("base64", () => {
  const secret = `${"some text before it, ".repeat(4)}password=hunter2hunter2 ${"and behind it. ".repeat(9)}`;

  test.for<[string, number, string]>([
    ["as openssl and base64 write it", 64, "\n"],
    ["as mail has it", 76, "\r\n"],
  ])("of several lines, %s, is one text", async ([, width, feed]) => {
    for (let shift = 0; shift < 60; shift += 7) {
      const lines = Buffer.from("x".repeat(shift) + secret)
        .toString("base64")
        .match(new RegExp(`.{1,${width}}`, "g"));
      const body = JSON.stringify({ data: lines?.join(feed) });
      expect(await recordedRequest(body, { of: operation("PUT", "/api/v1/monitor/17") })).toMatch(
        /^\{"data":"dwm_secret-field_[\w-]+"\}$/,
      );
    }
  });
});

describe("text", () => {
  test("in any encoding keeps what is not masked", async () => {
    const page = "<h1>502</h1>größer 😀 ann@example.com – ende";
    expect(await recorded(page, { headers: typed("text/html; charset=utf-8"), of })).toMatch(
      new RegExp(`^<h1>502</h1>größer 😀 ${email} – ende$`),
    );
    const latin = Buffer.from("gr\xf6\xdfer ann@example.com \xe9", "latin1");
    const { recording } = await maskBoth(latin, { headers: typed("text/plain; charset=iso-8859-1"), of });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    expect(recording.bytes.toString("latin1")).toMatch(new RegExp(`^gr\xf6\xdfer ${email} \xe9$`));
  });

  test("within binary bytes is found too", async () => {
    const bytes = Buffer.concat([
      Buffer.from([0, 1, 2, 255]),
      Buffer.from("AKIAIOSFODNN7EXAMPLE"),
      Buffer.from([0, 254]),
    ]);
    const { recording } = await maskBoth(bytes, { headers: typed("application/octet-stream"), of });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    expect(recording.bytes.includes("AKIAIOSFODNN7EXAMPLE")).toBe(false);
    expect(recording.bytes.subarray(0, 4)).toEqual(bytes.subarray(0, 4));
  });
});

describe("content codings", () => {
  const body = JSON.stringify({ to: "ann@example.com", n: [1.0, 2] });

  test.for<[string, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
    ["zstd1", zstdCompressSync],
    ["br", brotliCompressSync],
  ])("%s comes out in the same coding", async ([coding, compress]) => {
    const headers: HeaderList = [...json, ["Content-Encoding", coding]];
    const { reply: answer } = await maskBoth(compress(Buffer.from(body)), { headers, of });
    if (answer.outcome !== "masked") throw new Error(answer.outcome);
    const plain = await decodeCodings(answer.bytes, codingsOf(headers), 10_000);
    if (!Buffer.isBuffer(plain)) throw new Error(plain.says);
    expect(plain.toString()).toMatch(new RegExp(`^\\{"to":"${email}","n":\\[1,2\\]\\}$`));
  });

  test("with nothing to mask the very bytes stay", async () => {
    const headers: HeaderList = [...json, ["Content-Encoding", "gzip"]];
    expect(await maskBoth(gzipSync("{}"), { headers, of })).toMatchObject({ reply: { outcome: "untouched" } });
  });

  test.for<[string, string, Buffer, string]>([
    ["a coding nobody knows", "snappy", Buffer.from("x"), "its content coding is none of"],
    ["what is not in its coding", "gzip", Buffer.from(body), "it is not valid gzip"],
    [
      "what goes on behind its coding",
      "gzip",
      Buffer.concat([gzipSync("{}"), Buffer.from("more")]),
      "it is not valid gzip",
    ],
    ["a bomb", "gzip", gzipSync(Buffer.alloc(4 * 2 ** 20)), "100 times"],
  ])("%s is unreadable: for policy to refuse, or to keep by its digest only", async ([, coding, bytes, says]) => {
    const both = await maskBoth(bytes, { headers: [...json, ["Content-Encoding", coding]], of });
    expect(both.reply).toMatchObject({ outcome: "unreadable", says: expect.stringContaining(says) });
    expect(both.recording).toEqual(both.reply);
    const unmasked = await maskBoth(bytes, { headers: [...json, ["Content-Encoding", coding]], of, masks: masksOf() });
    expect(unmasked.reply).toEqual({ outcome: "untouched" });
    expect(unmasked.recording).toMatchObject({ outcome: "unreadable" });
  });

  test("over the limit it is unreadable as well", async () => {
    const both = await maskBoth(Buffer.alloc(8 * 2 ** 20 + 1, "x"), { headers: typed("text/plain"), of });
    expect(both.recording).toMatchObject({
      outcome: "unreadable",
      says: expect.stringContaining("larger than 8388608 bytes"),
    });
  });
});

test("an empty body holds nothing", async () => {
  expect(await maskBoth("", { of })).toEqual({ reply: { outcome: "untouched" }, recording: { outcome: "untouched" } });
});

test("every value is told with its kind, for counting and for search", async () => {
  const { recording } = await maskBoth('{"a":"ann@example.com","b":"10.1.2.3"}', { of });
  expect(recording).toMatchObject({
    values: [
      { kind: "email", text: "ann@example.com" },
      { kind: "ipv4", text: "10.1.2.3" },
    ],
  });
});

test("without masks on replies no reply is touched, whatever is in it", async () => {
  const body = '{"a":"AKIAIOSFODNN7EXAMPLE ann@example.com dwm_email_LAAwn3EGqunxELpD@masked.invalid"}';
  const masks = masksOf({ detect: ["email"], where: ["recording"] });
  expect(await reply(body, { of, masks })).toBe(body);
  expect(tokensIn(await recorded(body, { of, masks }))).toHaveLength(3);
  expect(await reply(body, { of, masks: everything })).not.toContain("AKIA");
});
