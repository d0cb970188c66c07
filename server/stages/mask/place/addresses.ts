/** Whom and what a text leads to: its mentions, its URLs, the hosts it names. */

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

/** In a text for people only what is followed or answered: a word with a dot in it is hardly ever a host there. */
export const leadsIn = (text: string): string[] => [...urlsIn(text), ...mentionsIn(text)];

/** Two texts with the same ones lead to the same places. */
export const addressesIn = (text: string): string[] => [...leadsIn(text), ...hostsIn(text)];

/** Names of hosts and IPv4 addresses, with their port: words with a dot in them that end like a domain. Lengths are RFC 1035's (§2.3.4). */
const hostsIn = (text: string): string[] =>
  (text.includes(".") ? (text.match(hostWords) ?? []) : []).filter(
    (word) => word.length < 260 && isHostWord.test(word),
  );

const hostWords = /[\p{L}\p{N}.:_-]+/gu;
const isHostWord =
  /^[.:_-]*(?:(?:[\p{L}\p{N}_-]{1,63}\.)+\p{L}[\p{L}\p{N}-]{1,62}\.?|(?:\d{1,3}\.){3}\d{1,3})(?::\d{0,5})?[.:_-]*$/u;

const isSpace = (code: number): boolean => code <= 32 || code === 0xa0;

/** A scheme, and what a script writes before it. */
const longestBefore = 20;
