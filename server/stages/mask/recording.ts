/** Takes out of a receipt what no recording may hold: credentials in header fields, keys in the path, and what masks name anywhere beside the bodies. */

import { maskPath } from "../../datadog/credentials.ts";
import type { Operation } from "../../model/operation.ts";
import type { Closing, HeaderList, Masked, Opening, RecordedMessage } from "../../model/receipt.ts";
import type { MaskedValue } from "./body/build.ts";
import { maskHeaderValue, maskPathText, maskQuery, maskSentence } from "./beside.ts";
import type { Plan } from "./plan.ts";
import type { Sealing } from "./token/bind.ts";

/** What masks of one operation are applied with. */
export type Masking = { readonly plan: Plan; readonly sealing: Sealing };

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

/** `masking`: absent where no masks are at hand; the bodies are masked before they are recorded (mask.ts). */
export function maskOpening(opening: Opening, operation: Operation, masking?: Masking): Masked<Opening> {
  const values: MaskedValue[] = [];
  const path = maskPath(operation, opening.path);
  return {
    ...opening,
    path: masking === undefined ? path : maskPathText(masking, path, values),
    query: masking === undefined ? opening.query : maskQuery(masking, opening.query, values),
    client:
      masking === undefined || opening.client === null ? opening.client : maskSentence(masking, opening.client, values),
    request: maskMessage(opening.request, masking, values),
    ...(values.length > 0 && { masked_values: (opening.masked_values ?? 0) + values.length }),
  } as Masked<Opening>;
}

export function maskClosing(closing: Closing, masking?: Masking): Masked<Closing> {
  const values: MaskedValue[] = [];
  const response = closing.response === null ? null : maskMessage(closing.response, masking, values);
  const error =
    masking === undefined || closing.error === null ? closing.error : maskSentence(masking, closing.error, values);
  return {
    ...closing,
    error,
    response,
    ...(values.length > 0 && { masked_values: (closing.masked_values ?? 0) + values.length }),
  } as Masked<Closing>;
}

const maskMessage = (
  message: RecordedMessage,
  masking: Masking | undefined,
  values: MaskedValue[],
): RecordedMessage => ({
  ...message,
  headers: maskHeaders(message.headers, masking, values),
});

const maskHeaders = (headers: HeaderList, masking: Masking | undefined, values: MaskedValue[]): HeaderList =>
  headers.map((field) => {
    const [name, value] = field;
    if (credentialFields.has(name.toLowerCase())) return [name, marker];
    return masking === undefined ? field : [name, maskHeaderValue(masking, { name, value }, values)];
  });
