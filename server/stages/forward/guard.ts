/** Watches an answer for the connection's own credentials: Datadog can list keys, an echo can repeat them, and no caller may see ours. */

import { Buffer } from "node:buffer";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Transform } from "node:stream";
import type { Connection } from "../../model/connection.ts";
import type { HeaderList } from "../../model/receipt.ts";

/** Shorter values are placeholders of sandboxes (`k`, `a`), and would match anything. */
const shortestCredential = 16;

export function credentialsOf(connection: Connection): readonly Buffer[] {
  return [connection.apiKey.reveal(), connection.appKey.reveal()]
    .filter((value) => value.length >= shortestCredential)
    .map((value) => Buffer.from(value));
}

export function headersHold(credentials: readonly Buffer[], headers: HeaderList): boolean {
  return headers.some(([, value]) => credentials.some((credential) => value.includes(credential.toString())));
}

/** Scans chunk by chunk, remembering enough of the last one to see a credential that spans two. */
class Scanner {
  readonly #credentials: readonly Buffer[];
  readonly #overlap: number;
  #tail: Buffer = Buffer.alloc(0);
  found = false;

  constructor(credentials: readonly Buffer[]) {
    this.#credentials = credentials;
    this.#overlap = Math.max(0, ...credentials.map((credential) => credential.length - 1));
  }

  scan(chunk: Buffer): void {
    if (this.#credentials.length === 0 || this.found) return;
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, this.#overlap)]);
    this.found = this.#credentials.some((credential) => seam.includes(credential) || chunk.includes(credential));
    this.#tail =
      chunk.length >= this.#overlap
        ? chunk.subarray(-this.#overlap || chunk.length)
        : Buffer.concat([this.#tail, chunk]).subarray(-this.#overlap);
  }
}

/** Sees through `Content-Encoding`; a coding it does not know is scanned as it is. */
export class CredentialGuard {
  readonly #scanner: Scanner;
  readonly #decoder: Transform | null;
  #broken = false;

  constructor(credentials: readonly Buffer[], encoding: string | null) {
    this.#scanner = new Scanner(credentials);
    this.#decoder = credentials.length === 0 ? null : decoderOf(encoding);
    this.#decoder?.on("data", (chunk: Buffer) => this.#scanner.scan(chunk));
    this.#decoder?.on("error", () => {
      this.#broken = true;
    });
  }

  /** True when this chunk completes one of the credentials: it must not be released. */
  sees(chunk: Buffer): boolean | Promise<boolean> {
    const decoder = this.#decoder;
    if (decoder === null || this.#broken) {
      this.#scanner.scan(chunk);
      return this.#scanner.found;
    }
    return new Promise((resolve) => {
      const settle = (): void => resolve(this.#scanner.found);
      // A stream that is not what its header says errors once and never calls back.
      decoder.once("error", settle);
      decoder.write(chunk, () => {
        decoder.off("error", settle);
        // What this chunk decoded to is emitted before the next turn of the event loop.
        setImmediate(settle);
      });
    });
  }

  close(): void {
    this.#decoder?.destroy();
  }
}

function decoderOf(encoding: string | null): Transform | null {
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
    case "zstd1":
      return createZstdDecompress();
    default:
      return null;
  }
}
