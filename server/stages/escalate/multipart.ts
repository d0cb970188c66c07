/** The parts of a multipart body, where every reader would find the same ones. */

type Multipart = { readonly essence: string; readonly parts: readonly Part[] };
type Part = { readonly head: Buffer; readonly content: Buffer };

const mostParts = 1_000;
const blankLine = Buffer.from("\r\n\r\n");

/**
 * Null for anything but a plain multipart/form-data body: only a boundary as parameter, nothing before the first part or after
 * the last, and the boundary nowhere inside a part, not even where RFC 2046 would not take it for one. So two bodies with the
 * same parts differ in nothing but the boundary, whoever reads them.
 */
export function multipartOf(body: Buffer, contentType: string): Multipart | null {
  const [, quoted, plain] =
    /^multipart\/form-data; ?boundary=(?:"([\w'()+,./:=?-]{1,70})"|([\w'+.-]{1,70}))$/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return null;
  const sections = split(body, Buffer.from(`--${boundary}`));
  const [before, ...rest] = sections ?? [];
  const after = rest.pop();
  if (before?.length !== 0 || !isEnd(after) || rest.length === 0) return null;
  const parts = rest.map(partOf);
  return parts.every((part) => part !== null) ? { essence: "multipart/form-data", parts } : null;
}

/** What stands between the boundaries; null when there are more than anybody sends. */
function split(body: Buffer, delimiter: Buffer): Buffer[] | null {
  const sections: Buffer[] = [];
  let from = 0;
  for (;;) {
    const at = body.indexOf(delimiter, from);
    sections.push(body.subarray(from, at === -1 ? undefined : at));
    if (at === -1) return sections;
    if (sections.length > mostParts) return null;
    from = at + delimiter.length;
  }
}

const isEnd = (section: Buffer | undefined): boolean => {
  const text = section?.toString("latin1");
  return text === "--" || text === "--\r\n";
};

/** A boundary's own line ends before a part begins, and the line break before the next boundary is the boundary's. */
function partOf(section: Buffer): Part | null {
  if (section.length < 4 || section.subarray(0, 2).toString("latin1") !== "\r\n") return null;
  if (section.subarray(-2).toString("latin1") !== "\r\n") return null;
  const inner = section.subarray(2, -2);
  const head = inner.indexOf(blankLine);
  return head === -1 ? null : { head: inner.subarray(0, head), content: inner.subarray(head + blankLine.length) };
}
