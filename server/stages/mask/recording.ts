/** Takes out of a receipt what no recording may hold: credentials in header fields, keys in the path, and what masks name anywhere beside the bodies. */

import { maskPath } from "../../datadog/credentials.ts";
import type { Operation } from "../../model/operation.ts";
import type { Closing, HeaderList, Masked, Opening, RecordedBody, RecordedMessage } from "../../model/receipt.ts";
import type { MaskedValue } from "./body/build.ts";
import { maskHeaderName, maskHeaderValue, maskPathText, maskQuery, maskSentence } from "./beside.ts";
import type { Masking } from "./masking.ts";
import { Tally } from "./tally.ts";

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

/** Digests of the bytes as they were (RFC 9530, RFC 1864): with them a guess about a masked value can be checked. */
const digestFields = new Set(["content-md5", "digest", "content-digest", "repr-digest"]);

const marker = "[masked]";

/** The bodies are masked before they come here (mask.ts); what was replaced in them is counted here. */
export function maskOpening(opening: Opening, operation: Operation, masking: Masking): Masked<Opening> {
  const values: MaskedValue[] = [];
  const masked = {
    ...opening,
    path: maskPathText(masking, maskPath(operation, opening.path), values),
    query: maskQuery(masking, opening.query, values),
    client: opening.client === null ? null : maskSentence(masking, opening.client, values),
    request: maskMessage(masking, opening.request, values),
  };
  return { ...masked, ...replacedIn(masking, values, [opening.request.body]) } as Masked<Opening>;
}

export function maskClosing(closing: Closing, masking: Masking): Masked<Closing> {
  const values: MaskedValue[] = [];
  const masked = {
    ...closing,
    error: closing.error === null ? null : maskSentence(masking, closing.error, values),
    request_body: maskMeta(masking, closing.request_body, values),
    response: closing.response === null ? null : maskMessage(masking, closing.response, values),
  };
  const bodies = [masked.request_body, masked.response?.body ?? null];
  return { ...masked, ...replacedIn(masking, values, bodies) } as Masked<Closing>;
}

/** Absent where nothing was. */
function replacedIn(
  { sealing }: Masking,
  values: readonly MaskedValue[],
  bodies: readonly (RecordedBody | null)[],
): Pick<Opening, "masked_values" | "masked_hashes"> {
  const tally = new Tally(sealing.keys);
  tally.add(values);
  for (const body of bodies) tally.join(body?.replaced);
  const { values: masked_values, hashes: masked_hashes } = tally.replaced;
  return masked_values === 0 ? {} : { masked_values, masked_hashes };
}

const maskMessage = (masking: Masking, message: RecordedMessage, values: MaskedValue[]): RecordedMessage => ({
  ...message,
  headers: maskHeaders(masking, message.headers, values),
  body: maskMeta(masking, message.body, values),
});

/** What a body is said to be stands in header fields, which anybody writes. The values are counted with those. */
function maskMeta(masking: Masking, body: RecordedBody | null, values: MaskedValue[]): RecordedBody | null {
  if (body === null) return null;
  const field = (name: string, value: string | null): string | null =>
    value === null ? null : maskHeaderValue(masking, { name, value }, values);
  return {
    ...body,
    content_type: field("content-type", body.content_type),
    encoding: field("content-encoding", body.encoding),
  };
}

const maskHeaders = (masking: Masking, headers: HeaderList, values: MaskedValue[]): HeaderList =>
  headers.map(([name, value]) => {
    const lower = name.toLowerCase();
    return credentialFields.has(lower) || digestFields.has(lower)
      ? [name, marker]
      : [maskHeaderName(masking, name, values), maskHeaderValue(masking, { name, value }, values)];
  });
