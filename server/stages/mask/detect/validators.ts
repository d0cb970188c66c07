/** Tells values from what only looks like them: check digits, checksums, entropy, ranges. */

import { isIPv6 } from "node:net";
import { crc32 } from "node:zlib";

/** Check digits of card numbers (ISO/IEC 7812-1, annex B). `digits` holds nothing else. */
export const passesLuhn = (digits: string): boolean => {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length > 0 && sum % 10 === 0;
};

/** Bits per character (Shannon): random base62 of 36 characters has about 4.5, `xxxxxxxx` has 0. */
export const entropyOf = (text: string): number => {
  if (text.length === 0) return 0;
  const counts = new Map<number, number>();
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
};

/** `xxxx`, `****`, `sk_live_xxxxxxxx`: written where a secret would stand. */
export const isPlaceholder = (value: string): boolean =>
  new Set(value).size < 5 || (value.length > 12 && new Set(value.slice(-12)).size < 4);

/** Everything that is no digit or letter is dropped, in one linear pass. */
export const compact = (text: string): string => {
  let kept = "";
  for (let i = 0; i < text.length; i++) if (isAlphanumeric(text.charCodeAt(i))) kept += text[i];
  return kept;
};

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export const isAlphanumeric = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

export const hasDigit = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (isDigit(text.charCodeAt(i))) return true;
  return false;
};

type Brand = { readonly from: number; readonly to: number; readonly lengths: readonly number[] };

/** First four digits and lengths of the brands: https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN) */
const brands: readonly Brand[] = [
  { from: 4000, to: 4999, lengths: [16, 19] },
  { from: 5100, to: 5599, lengths: [16] },
  { from: 2221, to: 2720, lengths: [16] },
  { from: 3400, to: 3499, lengths: [15] },
  { from: 3700, to: 3799, lengths: [15] },
  { from: 6011, to: 6011, lengths: [16, 19] },
  { from: 6440, to: 6599, lengths: [16, 19] },
  { from: 3000, to: 3059, lengths: [14, 16] },
  { from: 3600, to: 3699, lengths: [14, 16] },
  { from: 3800, to: 3999, lengths: [14, 16] },
  { from: 3528, to: 3589, lengths: [16] },
  { from: 6200, to: 6299, lengths: [16, 17, 18, 19] },
];

/** Digits, perhaps grouped by single spaces or hyphens. More than 16 in one piece are an id: every tenth of those passes Luhn too. */
export const isCardNumber = (written: string): boolean => {
  const digits = compact(written);
  if (digits.length > 16 && digits.length === written.length) return false;
  const first = Number(digits.slice(0, 4));
  const known = brands.some(({ from, to, lengths }) => first >= from && first <= to && lengths.includes(digits.length));
  return known && passesLuhn(digits);
};

/** Length of each country's IBAN: https://www.swift.com/standards/data-standards/iban-international-bank-account-number */
const ibanLengths: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
    "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** ISO 13616: the country's length, and 1 as the remainder of 97. */
export const isIban = (written: string): boolean => {
  const iban = compact(written).toUpperCase();
  if (ibanLengths.get(iban.slice(0, 2)) !== iban.length) return false;
  const moved = iban.slice(4) + iban.slice(0, 4);
  let remainder = 0;
  for (let i = 0; i < moved.length; i++) {
    const code = moved.charCodeAt(i);
    remainder = isDigit(code) ? (remainder * 10 + code - 48) % 97 : (remainder * 100 + code - 55) % 97;
  }
  return remainder === 1;
};

/** Numbers that were never given out: https://www.ssa.gov/employer/randomization.html */
export const isSsn = (written: string): boolean => {
  const [area = "", group, serial] = written.split("-");
  return area !== "000" && area !== "666" && area < "900" && group !== "00" && serial !== "0000";
};

/** Four numbers up to 255 without leading zeros; 0.0.0.0 names no machine. */
export const isIPv4 = (written: string): boolean => {
  const parts = written.split(".");
  return (
    parts.length === 4 &&
    parts.every((part) => Number(part) <= 255 && (part === "0" || !part.startsWith("0"))) &&
    !parts.every((part) => part === "0")
  );
};

/** `std::dead` is a name, eight pairs are a fingerprint: an address has a digit, and its groups are not all of two. `::` alone names no machine. */
export const isIPv6Address = (written: string): boolean =>
  hasDigit(written) && isIPv6(written) && !written.split(":").every((group) => group.length === 2);

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The last 6 of the 36 characters after `ghp_` or `npm_` are the CRC-32 of the others in base62:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
export const passesTokenChecksum = (token: string): boolean => {
  const random = token.slice(token.indexOf("_") + 1);
  if (random.length !== 36) return false;
  let rest = crc32(Buffer.from(random.slice(0, 30)));
  let written = "";
  for (let i = 0; i < 6; i++) {
    written = `${base62[rest % 62]}${written}`;
    rest = Math.floor(rest / 62);
  }
  return random.endsWith(written);
};

/** Whether the first part of a JWT or JWE is a header (RFC 7515 §4, RFC 7516 §4). */
export const isJwtHeader = (token: string): boolean => {
  const header = Buffer.from(token.slice(0, token.indexOf(".")), "base64url").toString("latin1");
  return header.startsWith("{") && (header.includes('"alg"') || header.includes('"enc"') || header.includes('"typ"'));
};

/** What `Basic` is followed by: base64 of `user:password` (RFC 7617 §2). */
export const isBasicValue = (value: string): boolean => {
  const decoded = Buffer.from(value, "base64").toString("latin1");
  return decoded.includes(":") && decoded.length >= 3;
};
