/** Whom and what a text leads to: its mentions and its URLs. */

/** `@name`s of a text in order, as far as they reach; what stands between is nobody's address. */
export const mentionsIn = (text: string): string[] => {
  const found: string[] = [];
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    let end = at + 1;
    while (end < text.length && !isSpace(text.charCodeAt(end))) end++;
    if (end > at + 1) found.push(text.slice(at, end));
    at = end - 1;
  }
  return found;
};

/** URLs of a text in order, however far they reach: what stands between is nobody's address. */
export const urlsIn = (text: string): string[] => {
  const found: string[] = [];
  let end = 0;
  for (let at = text.indexOf("//"); at !== -1; at = text.indexOf("//", at + 2)) {
    if (at < end || at + 2 === text.length || isSpace(text.charCodeAt(at + 2))) continue;
    let start = at;
    while (start > end && !isSpace(text.charCodeAt(start - 1)) && at - start < longestBefore) start--;
    end = at;
    while (end < text.length && !isSpace(text.charCodeAt(end))) end++;
    found.push(text.slice(start, end));
  }
  return found;
};

const isSpace = (code: number): boolean => code <= 32 || code === 0xa0;

/** A scheme, and what a script writes before it. */
const longestBefore = 20;
