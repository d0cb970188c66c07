/** Fields whose name says that their value is a secret, whoever made them: `password`, `DB_PASSWORD`, `apiKey`, `client-secret`. */

import { endingsOf, mayEnd } from "./endings.ts";
import { entropyOf, isDigit, isPlaceholder } from "./validators.ts";

/** By name, compared without case and separators, alone or at the end of a longer name. */
const strong = [
  "accesstoken",
  "accountkey",
  "apikey",
  "apisecret",
  "apitoken",
  "appkey",
  "applicationkey",
  "authorization",
  "authtoken",
  "bearertoken",
  "clientsecret",
  "clienttoken",
  "encryptionkey",
  "passphrase",
  "passwd",
  "password",
  "privatekey",
  "refreshtoken",
  "secretaccesskey",
  "secretkey",
  "servicekey",
  "sessiontoken",
  "sharedsecret",
  "sharetoken",
  "signingkey",
  "signingsecret",
  "webhooksecret",
];

/** Only as the whole name: at the end of others they mean something else. */
const whole = ["secret", "credentials", "connectionstring", "customheaders", "cookie", "setcookie", "pwd"];

/** Names that also mean harmless things: there the value must look like a key. */
const weak = ["key", "secret", "sig", "signature", "token"];

/** What everybody may know. */
const open = ["publickey", "pubkey"];

const wholeNames: ReadonlySet<string> = new Set(whole);
const endingTable = endingsOf([...strong, ...whole, ...weak]);
const longestName = 64;

/**
 * The kind of secret that a field of this name holds, or null. 32 and 40 hexadecimal digits in a field named after Datadog's keys are those.
 * `value`: the decoded string.
 */
export function secretKind(name: string, value: string): "secret-field" | "datadog-api-key" | "datadog-app-key" | null {
  if (value.length < 2 || name.length > longestName) return null;
  const plain = plainName(name.replace(positions, ""));
  if (wholeNames.has(plain) || strong.some((ending) => plain.endsWith(ending))) {
    if (isPlaceholder(value) && value.length > 3 && isFiller(value)) return null;
    if (plain.endsWith("apikey") && value.length === 32 && isHex(value)) return "datadog-api-key";
    if ((plain.endsWith("appkey") || plain.endsWith("applicationkey")) && value.length === 40 && isHex(value))
      return "datadog-app-key";
    return "secret-field";
  }
  const mayBe = weak.some((ending) => plain.endsWith(ending)) && !open.some((ending) => plain.endsWith(ending));
  return mayBe && looksLikeKey(value) ? "secret-field" : null;
}

/** Whether a name may be one of those, from its last three bytes: asked of every key of every body. */
export const mayNameSecret = (bytes: Uint8Array, start: number, end: number): boolean =>
  mayEndSecret(bytes, start, end) || (bytes[end - 1] === closeBracket && end - start <= longestName);

/** The same of a name in a text, where brackets are no part of one. */
export const mayEndSecret = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start <= longestName && mayEnd(endingTable, bytes, { start, end });

const closeBracket = 0x5d;

/** `****`, `xxxx`, `[redacted]` stand where a secret was taken out already. */
const isFiller = (value: string): boolean => new Set(value).size === 1;

const looksLikeKey = (value: string): boolean => {
  if (value.length < 20 || entropyOf(value) < 3 || changesIn(value) < 4) return false;
  for (let i = 0; i < value.length; i++) if (!isKeyCharacter(value.charCodeAt(i))) return false;
  return true;
};

/** Between letters and digits: a word with a number behind it has one, a random text many. */
const changesIn = (value: string): number => {
  let changes = 0;
  for (let i = 1; i < value.length; i++)
    if (isDigit(value.charCodeAt(i)) !== isDigit(value.charCodeAt(i - 1))) changes++;
  return changes;
};

/** A name with dots or hyphens is a metric, a host or a UUID. */
const isKeyCharacter = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  (code >= 65 && code <= 90) ||
  (code >= 97 && code <= 122) ||
  code === 43 ||
  code === 47 ||
  code === 61;

const isHex = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i) | 0x20;
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
};

/** How forms write lists and members: `api_key[]`, `keys[0]`, `user[password]`. */
const positions = /(?:\[\d*\])+$/;
const separators: ReadonlySet<string> = new Set(["_", "-", ".", " ", "[", "]"]);

const plainName = (name: string): string => {
  let plain = "";
  for (const char of name.toLowerCase()) if (!separators.has(char)) plain += char;
  return plain;
};
