/** Which headers go on to the next connection, and how the body is framed there. */

import type { IncomingMessage } from "node:http";
import type { RawHeaders } from "./slots.ts";

/** RFC 9110 §7.6.1: these speak of one connection, and so do those that `Connection` names. */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export const endToEnd = (headers: RawHeaders): string[] => {
  const dropped = new Set(hopByHop);
  for (const [name, value] of pairs(headers))
    if (name.toLowerCase() === "connection")
      for (const named of value.split(",")) dropped.add(named.trim().toLowerCase());
  return pairs(headers).flatMap(([name, value]) => (dropped.has(name.toLowerCase()) ? [] : [name, value]));
};

/** `Expect` was answered by this server already; how the body is framed is said again for the next connection. */
export const headersFor = (request: IncomingMessage, headers: RawHeaders, origin: URL): string[] => {
  const kept = pairs(endToEnd(headers)).flatMap(([name, value]) =>
    ["host", "expect"].includes(name.toLowerCase()) ? [] : [name, value],
  );
  const chunked = request.headers["transfer-encoding"] !== undefined;
  const sized = request.headers["content-length"] !== undefined;
  const framing = chunked
    ? ["Transfer-Encoding", "chunked"]
    : sized || bodiless.has(request.method ?? "")
      ? []
      : ["Content-Length", "0"];
  return ["Host", origin.host, ...kept, ...framing];
};

/** Methods for which no body needs no `Content-Length: 0` (RFC 9110 §8.6). */
const bodiless = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

const pairs = (headers: RawHeaders): (readonly [string, string])[] => {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) list.push([headers[i] as string, headers[i + 1] as string]);
  return list;
};
