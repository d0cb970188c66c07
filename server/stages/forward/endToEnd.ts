/** Which header fields belong to one connection only and are not forwarded (RFC 9110 §7.6.1), and which are ours. */

import type { HeaderList } from "../../model/receipt.ts";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Fields named by `Connection` are hop-by-hop too, but nobody may strip these from a message by naming them there. */
const never = new Set(["content-length", "content-type", "content-encoding", "host"]);

export function endToEnd(headers: HeaderList): HeaderList {
  const named = new Set<string>();
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== "connection") continue;
    for (const token of value.split(",")) named.add(token.trim().toLowerCase());
  }
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || lower.startsWith("dogwatch-")) return false;
    return !named.has(lower) || never.has(lower);
  });
}

/** What names the bytes of a body (RFC 9110 §8.6, RFC 9530, RFC 1864). */
const ofTheBytes = new Set(["content-length", "content-md5", "content-digest", "repr-digest", "digest"]);

/** Of a message whose body was changed; `length` in bytes, null where it is not known yet. */
export const withLength = (headers: HeaderList, length: number | null): HeaderList => [
  ...headers.filter(([name]) => !ofTheBytes.has(name.toLowerCase())),
  ...(length === null ? [] : ([["Content-Length", String(length)]] as const)),
];

export const headerOf = (headers: HeaderList, wanted: string): string | null => {
  for (const [name, value] of headers) if (name.toLowerCase() === wanted) return value;
  return null;
};
