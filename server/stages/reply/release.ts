/** Releases an answer to the caller so that its end is never out before its receipt is closed. */

import type { ServerResponse } from "node:http";
import type { HeaderList } from "../../model/receipt.ts";
import { breakOff, endAnswer } from "./end.ts";

export type Head = { readonly status: number; readonly reason: string; readonly headers: HeaderList };

/** The caller closed the connection while its answer was on the way. */
export class CallerGone extends Error {
  constructor() {
    super("the client closed the connection before the answer was complete");
    this.name = "CallerGone";
  }
}

/** The whole of a small answer at once: its receipt is closed already. */
export function releaseWhole(response: ServerResponse, head: Head, body: Buffer): void {
  if (response.destroyed) return;
  writeHead(response, head);
  endAnswer(response, body.length === 0 ? null : body);
}

/**
 * A large or endless answer, piece by piece. With a known length the last byte is withheld until `finish`; without
 * one every piece goes at once and only the end of the message waits.
 */
export class Release {
  readonly #response: ServerResponse;
  readonly #length: number | null;
  #passed = 0;
  #withheld: Buffer | null = null;

  constructor(response: ServerResponse, head: Head, length: number | null) {
    this.#response = response;
    this.#length = length;
    writeHead(response, head);
    response.flushHeaders();
  }

  /** Resolves when the caller can take more; a slow reader holds back whoever waits for this. Throws `CallerGone`. */
  async pass(chunk: Buffer): Promise<void> {
    this.#passed += chunk.length;
    const isLast = this.#length !== null && this.#passed >= this.#length;
    if (isLast) this.#withheld = chunk.subarray(-1);
    const now = isLast ? chunk.subarray(0, -1) : chunk;
    if (this.#response.destroyed) throw new CallerGone();
    if (now.length === 0 || this.#response.write(now)) return;
    await drained(this.#response);
  }

  /** The proper end of the message: only after the receipt is closed. */
  finish(): void {
    endAnswer(this.#response, this.#withheld);
  }

  /** No proper end: the caller sees that the answer is not whole. */
  abort(): void {
    breakOff(this.#response);
  }
}

function writeHead(response: ServerResponse, head: Head): void {
  response.sendDate = false;
  response.writeHead(head.status, head.reason, head.headers.flat());
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      response.off("drain", onDrain).off("close", onClose);
      then();
    };
    const onDrain = (): void => settle(resolve);
    const onClose = (): void => settle(() => reject(new CallerGone()));
    response.on("drain", onDrain).on("close", onClose);
    if (response.destroyed) onClose();
  });
}
