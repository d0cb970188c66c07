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
    const part = partIn(bytes, begin, next);
    if (part === null) return null;
    parts.push(part);
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

const partIn = (bytes: Buffer, begin: number, next: number): Part | null => {
  const line = bytes.indexOf("\n", begin);
  if (line === -1 || line >= next) return null;
  const { headEnd, bodyStart } = headOf(bytes, line + 1, next);
  return {
    ...readHead(bytes.toString("latin1", line + 1, headEnd)),
    head: { start: begin, end: headEnd },
    start: bodyStart,
    end: Math.max(bodyStart, next - breakBefore(bytes, next)),
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

const headOf = (bytes: Buffer, start: number, next: number): { headEnd: number; bodyStart: number } => {
  if (bytes[start] === 0x0a) return { headEnd: start, bodyStart: start + 1 };
  if (bytes[start] === 0x0d && bytes[start + 1] === 0x0a) return { headEnd: start, bodyStart: start + 2 };
  const crlf = bytes.indexOf("\r\n\r\n", start);
  const lf = bytes.indexOf("\n\n", start);
  if (crlf !== -1 && crlf < next && (lf === -1 || crlf < lf)) return { headEnd: crlf, bodyStart: crlf + 4 };
  if (lf !== -1 && lf < next) return { headEnd: lf, bodyStart: lf + 2 };
  return { headEnd: next, bodyStart: next };
};

const nameIn = (head: string): string => {
  const found = /^content-disposition:[^\r\n]*?;\s*name=(?:"([^"\r\n]*)"|([^\s;"]+))/im.exec(
    head.slice(0, longestHead),
  );
  return found?.[1] ?? found?.[2] ?? "";
};
