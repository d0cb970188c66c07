/** The lines of a file that passes: they end with a line feed and with nothing else, whatever a text in them holds. */

import { isUtf8 } from "node:buffer";

/** Bytes; a gateway's own lines are far shorter. */
export const longestLine = 16 * 2 ** 20;

const lineFeed = 0x0a;

/** A line that is too long, or no UTF-8, is an empty one here: no export has any, so it is found. Memory holds one line. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const line = new Line();
  for await (const piece of source) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let from = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, from)) {
      line.add(bytes.subarray(from, end));
      yield line.take();
      from = end + 1;
    }
    line.add(bytes.subarray(from));
  }
  if (line.size > 0) yield line.take();
}

class Line {
  #pieces: Buffer[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size > longestLine) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  take(): string {
    const bytes = this.#size > longestLine ? Buffer.alloc(0) : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    return isUtf8(bytes) ? bytes.toString("utf8") : "";
  }
}
