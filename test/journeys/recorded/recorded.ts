/** Recordings made up by tests, and a double that answers from them. */

import { buildCatalogue, lookUp } from "../../../server/datadog/catalogue.ts";
import { maskPath } from "../../../server/datadog/credentials.ts";
import { prefixOfHost } from "../../../server/datadog/hosts.ts";
import type { KeptBody, RecordedCall } from "../../../server/journeys/recorded/call.ts";
import { Double } from "../../../server/journeys/recorded/double.ts";
import type { Likeness } from "../../../server/journeys/recorded/keys.ts";
import { Recording } from "../../../server/journeys/recorded/recording.ts";
import type { HeaderList } from "../../../server/model/receipt.ts";

export const catalogue = buildCatalogue();
export const session = "0199c3a1-5f00-7000-8000-000000000001";
const site = "datadoghq.com";

type Content = Buffer | string | object;
type Body = {
  readonly content: Content;
  readonly type?: string;
  readonly encoding?: string;
  readonly missing?: string;
};

/** What a test says of a recorded call; numbers count from 1. */
export type Said = Partial<Omit<RecordedCall, "request" | "response">> & {
  /** `PUT /api/v1/monitor/1?page=2` */
  readonly call: string;
  readonly sent?: Content | Body;
  readonly gave?: Content | Body | null;
  readonly headers?: HeaderList;
};

export const bytesOf = (content: Content): Buffer => {
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
};

const isBody = (body: Content | Body): body is Body => typeof body === "object" && "content" in body;

const kept = (body: Content | Body | undefined | null): KeptBody | null => {
  if (body === undefined || body === null) return null;
  const { content, type, encoding, missing }: Body = isBody(body) ? body : { content: body };
  const bytes = bytesOf(content);
  return {
    content_type: type ?? "application/json",
    encoding: encoding ?? null,
    missing: missing ?? null,
    size: bytes.length,
    read: async () => bytes,
  };
};

export const recordedCall = (said: Said, index = 0): RecordedCall => {
  const { call, sent, gave, headers = [], ...rest } = said;
  const [method = "", target = ""] = call.split(" ");
  const [path = "", query = ""] = target.split("?");
  const host = rest.host ?? `api.${site}`;
  const operation = lookUp(catalogue, prefixOfHost(site, host) ?? "api", { method, path });
  return {
    session_id: session,
    n: index + 1,
    operation: operation.id,
    access: operation.access,
    method,
    host,
    // As a gateway records it: keys in it are no part of it.
    path: maskPath(operation, path),
    query,
    state: "closed",
    status: 200,
    request: { body: kept(sent) },
    response: gave === null ? null : { headers, body: kept(gave ?? { ok: index + 1 }) },
    ...rest,
  };
};

export type Question = {
  readonly host?: string | null;
  readonly headers?: HeaderList;
  readonly body?: Content;
  readonly type?: string;
  readonly encoding?: string;
};

export type Told = {
  readonly status: number;
  readonly text: string;
  readonly body: Buffer;
  readonly headers: ReadonlyMap<string, string>;
  /** Datadog's `errors`, or none. */
  readonly errors: readonly string[];
  /** `dogwatch-error` */
  readonly code: string | null;
  /** Number of the recorded call that answered. */
  readonly n: number | null;
};

export type Standing = {
  readonly double: Double;
  readonly recording: Recording;
  ask(call: string, question?: Question): Promise<Told>;
};

export async function doubleOf(said: readonly Said[], likeness: Likeness = "steady"): Promise<Standing> {
  const recording = await Recording.of(said.map(recordedCall), catalogue, site);
  const double = new Double(recording, { catalogue, site, likeness });
  return {
    double,
    recording,
    ask: async (call, { host = null, headers = [], body, type = "application/json", encoding } = {}) => {
      const [method = "", ...target] = call.split(" ");
      const bytes = body === undefined ? null : bytesOf(body);
      const written = bytes === null ? null : { bytes, contentType: type, encoding: encoding ?? null };
      const reply = await double.answer({ method, host, target: target.join(" "), headers }, written);
      const fields = new Map(reply.headers.map(([name, value]) => [name.toLowerCase(), value]));
      const n = fields.get("dogwatch-call")?.split("/")[1];
      const code = fields.get("dogwatch-error") ?? null;
      const text = reply.body.toString();
      const errors = code === null ? [] : (JSON.parse(text) as { errors: string[] }).errors;
      return {
        status: reply.status,
        text,
        body: reply.body,
        headers: fields,
        errors,
        code,
        n: n === undefined ? null : Number(n),
      };
    },
  };
}
