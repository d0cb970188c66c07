/** What receipts say over and over is stored once a week: decisions, header fields, the kinds of bodies. A receipt names its phrase by digest. */

import { hash } from "node:crypto";
import { z } from "zod";
import { effects } from "../model/decision.ts";
import type { Closing, HeaderList, Opening, RecordedBody } from "../model/receipt.ts";
import { epochOf } from "./epochs.ts";

/** As it is stored: `text` is JSON. Its digest is cut to 160 bits, which nobody finds twice. */
export type Phrase = { readonly week: number; readonly digest: Buffer; readonly text: string };

/** A receipt's phrase, and the values of its header fields that are its own. */
export type Phrased = { readonly phrase: Phrase; readonly own_values: readonly string[] | null };

/** Fields whose values differ from call to call: their values stay with the call. Any other may differ too, and then costs a phrase of its own. */
const ownFields: ReadonlySet<string> = new Set(
  (
    "age cf-ray content-length date dd-request-id etag expires idempotency-key last-modified ratelimit-remaining ratelimit-reset server-timing " +
    "set-cookie traceparent tracestate x-amz-cf-id x-amzn-trace-id x-datadog-parent-id x-datadog-tags x-datadog-trace-id x-ratelimit-remaining " +
    "x-ratelimit-reset x-request-id"
  ).split(" "),
);

/** Null stands for the next of the receipt's own values. */
const fields = z.array(z.tuple([z.string(), z.string().nullable()]));
type Fields = z.infer<typeof fields>;

const matchedRule = z.object({ name: z.string(), effect: z.enum(effects), reason: z.string() });
const nearRule = z.object({ name: z.string(), effect: z.enum(effects), clause: z.string() });
const decision = z.object({
  effect: z.enum([...effects, "observe"]),
  rules: z.array(matchedRule),
  near: z.array(nearRule).exactOptional(),
  tokens: z.array(z.object({ kind: z.string(), path: z.string(), outcome: z.string() })).exactOptional(),
  reason: z.string(),
  policy: z.string(),
});

const bodyKind = z.object({
  content_type: z.string().nullable(),
  encoding: z.string().nullable(),
  truncated: z.boolean(),
  /** The bytes are in `bodies`, or were. */
  kept: z.boolean(),
  /** Why nothing of it is kept although it was there. */
  withheld: z.string().exactOptional(),
});
export type BodyKind = z.infer<typeof bodyKind>;

export const openingPhrase = z.object({
  client: z.string().nullable(),
  decision,
  headers: fields,
  body: bodyKind.nullable(),
});

export const closingPhrase = z.object({
  upstream: z.string().nullable(),
  headers: fields.nullable(),
  decision: decision.nullable(),
  request_body: bodyKind.nullable(),
  response_body: bodyKind.nullable(),
});

/** The first epoch of a session's week, which phrases and the partitions of receipts go by. */
export const weekOf = (session_id: string): number => {
  const epoch = epochOf(session_id);
  return epoch - (epoch % 7);
};

export const phraseOpening = (session_id: string, { client, decision, request }: Opening): Phrased => {
  const [headers, own_values] = split(request.headers);
  const value = { client: plain(client), decision, headers, body: kindOf(request.body) };
  return { phrase: phraseOf(session_id, value), own_values };
};

export const phraseClosing = (session_id: string, closing: Closing): Phrased => {
  const { upstream, response, response_decision = null, request_body } = closing;
  const [headers, own_values] = response === null ? [null, null] : split(response.headers);
  const value = {
    upstream: plain(upstream),
    headers,
    decision: response_decision,
    request_body: kindOf(request_body),
    response_body: kindOf(response?.body ?? null),
  };
  return { phrase: phraseOf(session_id, value), own_values };
};

const phraseOf = (session_id: string, value: object): Phrase => {
  const text = JSON.stringify(value);
  return { week: weekOf(session_id), digest: hash("sha256", text, "buffer").subarray(0, 20), text };
};

/** As a text column holds it: without NUL and half characters. */
const plain = (value: string | null): string | null => value?.replaceAll("\0", "\uFFFD").toWellFormed() ?? null;

const kindOf = (body: RecordedBody | null): BodyKind | null =>
  body && {
    content_type: body.content_type,
    encoding: body.encoding,
    truncated: body.truncated,
    kept: body.bytes !== null,
    ...(body.withheld !== undefined && { withheld: body.withheld }),
  };

const split = (headers: HeaderList): [Fields, string[] | null] => {
  const own: string[] = [];
  const common = headers.map(([name, value]): [string, string | null] => {
    if (!ownFields.has(name.toLowerCase())) return [name, value];
    own.push(value);
    return [name, null];
  });
  return [common, own.length === 0 ? null : own];
};

export const joinFields = (common: Fields, own: readonly string[] | null): [string, string][] => {
  let next = 0;
  return common.map(([name, value]) => [name, value ?? own?.[next++] ?? ""]);
};

/** Each digest once. */
export const distinct = (digests: readonly Buffer[]): Buffer[] => [
  ...new Map(digests.map((digest) => [digest.toString("hex"), digest])).values(),
];
