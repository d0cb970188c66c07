/** What an approval binds, as one digest: one byte of anything else is another question. */

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Binding } from "../../model/approval.ts";
import { multipartOf } from "./multipart.ts";

/** Hex SHA-256 over RFC 8785 canonical JSON. */
export const digestOf = (binding: Binding): string => sha256(canonical(binding));

/** What identical requests of one session share, known before anybody asked GitHub: the second request finds the first one's question by it. */
export const requestDigestOf = (binding: Omit<Binding, "pull_request" | "head_sha">): string =>
  // Left out by name and not by type: a whole binding fits the parameter too.
  sha256(canonical({ ...binding, pull_request: undefined, head_sha: undefined }));

/**
 * How a decoded body is bound: byte for byte. A multipart body by part, because clients choose a new boundary every time they
 * send; only where no other reader could see other parts in it (`multipartOf`).
 */
export function bodyBindingOf(
  decoded: Buffer,
  contentType: string | null,
): Pick<Binding, "content_type" | "body_sha256"> {
  const multipart = contentType === null ? null : multipartOf(decoded, contentType);
  if (multipart === null) return { content_type: contentType, body_sha256: sha256(decoded) };
  const parts = multipart.parts.map(({ head, content }) => ({ head: sha256(head), content: sha256(content) }));
  return { content_type: multipart.essence, body_sha256: sha256(canonical({ parts })) };
}

const canonical = (value: object): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("a binding is always an object");
  return text;
};

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
