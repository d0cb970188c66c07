/** A provider's answers are small: one that is not ends there, instead of filling the memory. */

import type { CustomFetch } from "openid-client";

/** Bytes. */
const largest = 1024 * 1024;

export const boundedFetch =
  (send: typeof fetch): CustomFetch =>
  async (url, { method, headers: sent, body, signal }) => {
    // A redirect would take the secret or the token somewhere else.
    const response = await send(url, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
      redirect: "error",
    });
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array<ArrayBuffer>>) {
      size += chunk.length;
      if (size > largest) throw new Error("the answer is too large");
      chunks.push(chunk);
    }
    const bodiless = [204, 205, 304].includes(response.status);
    const { status, statusText, headers } = response;
    return new Response(bodiless ? null : new Blob(chunks), { status, statusText, headers: withoutCoding(headers) });
  };

/** It was decoded, and its length is another one. */
const withoutCoding = (headers: Headers): Headers => {
  const plain = new Headers(headers);
  for (const name of ["content-encoding", "content-length", "transfer-encoding"]) plain.delete(name);
  return plain;
};
