/** What a recorded body can be shown as: text, or bytes that are none. */

import type { BodyJson } from "../../contract.ts";

export type Content =
  | { readonly kind: "text"; readonly text: string; readonly note: string | null }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer>; readonly note: string | null }
  /** There is nothing to show, and why. */
  | { readonly kind: "none"; readonly why: string };

/** What comes out of a compressed body is shown up to here. */
const mostDecoded = 8 * 1024 * 1024;

export async function contentOf(body: BodyJson): Promise<Content> {
  if (body.expired)
    return {
      kind: "none",
      why: "The bytes are not kept any more: retention.bodies says how long bodies are. The receipt stays.",
    };
  if (body.text !== undefined) return { kind: "text", text: body.text, note: null };
  if (body.base64 === undefined)
    return {
      kind: "none",
      why: body.size === 0 ? "Nothing was in it." : "It is too large to be shown here. The raw bytes are a download.",
    };
  const stored = bytesOf(body.base64);
  const format = formatOf(body.encoding);
  if (format === null) return asText(stored, body.encoding === null ? null : `still in ${body.encoding}`);
  const decoded = await decompress(stored, format);
  return decoded === null
    ? asText(stored, `${body.encoding ?? ""} that cannot be decoded`)
    : asText(decoded, `decoded from ${body.encoding ?? ""}`);
}

const formatOf = (encoding: string | null): "gzip" | "deflate" | null =>
  encoding === "gzip" ? "gzip" : encoding === "deflate" ? "deflate" : null;

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

function asText(bytes: Uint8Array<ArrayBuffer>, note: string | null): Content {
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), note };
  } catch {
    return { kind: "bytes", bytes, note: note ?? "not valid UTF-8" };
  }
}

async function decompress(
  bytes: Uint8Array<ArrayBuffer>,
  format: "gzip" | "deflate",
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader();
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for (let size = 0; size <= mostDecoded; ) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.length;
    }
    void reader.cancel().catch(() => undefined);
    return new Uint8Array(await new Blob(chunks).arrayBuffer()).slice(0, mostDecoded);
  } catch {
    return null;
  }
}

/** `00000010  7b 22 61 …  {"a` */
export function hexLines(bytes: Uint8Array, most: number): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, most); at += 16) {
    const row = [...bytes.subarray(at, Math.min(at + 16, most))];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join("\n");
}
