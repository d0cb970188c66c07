/** Fields whose value is a secret whoever sends it: no comment shows one, not even when no mask names it. */

/** By name, compared without case and separators. */
const names = new Set([
  "apikey",
  "appkey",
  "applicationkey",
  "apisecret",
  "accesstoken",
  "authorization",
  "authtoken",
  "bearertoken",
  "clientsecret",
  "clienttoken",
  "credentials",
  "customheaders",
  "password",
  "passphrase",
  "privatekey",
  "refreshtoken",
  "secret",
  "secretaccesskey",
  "secretkey",
  "servicekey",
  "sharetoken",
  "webhooksecret",
]);

/** Names that also mean harmless things: there the value must look like a key. */
const ambiguous = new Set(["hash", "key", "token"]);
const looksLikeKey = /^(?=.*\d)[\w.-]{20,}$/;

export const notShown = "[secret, not shown]";

/** `"password": true` keeps nothing secret. */
export function withoutSecret(name: string, value: unknown): unknown {
  if (typeof value !== "string" || value === "") return value;
  const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
  return names.has(plain) || (ambiguous.has(plain) && looksLikeKey.test(value)) ? notShown : value;
}
