/** Watches an answer for the connection's own credentials: Datadog can list keys, an echo can repeat them, and no caller may see ours. */

import { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";
import type { Connection } from "../../model/connection.ts";
import type { HeaderList } from "../../model/receipt.ts";

/** Shorter values are placeholders of sandboxes (`k`, `a`), and would match anything. */
const shortestCredential = 16;
/** Fewer bytes of a credential than these help nobody, and text ends with them by chance. */
const shortestBeginning = 8;

export function credentialsOf(connection: Connection): readonly Buffer[] {
  return [connection.apiKey.reveal(), connection.appKey.reveal()]
    .filter((value) => value.length >= shortestCredential)
    .map((value) => Buffer.from(value));
}

export function headersHold(credentials: readonly Buffer[], headers: HeaderList): boolean {
  const texts = credentials.map((credential) => credential.toString());
  return headers.some(([, value]) => texts.some((text) => value.includes(text)));
}

/** `begun`: what came ends with the beginning of a credential, so the next piece decides. */
export type Sight = "clear" | "begun" | "found";

/** Scans chunk by chunk, remembering enough of the last one to see a credential that spans two. */
class Scanner {
  readonly #credentials: readonly Buffer[];
  readonly #overlap: number;
  #tail: Buffer = Buffer.alloc(0);
  #found = false;

  constructor(credentials: readonly Buffer[]) {
    this.#credentials = credentials;
    this.#overlap = Math.max(0, ...credentials.map((credential) => credential.length - 1));
  }

  scan(chunk: Buffer): void {
    if (this.#credentials.length === 0 || this.#found) return;
    this.#found = this.#holds(chunk) || (this.#tail.length > 0 && this.#holds(this.#seamWith(chunk)));
    // A copy: a view would keep the whole chunk alive.
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-this.#overlap)]).subarray(-this.#overlap);
  }

  #holds(bytes: Buffer): boolean {
    return this.#credentials.some((credential) => bytes.includes(credential));
  }

  #seamWith(chunk: Buffer): Buffer {
    return Buffer.concat([this.#tail, chunk.subarray(0, this.#overlap)]);
  }

  get sight(): Sight {
    if (this.#found) return "found";
    return this.#credentials.some((credential) => this.#endsInBeginningOf(credential)) ? "begun" : "clear";
  }

  #endsInBeginningOf(credential: Buffer): boolean {
    const tail = this.#tail;
    for (let at = Math.max(0, tail.length - credential.length + 1); at <= tail.length - shortestBeginning; at++)
      if (tail[at] === credential[0] && credential.compare(tail, at, tail.length, 0, tail.length - at) === 0)
        return true;
    return false;
  }
}

/** Sees through `Content-Encoding`; a coding it does not know is scanned as it is. */
export class CredentialGuard {
  readonly #scanner: Scanner;
  readonly #coding: string | null;
  #decoder: Transform | null | undefined;
  /** What follows is not in the coding any more. */
  #decoded = false;

  constructor(credentials: readonly Buffer[], encoding: string | null) {
    this.#scanner = new Scanner(credentials);
    this.#coding = credentials.length === 0 ? null : encoding;
  }

  /** What is seen once this chunk is there: `found` must not be released, `begun` not before the next one is clear. */
  sees(chunk: Buffer): Sight | Promise<Sight> {
    if (this.#decoder === undefined) this.#decoder = this.#start(chunk);
    if (this.#decoder !== null && !this.#decoded) return this.#decode(this.#decoder, chunk);
    this.#scanner.scan(chunk);
    return this.#scanner.sight;
  }

  #start(first: Buffer): Transform | null {
    const decoder = decoderOf(this.#coding, first);
    const end = (): void => {
      this.#decoded = true;
    };
    return (
      decoder
        ?.on("data", (chunk: Buffer) => this.#scanner.scan(chunk))
        .on("error", end)
        .on("end", end) ?? null
    );
  }

  #decode(decoder: Transform, chunk: Buffer): Promise<Sight> {
    return new Promise((resolve) => {
      const settle = (): void => {
        decoder.off("error", settle).off("end", settle);
        // What this chunk decoded to is emitted before the next turn of the event loop.
        setImmediate(() => {
          if (this.#decoded) this.#scanner.scan(chunk);
          resolve(this.#scanner.sight);
        });
      };
      // A stream that is not what its header says, or that ends before its bytes do, never calls back.
      decoder.once("error", settle).once("end", settle);
      decoder.write(chunk, settle);
    });
  }

  close(): void {
    this.#decoder?.destroy();
  }
}

function decoderOf(encoding: string | null, first: Buffer): Transform | null {
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return hasZlibHeader(first) ? createInflate() : createInflateRaw();
    case "br":
      return createBrotliDecompress();
    case "zstd":
    case "zstd1":
      return createZstdDecompress();
    default:
      return null;
  }
}

/** Some servers send `deflate` without the zlib header (RFC 1950 §2.2) that RFC 9110 §8.4.1.2 asks for, and clients read both. */
const hasZlibHeader = (first: Buffer): boolean => ((first[0] ?? 0) & 0x0f) === 8;
