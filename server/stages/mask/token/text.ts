/** How a token is written: `dwm_<kind>_<base64url>`, in the form of an address where clients check for one; and how tokens are found again. */

import { isAlphanumeric } from "../detect/validators.ts";

/** What the reader of a field may insist on is kept: an address stays an address, a URL a URL. `.invalid` leads nowhere (RFC 6761 §6.4). */
type Form = { readonly before: string; readonly after: string };
const forms: ReadonlyMap<string, Form> = new Map([
  ["email", { before: "", after: "@masked.invalid" }],
  ["url", { before: "https://masked.invalid/", after: "" }],
]);
const bare: Form = { before: "", after: "" };

const formOf = (kind: string): Form => forms.get(kind) ?? bare;

const prefix = "dwm_";

/** `payload`: at most 65,535 bytes. Its length goes before it, so that a token that was cut is known as one. */
export const writeToken = (kind: string, payload: Buffer): string => {
  const { before, after } = formOf(kind);
  return `${before}${prefix}${kind}_${payload.toString("base64url")}${after}`;
};

/** A cheap look: whether there can be one in it. */
export const mayHoldToken = (text: string): boolean => text.includes(prefix);

/** As its reader sees it: JSON and forms may write any letter of a token with an escape. */
export const unescaped = (text: string): string =>
  text.replaceAll(/\\u00([2-7][0-9a-f])/gi, letterOf).replaceAll(/%([2-7][0-9a-f])/gi, letterOf);

const letterOf = (_escape: string, code: string): string => String.fromCharCode(Number.parseInt(code, 16));

/** A token in a text, UTF-16 offsets. `payload` is null where it is not written as one: cut, lengthened, its case changed. */
export type Written = {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
  readonly payload: Buffer | null;
  readonly isCut: boolean;
};

/** Key id, length, synthetic IV: shorter ones are none. */
const leastPayload = 19;
const shortestMention = 8;

/** Every token and what is left of one, in order. `knows`: whether masks have such a kind; other text may begin alike. */
export const findTokens = (text: string, knows: (kind: string) => boolean): Written[] => {
  const found: Written[] = [];
  for (let at = text.indexOf("_", 3); at !== -1; at = text.indexOf("_", at + 1)) {
    if (!isPrefix(text, at - 3)) continue;
    const written = readToken(text, at - 3, knows);
    if (written === null || written.start < (found.at(-1)?.end ?? 0)) continue;
    found.push(written);
    at = written.end - 1;
  }
  return found;
};

/** In any case: a token that somebody's program wrote in capitals is a token that will not open. */
const isPrefix = (text: string, at: number): boolean =>
  (text.charCodeAt(at) | 0x20) === 0x64 &&
  (text.charCodeAt(at + 1) | 0x20) === 0x77 &&
  (text.charCodeAt(at + 2) | 0x20) === 0x6d;

const readToken = (text: string, begin: number, knows: (kind: string) => boolean): Written | null => {
  const kindEnd = text.indexOf("_", begin + prefix.length);
  if (kindEnd === -1 || kindEnd - begin > 64) return null;
  const kind = text.slice(begin + prefix.length, kindEnd).toLowerCase();
  if (!knows(kind)) return null;
  let end = kindEnd + 1;
  while (end < text.length && isPayload(text.charCodeAt(end))) end++;
  const encoded = text.slice(kindEnd + 1, end);
  if (encoded.length < shortestMention) return null;
  const { before, after } = formOf(kind);
  const start = text.endsWith(before, begin) ? begin - before.length : begin;
  const isFormed =
    start === begin - before.length && text.startsWith(after, end) && !runsOn(text, end + after.length, after);
  const isSpelled = text.startsWith(`${prefix}${kind}_`, begin);
  const isExact = isFormed && isSpelled;
  let close = text.startsWith(after, end) ? end + after.length : end;
  // What was written onto its end is part of what it is now.
  if (after !== "") while (isAlphanumeric(text.charCodeAt(close))) close++;
  const bytes = Buffer.from(encoded, "base64url");
  const declared = bytes.length >= 3 ? bytes.readUInt16BE(1) : 0;
  const isWhole = bytes.length === declared && bytes.length >= leastPayload && bytes.toString("base64url") === encoded;
  return {
    start,
    end: close,
    kind,
    payload: isExact && isWhole ? bytes : null,
    isCut: isSpelled && bytes.length < Math.max(declared, leastPayload),
  };
};

const runsOn = (text: string, at: number, after: string): boolean =>
  after !== "" && isAlphanumeric(text.charCodeAt(at));

const isPayload = (code: number): boolean => isAlphanumeric(code) || code === 45 || code === 95;
