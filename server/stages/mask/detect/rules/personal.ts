/** What points to a person, and addresses of machines. */

import { compact, hasDigit, isCardNumber, isDigit, isIban, isIPv4, isIPv6Address, isSsn } from "../validators.ts";
import type { Rule, Sighting } from "../rule.ts";

const digitsOf = (value: string): number => {
  let digits = 0;
  for (let i = 0; i < value.length; i++) if (isDigit(value.charCodeAt(i))) digits++;
  return digits;
};

/** E.164 has at most 15 digits; fewer than 9 are a local number that could be anything. */
const isPhone = ({ value }: Sighting): boolean => digitsOf(value) >= 9 && digitsOf(value) <= 15;

/** A number inside a longer number, word or version is none of its own. */
const standsAlone = ({ text, start, end }: Sighting): boolean => !joins(text, start - 1) && !joins(text, end);

const joins = (text: string, at: number): boolean => {
  const char = text[at];
  if (char === undefined) return false;
  if (char === "." || char === "-") return isDigit(text.charCodeAt(at + 1)) && isDigit(text.charCodeAt(at - 1));
  return char === "_" || compact(char) !== "";
};

const fileEndings = new Set([
  "png",
  "jpg",
  "jpeg",
  "gif",
  "svg",
  "webp",
  "ico",
  "css",
  "js",
  "mjs",
  "ts",
  "map",
  "html",
  "json",
]);

const isAddress = (found: Sighting): boolean => {
  const { value } = found;
  const ending = value.slice(value.lastIndexOf(".") + 1).toLowerCase();
  if (ending.length < 2 || hasDigit(ending.at(-1) ?? "") || fileEndings.has(ending)) return false;
  return !value.startsWith("git@") && !value.endsWith("@masked.invalid") && !isInUrl(found);
};

const longestUserInfo = 200;

/** `https://user:password@host` has an @ before a host, and no address. */
const isInUrl = ({ text, start }: Sighting): boolean => {
  for (let at = start - 1; at >= 0 && at > start - longestUserInfo; at--) {
    const char = text[at] ?? "";
    if (char === "/") return text[at - 1] === "/" && text[at - 2] === ":";
    if (char === "@" || char === '"' || char === "'" || char <= " ") return false;
  }
  return false;
};

const hex = "[0-9A-Fa-f]";
/** Eight groups, or a `::` between fewer: a time of day has neither. Rows that are too long are taken as a whole, and are none. */
const ipv6 = `(?:${hex}+:){7,}${hex}+|(?:${hex}[0-9A-Fa-f:]*)?::(?:[0-9A-Fa-f:]*${hex})?`;

/** A fingerprint is a longer row of the same pairs. */
const isWholeRow = (found: Sighting): boolean =>
  standsAlone(found) && !goesOn(found.text, found.start - 1) && !goesOn(found.text, found.end);

const goesOn = (text: string, at: number): boolean =>
  text[at] === ":" && isHexDigit(text, at + 1) && isHexDigit(text, at - 1);

const isHexDigit = (text: string, at: number): boolean => "0123456789abcdefABCDEF".includes(text[at] ?? "?");

export const personalRules: readonly Rule[] = [
  {
    kind: "email",
    pattern: String.raw`[A-Za-z0-9_](?:[A-Za-z0-9._%+'-]*[A-Za-z0-9_%+-])?@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+`,
    sign: "at",
    check: isAddress,
    note: "RFC 5321 without quoted local parts; pkg@1.2.3, logo@2x.png and git@host are none",
  },
  {
    kind: "phone",
    overlapping: true,
    pattern: String.raw`\+[1-9]\d{0,2}(?:[ .-]?\(\d{1,4}\))?(?:[ .-]?\d{1,4}){2,6}`,
    sign: "digits",
    check: (found) => isPhone(found) && !joins(found.text, found.end),
    note: "ITU-T E.123 and E.164: only with +; a number without it is a number",
  },
  {
    kind: "phone",
    overlapping: true,
    pattern: String.raw`(?:\(\d{3}\) ?|\b\d{3}[.-])\d{3}[.-]\d{4}\b`,
    sign: "digits",
    check: standsAlone,
    note: "as written in North America, with separators",
  },
  {
    kind: "credit-card",
    overlapping: true,
    pattern: String.raw`\b\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?\b|\b3\d{3}[ -]?\d{6}[ -]?\d{4,5}\b`,
    sign: "digits",
    check: (found) => isCardNumber(found.value) && standsAlone(found),
    note: "brand, length and Luhn; digits in a longer word or number are an id",
  },
  {
    kind: "iban",
    overlapping: true,
    pattern: String.raw`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b`,
    sign: "digits",
    check: ({ value }) => isIban(value),
    note: "ISO 13616, in capitals, with or without spaces; with 9 digits in a row, as nearly all have",
  },
  {
    kind: "ssn",
    pattern: String.raw`\b\d{3}-\d{2}-\d{4}\b`,
    sign: "digits",
    check: (found) => isSsn(found.value) && standsAlone(found),
    note: "only with hyphens",
  },
  {
    kind: "ipv4",
    pattern: String.raw`\b\d{1,3}(?:\.\d{1,3}){3}\b`,
    sign: "dotted",
    check: (found) => isIPv4(found.value) && standsAlone(found),
    note: "versions of four numbers look the same",
  },
  {
    kind: "ipv6",
    pattern: ipv6,
    sign: "colons",
    check: (found) => isIPv6Address(found.value) && isWholeRow(found),
    note: "RFC 4291; node:net decides; times and names are none",
  },
  {
    kind: "mac",
    pattern: String.raw`\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b`,
    sign: "colons",
    check: isWholeRow,
    note: "EUI-48 with colons",
  },
  {
    kind: "mac",
    pattern: String.raw`\b[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}\b`,
    sign: "run",
    check: standsAlone,
    note: "EUI-48 with hyphens",
  },
];
