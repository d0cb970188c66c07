/** Credentials that no one company makes: tokens, private keys, and whatever stands behind a name that says it is secret. */

import { isJwtHeader, entropyOf, hasDigit, isBasicValue, isPlaceholder } from "../validators.ts";
import type { Rule, Sighting } from "../rule.ts";

const pemEnd = "-----END";
/** A private key of 16,384 bits has about 13,000 characters. */
const longestPem = 40_000;

/** To the end of its END line; without one, to the end of the text, but not further than a key can reach. */
const extendPem = (text: string, end: number): number => {
  const limit = Math.min(text.length, end + longestPem);
  const close = text.slice(end, limit).indexOf(pemEnd);
  if (close === -1) return limit;
  const dashes = text.slice(end + close + pemEnd.length, limit).indexOf("-----");
  return dashes === -1 ? limit : end + close + pemEnd.length + dashes + 5;
};

/** `${…}`, `{{…}}`, `<…>`, `%…%`: a name of the secret, not the secret. */
const isReference = (value: string): boolean =>
  value.startsWith("$") ||
  value.startsWith("{") ||
  value.startsWith("<") ||
  value.startsWith("%{") ||
  value.startsWith("arn:");

const isPassword = ({ value }: Sighting): boolean => !isReference(value) && !isPlaceholder(value);

/** Behind a name that also means harmless things. */
const looksLikeKey = ({ value }: Sighting): boolean =>
  value.length >= 16 && hasDigit(value) && !isReference(value) && entropyOf(value) >= 3;

const strong = [
  "api[_-]?secret",
  "api[_-]?token",
  "access[_-]?token",
  "auth[_-]?token",
  "refresh[_-]?token",
  "session[_-]?token",
  "bearer[_-]?token",
  "client[_-]?secret",
  "webhook[_-]?secret",
  "shared[_-]?secret",
  "secret[_-]?access[_-]?key",
  "passw(?:or)?d",
  "passphrase",
  "pwd",
];
const weak = [
  "(?:api|app|application|access|secret|private|signing|service|account|encryption)[_-]?key",
  "secret",
  "token",
  "signature",
];

const assignment = String.raw`(?:\\?["'])?\s{0,3}(?:=>|:=|[:=])\s{0,3}(?:\\?["'])?([^\s"'&,;<>()\[\]\\]{8,})`;

export const genericRules: readonly Rule[] = [
  {
    kind: "jwt",
    pattern: String.raw`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}`,
    sign: "run",
    check: ({ value }) => isJwtHeader(value),
    note: "its first part must decode to a header",
  },
  {
    kind: "private-key",
    pattern: String.raw`-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----`,
    sign: "run",
    extend: extendPem,
    note: "RFC 7468; also PKCS#1, SEC 1, OpenSSH and PGP",
  },
  {
    kind: "url-password",
    pattern: String.raw`[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/?#@:"'<>]*:[^\s/?#@"'<>]+)@`,
    sign: "at",
    check: ({ value }) => {
      const password = value.slice(value.indexOf(":") + 1);
      return !isReference(password) && new Set(password).size > 1;
    },
    note: "RFC 3986 §3.2.1; the host stays readable",
  },
  {
    kind: "http-authorization",
    pattern: String.raw`(?i)\b(?:bearer|token|api-?key|digest)\s{1,3}([A-Za-z0-9+/=_-]{16,}[A-Za-z0-9+/=._~-]*)`,
    sign: "run",
    check: looksLikeKey,
    note: "RFC 6750; a word after Bearer has no digit",
  },
  {
    kind: "http-authorization",
    pattern: String.raw`(?i)\bbasic\s{1,3}([A-Za-z0-9+/]{16,}={0,2})`,
    sign: "run",
    check: ({ value }) => isBasicValue(value),
    note: "RFC 7617; must decode to user:password",
  },
  {
    kind: "secret-field",
    pattern: String.raw`(?i)(?:${strong.join("|")})${assignment}`,
    sign: "assigned",
    check: isPassword,
    note: "names that mean nothing else; at least 8 characters",
  },
  {
    kind: "secret-field",
    pattern: String.raw`(?i)(?:${weak.join("|")})${assignment}`,
    sign: "assigned",
    check: looksLikeKey,
    note: "names that also mean harmless things: 16 random characters with a digit",
  },
  {
    kind: "age-key",
    pattern: String.raw`AGE-SECRET-KEY-1[A-Z0-9]{50,}`,
    sign: "run",
    check: ({ value }) => !isPlaceholder(value.slice(16)),
    note: "https://age-encryption.org/v1",
  },
];
