/** Takes out of a receipt what no recording may hold: credentials in header fields, and keys in the path. */

import { maskPath } from "../../datadog/credentials.ts";
import type { Operation } from "../../model/operation.ts";
import type { Closing, HeaderList, Masked, Opening, RecordedMessage } from "../../model/receipt.ts";

/** Fields whose value is a credential by definition (RFC 9110 §11, RFC 6265), whoever sends them. */
const credentialFields = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "dd-api-key",
  "dd-application-key",
  "dd_api_key",
  "dd_application_key",
]);

const marker = "[masked]";

export function maskOpening(opening: Opening, operation: Operation): Masked<Opening> {
  return {
    ...opening,
    path: maskPath(operation, opening.path),
    request: maskMessage(opening.request),
  } as Masked<Opening>;
}

export function maskClosing(closing: Closing): Masked<Closing> {
  const response = closing.response === null ? null : maskMessage(closing.response);
  return { ...closing, response } as Masked<Closing>;
}

const maskMessage = (message: RecordedMessage): RecordedMessage => ({
  ...message,
  headers: maskHeaders(message.headers),
});

const maskHeaders = (headers: HeaderList): HeaderList =>
  headers.map(([name, value]) => (credentialFields.has(name.toLowerCase()) ? [name, marker] : [name, value]));
