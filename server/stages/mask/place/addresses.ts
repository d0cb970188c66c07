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

/** What of a text for people is followed or answered. */
export const leadsIn = (text: string): string[] => [...urlsIn(text), ...mentionsIn(text)];

/** Two texts with the same ones lead to the same places. */
export const addressesIn = (text: string): string[] => [...leadsIn(text), ...hostsIn(text)];

/** Names of hosts, IP addresses, a name and a port. Lengths are RFC 1035's (§2.3.4); the other dots are IDNA's (RFC 3490 §3.1). */
const hostsIn = (text: string): string[] =>
  (text.normalize("NFKC").replaceAll("\u3002", ".").match(hostWords) ?? []).filter(
    (word) => word.length < 260 && isHostWord.test(word),
  );

const hostWords = /[\p{L}\p{N}.:_-]+/gu;
const isHostWord =
  /^[._-]*(?:(?:[\p{L}\p{N}_-]{1,63}\.)+\p{L}[\p{L}\p{N}-]{1,62}\.?(?::\d{0,5})?|(?:\d{1,3}\.){3}\d{1,3}(?::\d{0,5})?|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}|[\p{L}_-][\p{L}\p{N}_-]{0,62}:\d{2,5})[.:_-]*$/iu;

/** URLs that a template completes from elsewhere: `$owner.value`, `{{ HOST }}`. */
export const templatesIn = (text: string): string[] => urlsIn(text).filter((url) => /\$|\{\{/.test(url));

const isSpace = (code: number): boolean => code <= 32 || code === 0xa0;

/** A scheme, and what a script writes before it. */
const longestBefore = 20;
