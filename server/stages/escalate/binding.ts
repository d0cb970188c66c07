/** What an approval binds, digested: one byte of anything else is another question. */

import type { Binding } from "../../model/approval.ts";

/** Hex SHA-256 over RFC 8785 canonical JSON. */
export const digestOf = (_binding: Binding): string => {
  throw new Error("not built yet");
};

/** What identical requests of one session share: the binding without what GitHub says of the pull request. */
export const requestDigestOf = (_binding: Omit<Binding, "pull_request" | "head_sha">): string => {
  throw new Error("not built yet");
};

/** How a decoded body is bound. A multipart body is bound by part, so that another boundary is not another request. */
export const bodyBindingOf = (
  _decoded: Buffer,
  _contentType: string | null,
): Pick<Binding, "content_type" | "body_sha256"> => {
  throw new Error("not built yet");
};
