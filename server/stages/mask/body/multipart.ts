/** Finds the parts of a multipart body (RFC 2046 §5.1, RFC 7578) by their bytes, so that everything between them stays as it is. */

/** Offsets are of the body. `type` and `coding` as the part's own fields say, in lower case. */
export type Part = {
  readonly name: string;
  readonly type: string;
  /** Of its header lines. */
  readonly head: { readonly start: number; readonly end: number };
  readonly start: number;
  readonly end: number;
};

const mostParts = 10_000;

/** Null where the body does not have the form that its content type says. */
export const partsOf = (bytes: Buffer, contentType: string): Part[] | null => {
  const boundary = boundaryOf(contentType);
  if (boundary === null) return null;
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  const parts: Part[] = [];
  let at = bytes.indexOf(delimiter);
  if (at === -1) return null;
  while (parts.length <= mostParts) {
    const begin = at + delimiter.length;
    if (bytes.toString("latin1", begin, begin + 2) === "--") return parts;
    const next = bytes.indexOf(delimiter, begin);
    if (next === -1) return null;
    const part = partIn(bytes, begin, next);
    if (part === null) return null;
    parts.push(part);
    at = next;
  }
  return null;
};

const boundaryOf = (contentType: string): string | null => {
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
};

const partIn = (bytes: Buffer, begin: number, next: number): Part | null => {
  const line = bytes.indexOf("\n", begin);
  if (line === -1 || line >= next) return null;
  const start = line + 1;
  const { headEnd, bodyStart } = headOf(bytes, start, next);
  const beforeDelimiter = bytes[next - 2] === 0x0d ? next - 2 : next - 1;
  const head = bytes.toString("latin1", start, headEnd);
  return {
    name: nameIn(head),
    type: (/^content-type:\s*([^\r\n]*)/im.exec(head.slice(0, longestHead))?.[1] ?? "").toLowerCase(),
    head: { start, end: headEnd },
    start: bodyStart,
    end: Math.max(bodyStart, beforeDelimiter),
  };
};

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
