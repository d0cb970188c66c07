/** Reads a request's body: bounded in size on the wire and decoded, in every coding that Datadog's intakes accept. */

import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { type Answer, refused } from "./answer.ts";
import { type Json, readJson } from "./json.ts";

/** More than any Datadog intake takes, in bytes. */
const limit = 64 * 1024 * 1024;

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const decoders = new Map<string, Decoder>([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
  ["zstd", promisify(zstdDecompress)],
  // The Agent's name for zstd.
  ["zstd1", promisify(zstdDecompress)],
]);

export type Body = { readonly bytes: Buffer; readonly json: Json | undefined };

/** The decoded body, or the answer that says why there is none: 413 too large, 415 unknown coding, 400 broken. */
export const readBody = async (request: IncomingMessage): Promise<Body | Answer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return refused(413, "Payload too large");
    chunks.push(chunk);
  }
  const bytes = await decode(Buffer.concat(chunks), request.headers["content-encoding"]);
  return Buffer.isBuffer(bytes) ? parseBody(bytes, request.headers["content-type"] ?? "") : bytes;
};

const decode = async (encoded: Buffer, coding: string | undefined): Promise<Buffer | Answer> => {
  const names = (coding ?? "").split(",").map((name) => name.trim().toLowerCase());
  let bytes = encoded;
  for (const name of names.toReversed()) {
    if (name === "" || name === "identity" || bytes.length === 0) continue;
    const decoder = decoders.get(name);
    if (decoder === undefined) return refused(415, `Unsupported Content-Encoding: ${name}`);
    try {
      bytes = await decoder(bytes, { maxOutputLength: limit });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "ERR_BUFFER_TOO_LARGE"
        ? refused(413, "Payload too large")
        : refused(400, `The body is not valid ${name}`);
    }
  }
  return bytes;
};

const parseBody = (bytes: Buffer, contentType: string): Body | Answer => {
  // curl's `-d` says form-urlencoded of JSON too, and Datadog's API reads it all the same.
  const json = /json|x-www-form-urlencoded/i.test(contentType);
  if (bytes.length === 0 || !(json || contentType === "")) return { bytes, json: undefined };
  try {
    return { bytes, json: readJson(bytes.toString("utf8")) };
  } catch (error) {
    if (!json) return { bytes, json: undefined };
    return refused(400, `Invalid JSON in request body: ${error instanceof Error ? error.message : "unreadable"}`);
  }
};
