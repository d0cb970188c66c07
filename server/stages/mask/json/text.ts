/** Decodes what stands between the quotes of a JSON string, and says where each part of it stands in the bytes. */

import { escaped, nonAscii } from "./scan.ts";

/** Of `bytes`, inside the quotes; `flags` as the scanner gives them. */
export type Written = { readonly bytes: Buffer; readonly start: number; readonly end: number; readonly flags: number };

/** Null where an escape is none (RFC 8259 §7). The bytes must be UTF-8. */
export const decodeText = ({ bytes, start, end, flags }: Written): string | null => {
  const text = (flags & nonAscii) === 0 ? bytes.toString("latin1", start, end) : bytes.toString("utf8", start, end);
  if ((flags & escaped) === 0) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return null;
  }
};

/** UTF-16 offset of the decoded text → byte. */
export const offsetsIn = (written: Written): ((offset: number) => number) => {
  const { start, flags } = written;
  if ((flags & (escaped | nonAscii)) === 0) return (offset) => start + offset;
  const table = tableOf(written);
  return (offset) => table[offset] ?? written.end;
};

const tableOf = ({ bytes, start, end }: Written): Int32Array => {
  const table = new Int32Array(end - start + 1);
  let units = 0;
  let at = start;
  while (at < end) {
    const byte = bytes[at] ?? 0;
    table[units++] = at;
    if (byte === 0x5c) at += bytes[at + 1] === 0x75 ? 6 : 2;
    else if (byte < 0x80) at += 1;
    else if (byte < 0xe0) at += 2;
    else if (byte < 0xf0) at += 3;
    else {
      // Four bytes are two units of UTF-16.
      table[units++] = at;
      at += 4;
    }
  }
  table[units] = end;
  return table.subarray(0, units + 1);
};
