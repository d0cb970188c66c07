/** The lines of a file with their places in it, so that what a line holds can be read again when somebody wants it. */

import { isUtf8 } from "node:buffer";
import type { FileHandle } from "node:fs/promises";

/** `text` is null for what is no UTF-8, or too long to be a line of an export. */
export type PlacedLine = { readonly number: number; readonly place: Place; readonly text: string | null };
export type Place = { readonly from: number; readonly length: number };

/** Bytes. A call with two bodies of 8 MiB, written as JSON. */
const longestLine = 128 * 2 ** 20;
const pieceSize = 2 ** 20;
const lineFeed = 0x0a;

export async function* placedLines(file: FileHandle): AsyncGenerator<PlacedLine> {
  const piece = Buffer.allocUnsafe(pieceSize);
  let line: Buffer[] = [];
  let [number, from, length] = [1, 0, 0];
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, pieceSize, at);
    if (bytesRead === 0) break;
    let start = 0;
    for (let end = piece.indexOf(lineFeed); end !== -1 && end < bytesRead; end = piece.indexOf(lineFeed, start)) {
      yield placed(number, { from, length: length + end - start }, [...line, piece.subarray(start, end)]);
      [line, start, length] = [[], end + 1, 0];
      [number, from] = [number + 1, at + start];
    }
    length += bytesRead - start;
    // A line that is too long is not kept while its end is looked for.
    if (length > longestLine) line = [];
    else if (start < bytesRead) line.push(Buffer.from(piece.subarray(start, bytesRead)));
    at += bytesRead;
  }
  if (length > 0) yield placed(number, { from, length }, line);
}

const placed = (number: number, place: Place, pieces: readonly Buffer[]): PlacedLine => {
  if (place.length > longestLine) return { number, place, text: null };
  const bytes = Buffer.concat(pieces);
  return { number, place, text: isUtf8(bytes) ? bytes.toString("utf8") : null };
};

/** The text of one line again. */
export async function readPlace(file: FileHandle, { from, length }: Place): Promise<string> {
  const bytes = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await file.read(bytes, read, length - read, from + read);
    if (bytesRead === 0) throw new Error("the file of the recording was cut while it was served");
    read += bytesRead;
  }
  return bytes.toString("utf8");
}
