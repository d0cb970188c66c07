/** Requests whose framing or target two parties could read differently (RFC 9112 §3.2, §6.3): refused before anything looks at them. */

import type { IncomingMessage } from "node:http";

/** What is wrong with the head of this request, or null. Node's parser has already refused CL with TE, two lengths and bare CR or LF. */
export function ambiguity(request: IncomingMessage): string | null {
  const url = request.url ?? "";
  if (!url.startsWith("/"))
    return "the request target must be a path: absolute-form and authority-form are not served here";
  const seen = new Map<string, number>();
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? "").toLowerCase();
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  for (const name of ["host", "content-length", "transfer-encoding", "content-type", "content-encoding"]) {
    if ((seen.get(name) ?? 0) > 1) return `header ${name} is there ${seen.get(name)} times`;
  }
  if (seen.has("content-length") && seen.has("transfer-encoding"))
    return "content-length and transfer-encoding are both there";
  return transferComplaint(request) ?? hopComplaint(request, seen);
}

/** RFC 9112 §6.1: a coding that is not taken off would be forwarded as if it were the body, and HTTP/1.0 knows none. */
function transferComplaint({ headers, httpVersion }: IncomingMessage): string | null {
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return null;
  if (httpVersion === "1.0") return "HTTP/1.0 has no transfer-encoding";
  return coding.trim().toLowerCase() === "chunked" ? null : "transfer-encoding is something else than chunked";
}

function hopComplaint({ headers, httpVersion }: IncomingMessage, seen: ReadonlyMap<string, number>): string | null {
  if (seen.has("upgrade") && /\bupgrade\b/i.test(headers.connection ?? "")) return "connections are not upgraded here";
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== "100-continue")
    return "the only expectation that can be met is 100-continue";
  if (headers.host === undefined && httpVersion !== "1.0") return "there is no Host header";
  if (!/^[a-z0-9.:[\]-]*$/i.test(headers.host ?? "")) return "the Host header is not a host name";
  return null;
}

/** Node's parser errors, in words. */
export function parserComplaint(error: Error & { readonly code?: string }): string {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return "the header section is larger than 32 KiB";
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "the header section did not arrive in time";
    default:
      return `the request is not valid HTTP/1.1 (${error.code ?? error.name})`;
  }
}
