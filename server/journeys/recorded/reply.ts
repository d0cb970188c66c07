/** A recorded answer as it goes out again: status, header fields and bytes as they were given, framed for this connection. */

import { codingsOf, decodeCodings } from "../../model/coding.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { endToEnd } from "../../stages/forward/endToEnd.ts";
import type { RecordedCall } from "./call.ts";

export type Reply = { readonly status: number; readonly headers: HeaderList; readonly body: Buffer };

/**
 * Said again for this connection, or of an address that is not asked here; what masks took out of a recording is no value, and no page of
 * another origin reads one.
 */
const dropped = new Set([
  "content-length",
  "content-encoding",
  "date",
  "alt-svc",
  "strict-transport-security",
  "set-cookie",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  "access-control-allow-origin",
]);

const mostDecoded = 64 * 2 ** 20;

/** `accepts`: the request's `Accept-Encoding`. A client that did not ask for a coding gets none. */
export async function replyFrom(call: RecordedCall, bytes: Buffer, accepts: string | null): Promise<Reply> {
  const { status, response, method } = call;
  const encoding = response?.body?.encoding ?? null;
  const plain = encoding === null ? bytes : await acceptable(bytes, encoding, accepts);
  const headers: (readonly [string, string])[] = endToEnd(response?.headers ?? []).filter(
    (field) => !dropped.has(field[0].toLowerCase()) && isField(field),
  );
  if (encoding !== null && plain === bytes) headers.push(["content-encoding", encoding]);
  // The gateway's own answers name their code; Datadog's hold no such field.
  headers.push(
    ...(response?.headers ?? []).filter(([name]) => name.toLowerCase() === "dogwatch-error").filter(isField),
  );
  headers.push(["dogwatch-call", `${call.session_id}/${call.n}`]);
  const sent = status ?? 200;
  const isBodiless = method === "HEAD" || sent === 204 || sent === 304;
  if (!isBodiless) headers.push(["content-length", String(plain.length)]);
  return { status: sent, headers, body: isBodiless ? Buffer.alloc(0) : plain };
}

/** Decoded, where it must be and can be. */
const acceptable = async (bytes: Buffer, encoding: string, accepts: string | null): Promise<Buffer> => {
  const codings = codingsOf([["content-encoding", encoding]]);
  if (codings.every((coding) => takes(accepts, coding))) return bytes;
  const decoded = await decodeCodings(bytes, codings, mostDecoded);
  return Buffer.isBuffer(decoded) ? decoded : bytes;
};

/** RFC 9110 §12.5.3 */
const takes = (accepts: string | null, coding: string): boolean =>
  (accepts ?? "")
    .toLowerCase()
    .split(",")
    .some((part) => {
      const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
      return (name === coding || name === "*") && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    });

/** Whoever wrote the file may have written anything. */
const isField = ([name, value]: readonly [string, string]): boolean =>
  /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
