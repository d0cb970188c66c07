/** Calls as an HTTP Archive, http://www.softwareishard.com/blog/har-12-spec/, piece by piece: it may be larger than memory. */

import { STATUS_CODES } from "node:http";
import { codingsOf, decodeCodings } from "../../model/coding.ts";
import { plainJson } from "../../model/plainJson.ts";
import type { HeaderList, StoredBodyMeta, StoredCall } from "../../model/receipt.ts";
import type { ReadCall } from "../history.ts";

/** A body that decodes to more stays as it was sent. */
const decodedBytes = 32 * 1024 * 1024;

export async function* writeHar(calls: AsyncIterable<ReadCall>, version: string): AsyncGenerator<string> {
  yield `{"log":{"version":"1.2","creator":{"name":"Dogwatch","version":${JSON.stringify(version)}},"pages":[],"entries":[`;
  let separator = "\n";
  for await (const call of calls) {
    yield `${separator}${plainJson(await entryOf(call))}`;
    separator = ",\n";
  }
  yield "\n]}}\n";
}

const entryOf = async ({ call, bodies }: ReadCall): Promise<object> => ({
  startedDateTime: call.received_at.toISOString(),
  time: between(call.received_at, call.done_at),
  request: {
    method: call.method,
    url: urlOf(call),
    httpVersion: "HTTP/1.1",
    cookies: [],
    headers: fieldsOf(call.request.headers),
    queryString: [...new URLSearchParams(call.query)].map(([name, value]) => ({ name, value })),
    ...(await postDataOf(call, bodies.request)),
    headersSize: -1,
    bodySize: call.request.body?.size ?? 0,
  },
  response: await responseOf(call, bodies.response),
  cache: {},
  timings: {
    // What rules and people took, what went to Datadog, and what came back.
    blocked: between(call.received_at, call.forwarded_at ?? call.done_at),
    dns: -1,
    connect: -1,
    ssl: -1,
    send: 0,
    wait: between(call.forwarded_at, call.first_byte_at),
    receive: between(call.first_byte_at, call.done_at),
  },
  comment: call.decision.reason,
  _dogwatch: {
    id: `${call.session_id}/${call.n}`,
    operation: call.operation,
    access: call.access,
    state: call.state,
    decision: call.decision.effect,
    rules: call.decision.rules.map(({ name }) => name),
    error_code: call.error_code,
    error: call.error,
  },
});

export const urlOf = ({ host, path, query }: StoredCall): string =>
  `https://${host}${path}${query === "" ? "" : `?${query}`}`;

const between = (from: Date | null, to: Date | null): number =>
  from === null || to === null ? 0 : Math.max(0, to.getTime() - from.getTime());

const fieldsOf = (headers: HeaderList): { name: string; value: string }[] =>
  headers.map(([name, value]) => ({ name, value }));

const postDataOf = async ({ request }: StoredCall, bytes: Buffer | null): Promise<object> => {
  if (request.body === null || request.body.size === 0) return {};
  const { text, encoding, comment } = await contentOf(request.body, bytes);
  // The format knows base64 in answers only.
  const said = encoding === undefined ? { text: text ?? "" } : { text: "", _base64: text };
  return { postData: { mimeType: mimeTypeOf(request.body), ...said, ...(comment !== undefined && { comment }) } };
};

const responseOf = async ({ response, status }: StoredCall, bytes: Buffer | null): Promise<object> => {
  const body = response?.body ?? null;
  const headers = response?.headers ?? [];
  const content = body === null ? {} : await contentOf(body, bytes);
  return {
    status: response === null ? 0 : (status ?? 0),
    statusText: (response === null ? undefined : STATUS_CODES[status ?? 0]) ?? "",
    httpVersion: "HTTP/1.1",
    cookies: [],
    headers: fieldsOf(headers),
    content: { size: body?.size ?? 0, mimeType: body === null ? "x-unknown" : mimeTypeOf(body), ...content },
    redirectURL: headers.find(([name]) => name.toLowerCase() === "location")?.[1] ?? "",
    headersSize: -1,
    bodySize: body?.size ?? 0,
    ...(response === null && { comment: "no answer of Datadog" }),
  };
};

const mimeTypeOf = ({ content_type }: StoredBodyMeta): string => content_type ?? "application/octet-stream";

type Content = {
  readonly size?: number;
  readonly text?: string;
  readonly encoding?: "base64";
  readonly comment?: string;
};

/** Decoded, as readers expect it. */
const contentOf = async (body: StoredBodyMeta, bytes: Buffer | null): Promise<Content> => {
  if (bytes === null) return { comment: whyAbsent(body) };
  const decoded = await decodedOf(body, bytes);
  const comment = body.truncated ? { comment: `only the beginning is recorded, of ${body.size} bytes` } : {};
  const text = textOf(decoded);
  return text === null
    ? { size: decoded.length, text: decoded.toString("base64"), encoding: "base64", ...comment }
    : { size: decoded.length, text, ...comment };
};

const whyAbsent = ({ expired, withheld }: StoredBodyMeta): string => {
  if (expired) return "the body has expired";
  return withheld ?? "the body is too large to stand here: it streams from its own address";
};

/** As it is stored where it cannot be decoded. */
export const decodedOf = async ({ encoding }: StoredBodyMeta, bytes: Buffer): Promise<Buffer> => {
  const codings = encoding === null ? [] : codingsOf([["content-encoding", encoding]]);
  if (codings.length === 0) return bytes;
  const decoded = await decodeCodings(bytes, codings, decodedBytes);
  return Buffer.isBuffer(decoded) ? decoded : bytes;
};

export const textOf = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};
