/** Puts a secret somewhere into a recorded body, in one of the ways in which secrets get there. */

import { gzipSync, zstdCompressSync } from "node:zlib";
import type { HeaderList } from "../../../server/model/receipt.ts";
import type { Chance, Sample } from "./samples.ts";

/** `traces`: byte sequences of which none may be left. */
export type Planted = {
  readonly how: string;
  readonly headers: HeaderList;
  readonly bytes: Buffer;
  readonly traces: readonly string[];
};

type Way = (c: Chance, body: Buffer, sample: Sample) => Omit<Planted, "how"> | null;

const json: HeaderList = [["Content-Type", "application/json"]];

/** Everywhere a string stands in a document: which one, and what becomes of it. */
const inJson = (c: Chance, body: Buffer, change: (text: string) => string): Buffer | null => {
  let document: unknown;
  try {
    document = JSON.parse(body.toString());
  } catch {
    return null;
  }
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      if (typeof value === "string") places.push({ holder, key });
      else if (typeof value === "object" && value !== null) walk(value as Record<string, unknown>);
    }
  };
  if (typeof document !== "object" || document === null) return null;
  walk(document as Record<string, unknown>);
  if (places.length === 0) return null;
  const { holder, key } = c.of(places);
  holder[key] = change(String(holder[key]));
  return Buffer.from(JSON.stringify(document, null, c.of([0, 1, 2])));
};

/** Between two words of a text, or instead of it. */
const amid = (c: Chance, text: string, put: string): string => {
  if (c.next() < 0.4) return put;
  const words = text.split(" ");
  words.splice(c.below(words.length + 1), 0, put);
  return words.join(" ");
};

const json1 = (c: Chance, body: Buffer, put: string, traces: readonly string[]): Omit<Planted, "how"> | null => {
  const bytes = inJson(c, body, (text) => amid(c, text, put));
  return bytes === null ? null : { headers: json, bytes, traces };
};

const escapedIn = (text: string): string => JSON.stringify(text).slice(1, -1);

const ways: Readonly<Record<string, Way>> = {
  "a string": (c, body, { text, secret }) => json1(c, body, text, [secret, escapedIn(secret)]),
  "a string, written with escapes": (c, body, { text, secret }) => {
    const planted = json1(c, body, "\u0001", [secret]);
    if (planted === null) return null;
    const spelled = Array.from(text)
      .map((char) => (c.next() < 0.3 ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : escapedIn(char)))
      .join("");
    return {
      ...planted,
      bytes: Buffer.from(planted.bytes.toString().replace("\\u0001", () => spelled)),
      traces: [spelled, secret],
    };
  },
  "JSON in a string": (c, body, { text, secret }) =>
    json1(c, body, "\u0001", []) === null
      ? null
      : whole(c, body, JSON.stringify({ note: `it is ${text}`, n: 1 }), [secret, escapedIn(secret)]),
  "JSON in JSON in a string": (c, body, { text, secret }) =>
    whole(c, body, JSON.stringify({ inner: JSON.stringify([{ value: text }]) }), [secret, escapedIn(secret)]),
  base64: (c, body, { text, secret }) => {
    const encoded = Buffer.from(`user data: ${text}\n`).toString("base64");
    return json1(c, body, encoded, [encoded.slice(20, 60), secret]);
  },
  "base64 in JSON in a string": (c, body, { text, secret }) => {
    const encoded = Buffer.from(JSON.stringify({ config: text })).toString("base64");
    return whole(c, body, JSON.stringify({ blob: encoded }), [encoded.slice(20, 60), secret]);
  },
  "a URL": (c, body, { text, secret }) => {
    const encoded = encodeURIComponent(text);
    return json1(c, body, `https://app.example.com/x?q=${encoded}&page=2`, [encodeURIComponent(secret), secret]);
  },
  "a key": (c, body, { text, secret }) => {
    const bytes = inJson(c, body, (old) => old);
    if (bytes === null) return null;
    const start = bytes.indexOf("{") + 1;
    if (start === 0) return null;
    const rest = /^\s*\}/.test(bytes.toString("utf8", start)) ? "" : ",";
    return {
      headers: json,
      bytes: Buffer.concat([
        bytes.subarray(0, start),
        Buffer.from(`${JSON.stringify(text)}:1${rest}`),
        bytes.subarray(start),
      ]),
      traces: [secret, escapedIn(secret)],
    };
  },
  gzip: (c, body, { text, secret }) => compressed(json1(c, body, text, [secret, escapedIn(secret)]), "gzip"),
  zstd1: (c, body, { text, secret }) => compressed(json1(c, body, text, [secret, escapedIn(secret)]), "zstd1"),
  "an error page": (_c, _body, { text, secret }) => ({
    headers: [["content-type", "text/html; charset=utf-8"]],
    bytes: Buffer.from(
      `<html><body><h1>502 Bad Gateway</h1><pre>upstream said: ${text} (request 17)</pre></body></html>`,
    ),
    traces: [secret],
  }),
  "a line of a log": (c, body, { text, secret }) => {
    const planted = json1(c, body, text, [secret, escapedIn(secret)]);
    if (planted === null) return null;
    const line = JSON.stringify(JSON.parse(planted.bytes.toString()));
    return {
      headers: [["Content-Type", "application/x-ndjson"]],
      bytes: Buffer.from(`{"n":0}\n${line}\nplain text\n`),
      traces: planted.traces,
    };
  },
  "a form": (_c, _body, { text, secret }) => ({
    headers: [["Content-Type", "application/x-www-form-urlencoded"]],
    bytes: Buffer.from(new URLSearchParams({ a: "1", comment: `it is ${text}`, z: "" }).toString()),
    traces: [new URLSearchParams({ a: secret }).toString().slice(2), secret],
  }),
  "JSON in a form": (_c, _body, { text, secret }) => ({
    headers: [["Content-Type", "application/x-www-form-urlencoded"]],
    bytes: Buffer.from(new URLSearchParams({ payload: JSON.stringify({ text }) }).toString()),
    traces: [new URLSearchParams({ a: secret }).toString().slice(2), secret],
  }),
  "a part of a form": (c, body, { text, secret }) =>
    multipart(
      Buffer.from(JSON.stringify({ text, size: body.length })),
      "application/json",
      [secret, escapedIn(secret)],
      c,
    ),
  "a compressed file in a form": (c, _body, { text, secret }) =>
    multipart(gzipSync(`<testsuite><!-- ${text} --></testsuite>`), "application/gzip", [secret], c),
};

const whole = (c: Chance, body: Buffer, put: string, traces: readonly string[]): Omit<Planted, "how"> | null => {
  const bytes = inJson(c, body, () => put);
  return bytes === null ? null : { headers: json, bytes, traces };
};

const compressed = (planted: Omit<Planted, "how"> | null, coding: "gzip" | "zstd1"): Omit<Planted, "how"> | null =>
  planted === null
    ? null
    : {
        ...planted,
        headers: [...planted.headers, ["Content-Encoding", coding]],
        bytes: coding === "gzip" ? gzipSync(planted.bytes) : zstdCompressSync(planted.bytes),
      };

const multipart = (content: Buffer, type: string, traces: readonly string[], c: Chance): Omit<Planted, "how"> => {
  const boundary = `----${c.text(24)}`;
  return {
    headers: [["Content-Type", `multipart/form-data; boundary=${boundary}`]],
    bytes: Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nplain\r\n--${boundary}\r\n`),
      Buffer.from(`Content-Disposition: form-data; name="file"; filename="a.xml"\r\nContent-Type: ${type}\r\n\r\n`),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
    traces,
  };
};

export const wayNames = Object.keys(ways);

export const plant = (c: Chance, body: Buffer, sample: Sample): Planted => {
  for (;;) {
    const how = c.of(wayNames);
    const planted = ways[how]?.(c, body, sample) ?? null;
    if (planted !== null) return { how, ...planted };
  }
};
