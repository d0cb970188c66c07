/** One decoded text of a body, and what stands in it: by its look, behind percent-encoding, between NULs, in base64. */

import { type Span, inRecording, inReply, isFull } from "../detect/detector.ts";
import { deepestNesting, type Finding, type Layer, type Search } from "../findings.ts";
import type { Step } from "../place/place.ts";

export type Piece = {
  readonly text: string;
  readonly path: readonly Step[];
  readonly layers: readonly Layer[];
  readonly depth: number;
  /** UTF-16 offset → byte of the decoded body. */
  readonly rawOf: (offset: number) => number;
};

export const inspectPiece = (search: Search, piece: Piece, findings: Finding[]): void => {
  if (!isFull(findings)) addSpans(spansIn(search, piece.text, piece.depth), piece, findings);
};

export const addSpans = (spans: readonly Span[], piece: Piece, findings: Finding[]): void => {
  for (const { start, end, kind, sides } of merged(spans))
    findings.push({
      start: piece.rawOf(start),
      end: piece.rawOf(end),
      text: piece.text.slice(start, end),
      kind,
      sides,
      path: piece.path,
      layers: piece.layers,
    });
};

export const spansIn = (search: Search, text: string, depth: number): Span[] => {
  const spans = search.detector.find(text);
  if (!search.decodes) return spans;
  if (text.includes("%")) spans.push(...behindPercent(search, text));
  if (text.includes("\0")) spans.push(...betweenNuls(search, text));
  if (depth < deepestNesting) spans.push(...inBase64(search, text, depth));
  return spans;
};

/** Overlapping spans become one, so that nothing of any of them is left; each side by itself where they differ. */
const merged = (spans: readonly Span[]): Span[] => {
  if (spans.length < 2) return [...spans];
  const [first] = spans;
  if (spans.every(({ sides }) => sides === first?.sides)) return mergedOn(spans);
  return [inReply, inRecording].flatMap((side) =>
    mergedOn(spans.filter(({ sides }) => (sides & side) !== 0).map((span) => ({ ...span, sides: side }))),
  );
};

const mergedOn = (spans: readonly Span[]): Span[] => {
  const result: Span[] = [];
  // Among those that begin together the longest gives the name; among equals the first of the rule table.
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1);
    if (last === undefined || span.start >= last.end) result.push(span);
    else if (span.end > last.end) result[result.length - 1] = { ...last, end: span.end };
  }
  return result;
};

/** What a reader of a URL would see in it, and of a URL in that one's query; masked as it is written. */
const behindPercent = (search: Search, text: string): Span[] => {
  const spans: Span[] = [];
  let whole: Decoded = { text, offsets: null };
  for (let round = 0; round < mostRounds; round++) {
    const decoded = percentDecode(whole.text);
    if (decoded === null) break;
    whole = { text: decoded.text, offsets: through(whole.offsets, decoded.offsets) };
    spans.push(...spansBehind(search, whole));
  }
  return spans;
};

/** A URL in a URL in a URL. */
const mostRounds = 3;

/** UTF-16 and UTF-32 put NULs between the characters of ASCII; everything that is looked for is ASCII. */
const betweenNuls = (search: Search, text: string): Span[] => {
  const offsets = new Int32Array(text.length + 1);
  let length = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== 0) offsets[length++] = at;
  offsets[length] = text.length;
  return spansBehind(search, { text: text.replaceAll("\0", ""), offsets });
};

/** `offsets`: where each character, and the end, stood in what it was decoded from. */
type Decoded = { readonly text: string; readonly offsets: Int32Array | null };

const through = (outer: Int32Array | null, inner: Int32Array): Int32Array =>
  outer === null ? inner : inner.map((at) => outer[at] ?? 0);

const spansBehind = (search: Search, { text, offsets }: Decoded): Span[] =>
  search.detector.find(text).map((span) => ({
    ...span,
    start: offsets?.[span.start] ?? span.start,
    end: offsets?.[span.end] ?? span.end,
  }));

/** What is no UTF-8 stays as it is. Null where there is nothing to decode. */
export const percentDecode = (text: string): { readonly text: string; readonly offsets: Int32Array } | null => {
  const offsets = new Int32Array(text.length + 1);
  const parts: string[] = [];
  let length = 0;
  let from = 0;
  const plain = (end: number): void => {
    for (let i = from; i < end; i++) offsets[length++] = i;
    if (end > from) parts.push(text.slice(from, end));
  };
  for (let at = text.indexOf("%"); at !== -1; at = text.indexOf("%", Math.max(from, at + 1))) {
    const end = at + encodedLength(text, at);
    const character = end === at ? null : decodeCharacter(text.slice(at, end));
    if (character === null) continue;
    plain(at);
    for (let i = 0; i < character.length; i++) offsets[length++] = at;
    parts.push(character);
    from = end;
  }
  if (from === 0) return null;
  plain(text.length);
  offsets[length] = text.length;
  return { text: parts.join(""), offsets: offsets.subarray(0, length + 1) };
};

/** How far the sequence of one character goes (RFC 3629 §3); 0 for none. To let a decoder find out costs an exception each time. */
const encodedLength = (text: string, at: number): number => {
  const lead = encodedByte(text, at);
  if (lead < 0 || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return 0;
  const bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let i = 1; i < bytes; i++) if ((encodedByte(text, at + i * 3) & 0x1c0) !== 0x80) return 0;
  return bytes * 3;
};

const encodedByte = (text: string, at: number): number => {
  if (text[at] !== "%") return -1;
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
};

const hexValue = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
};

const decodeCharacter = (run: string): string | null => {
  try {
    return decodeURIComponent(run);
  } catch {
    return null;
  }
};

const shortestBase64 = 24;

/** Base64 of a text that holds something is masked as a whole, under the name of what is in it. */
const inBase64 = (search: Search, text: string, depth: number): Span[] => {
  const spans: Span[] = [];
  let at = 0;
  while (at <= text.length - shortestBase64) {
    const end = runEnd(text, at);
    const span = inRun(search, { text, at, end }, depth);
    if (span !== null) spans.push(span);
    at = end + 1;
  }
  return spans;
};

type Run = { readonly text: string; readonly at: number; readonly end: number };

/** It may stand behind words in the same run of letters: a path's segments, a prefix. What was read once is not read again. */
const inRun = (search: Search, run: Run, depth: number): Span | null => {
  const { text, at, end } = run;
  for (let start = at; end - start >= shortestBase64; start = nextStart(run, start)) {
    if (!mayBegin(text, at, start)) continue;
    const inner = decodeRun(text, start, end);
    const [first, ...rest] = spansIn(search, inner, depth + 1);
    if (first === undefined) {
      start += Math.floor((Buffer.byteLength(inner) * 4) / 3);
      continue;
    }
    let close = end;
    while (text[close] === "=") close++;
    return { ...first, start, end: close, sides: rest.reduce((all, { sides }) => all | sides, first.sides) };
  }
  return null;
};

/** A slash before it belongs to the alphabet too, and shifts what follows; so do whole words before a slash or a hyphen. */
const nextStart = ({ text, at, end }: Run, start: number): number => {
  if (start < at + 3) return start + 1;
  let next = start;
  while (next < end && !isJoint(text.charCodeAt(next))) next++;
  return next + 1;
};

/** The four of both alphabets that are no letters and digits (RFC 4648 §4, §5). */
const isJoint = (code: number): boolean => code === 43 || code === 45 || code === 47 || code === 95;

/** Where a run begins, text of any language; elsewhere one that begins in ASCII. */
const mayBegin = (text: string, at: number, start: number): boolean =>
  (start === at || mayEncodeText(text, start)) &&
  decodeBase64(text.slice(start, start + shortestBase64)).length >= leastText;

/** Characters of 18 bytes, of which the last may be cut. */
const leastText = 5;

/** Over the line breaks that tools put into long ones (RFC 2045 §6.8: lines of 76 characters; RFC 7468 §2: of 64). */
const runEnd = (text: string, from: number): number => {
  let line = from;
  for (let at = from; ; at++) {
    if (at < text.length && isBase64(text.charCodeAt(at))) continue;
    const next = text[at] === "\n" ? at + 1 : text.startsWith("\r\n", at) ? at + 2 : 0;
    if (next === 0 || !wrapped.has(at - line) || !isBase64(text.charCodeAt(next))) return at;
    line = next;
    at = next;
  }
};

const wrapped: ReadonlySet<number> = new Set([64, 76]);

const isBase64 = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 47 && code <= 57) ||
  code === 43 ||
  code === 45 ||
  code === 95;

/** ASCII's high bit is zero, so every fourth character of its base64 is one of the first 32. Words and digits are told from it so. */
const mayEncodeText = (text: string, at: number): boolean => {
  for (let i = 0; i < shortestBase64; i += 4) {
    const code = text.charCodeAt(at + i);
    if (!((code >= 65 && code <= 90) || (code >= 97 && code <= 102))) return false;
  }
  return true;
};

/** In pieces that double while all of them is text: what is none costs nothing, however much of it follows. */
const decodeRun = (text: string, start: number, end: number): string => {
  for (let size = 4 * shortestBase64; ; size *= 2) {
    const stop = Math.min(end, start + size);
    const inner = decodeBase64(text.slice(start, stop));
    if (stop === end || Buffer.byteLength(inner) < (stop - start) * leastShare) return inner;
  }
};

/** Three of four, and line breaks. */
const leastShare = 0.7;

/** As far as it is text: what stands behind it may be another word. */
const decodeBase64 = (encoded: string): string => {
  const bytes = Buffer.from(encoded, "base64");
  let stop = 0;
  while (stop < bytes.length && isOfText(bytes[stop] ?? 1)) stop++;
  const text = bytes.toString("utf8", 0, stop);
  const broken = text.indexOf("\uFFFD");
  return broken === -1 ? text : text.slice(0, broken);
};

/** NUL: UTF-16, as `powershell -EncodedCommand` has it. */
const isOfText = (byte: number): boolean => byte >= 32 || byte === 0 || byte === 9 || byte === 10 || byte === 13;
