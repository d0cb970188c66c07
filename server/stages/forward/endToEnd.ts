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

export const headerOf = (headers: HeaderList, wanted: string): string | null => {
  for (const [name, value] of headers) if (name.toLowerCase() === wanted) return value;
  return null;
};
