/** Finds the parts of a multipart body (RFC 2046 §5.1, RFC 7578) by their bytes, so that everything between them stays as it is. */

export type Range = { readonly start: number; readonly end: number };

/** Offsets are of the body. `type` as the part's own field says, in lower case. `head`: its header lines, and what else stands behind the delimiter. */
export type Part = Range & { readonly name: string; readonly type: string; readonly head: Range };

/** `around`: what stands before the first delimiter and behind the last, which no reader of forms looks at. */
export type Parts = { readonly parts: readonly Part[]; readonly around: readonly Range[] };

const mostParts = 10_000;

/** Null where the body does not have the form that its content type says. */
export const partsOf = (bytes: Buffer, contentType: string): Parts | null => {
  const delimiter = delimiterOf(contentType);
  if (delimiter === null) return null;
  const parts: Part[] = [];
  const first = bytes.indexOf(delimiter);
  let at = first;
  if (at === -1) return null;
  while (parts.length <= mostParts) {
    const begin = at + delimiter.length;
    if (bytes.toString("latin1", begin, begin + 2) === "--")
      return {
        parts,
        around: [
          { start: 0, end: first },
          { start: begin, end: bytes.length },
        ],
      };
    const next = bytes.indexOf(delimiter, begin);
    if (next === -1) return null;
    parts.push(partIn(bytes, begin, next));
    at = next;
  }
  return null;
};

/** What stands before every part: two hyphens and the boundary. Null where the type names none. */
export const delimiterOf = (contentType: string): Buffer | null => {
  const boundary = boundaryOf(contentType);
  return boundary === null ? null : Buffer.from(`--${boundary}`, "latin1");
};

const boundaryOf = (contentType: string): string | null => {
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
};

const partIn = (bytes: Buffer, begin: number, next: number): Part => {
  const end = headEnd(bytes.subarray(0, next), begin);
  // Without an empty line all of it is head.
  const start = end === -1 ? next : end;
  return {
    ...readHead(bytes.toString("latin1", begin, start)),
    head: { start: begin, end: start },
    start,
    end: Math.max(start, next - breakBefore(bytes, next)),
  };
};

/** How long the line break is that ends there: it belongs to the delimiter behind it. */
export const breakBefore = (bytes: Buffer, at: number): number => {
  if (bytes[at - 1] !== 0x0a) return 0;
  return bytes[at - 2] === 0x0d ? 2 : 1;
};

/** `head`: header lines, one character a byte. */
export const readHead = (head: string): { readonly name: string; readonly type: string } => ({
  name: nameIn(head),
  type: (/^content-type:\s*([^\r\n]*)/im.exec(head.slice(0, longestHead))?.[1] ?? "").toLowerCase(),
});

const longestHead = 4_096;

/** Behind the empty line that ends a head, looked for from the line of its delimiter on; -1 where it is not there. */
export const headEnd = (bytes: Buffer, from: number): number => {
  for (let at = bytes.indexOf(lineFeed, from); at !== -1; at = bytes.indexOf(lineFeed, at + 1)) {
    if (bytes[at + 1] === lineFeed) return at + 2;
    if (bytes[at + 1] === carriageReturn && bytes[at + 2] === lineFeed) return at + 3;
  }
  return -1;
};

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

const nameIn = (head: string): string => {
  const found = /^content-disposition:[^\r\n]*?;\s*name=(?:"([^"\r\n]*)"|([^\s;"]+))/im.exec(
    head.slice(0, longestHead),
  );
  return found?.[1] ?? found?.[2] ?? "";
};
