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
export const urlsIn = (written: string): string[] => {
  const text = withoutEntities(written);
  const found: string[] = [];
  const unclosed = new Set<string>();
  let end = 0;
  for (const { index, 0: sign } of text.matchAll(beginning)) {
    const behind = index + sign.length;
    if (index < end || behind === text.length || isSpace(text.charCodeAt(behind))) continue;
    let start = index;
    while (start > end && !isSpace(text.charCodeAt(start - 1)) && index - start < longestBefore) start--;
    const closer = unclosed.size === closers.size ? undefined : closerOf(text, { start, index });
    const close = closer === undefined || unclosed.has(closer) ? -1 : text.indexOf(closer, behind);
    if (close === -1 && closer !== undefined) unclosed.add(closer);
    end = close === -1 ? behind : close;
    while (end < text.length && !isSpace(text.charCodeAt(end))) end++;
    found.push(text.slice(start, end));
  }
  return found;
};

/** Readers of URLs take a backslash for a slash, and do without slashes behind a scheme of the web's (WHATWG URL §4.4). */
const beginning = /(?:https?|wss?|ftp):|[\\/]{2}/gi;

/** Between these a URL may hold spaces: `<img src="…">`, and links in Markdown (CommonMark §6.3). */
const closers: ReadonlyMap<string, string> = new Map([
  ["<", ">"],
  ['"', '"'],
  ["'", "'"],
]);

const closerOf = (text: string, { start, index }: { readonly start: number; readonly index: number }) => {
  for (let at = index - 1; at >= start; at--) {
    const closer = closers.get(text[at] ?? "");
    if (closer !== undefined) return closer;
  }
  let at = start - 1;
  while (at >= 0 && start - at < longestBefore && isSpace(text.charCodeAt(at))) at--;
  return closers.get(text[at] ?? "");
};

/** HTML and Markdown may write any letter of an address so. */
const withoutEntities = (text: string): string =>
  text.includes("&") ? text.replaceAll(/&(?:#0*\d{1,3}|#x0*[\da-f]{1,2}|colon|sol|bsol|period);?/gi, letterOf) : text;

const letterOf = (entity: string): string => {
  const name = entity.slice(1).replace(";", "").toLowerCase();
  if (!name.startsWith("#")) return named.get(name) ?? entity;
  return String.fromCharCode(name[1] === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1)));
};

const named: ReadonlyMap<string, string> = new Map([
  ["colon", ":"],
  ["sol", "/"],
  ["bsol", "\\"],
  ["period", "."],
]);

/** What of a text for people is followed or answered; `mark`: what a value in it is read as. */
export const leadsIn = (text: string, mark: string): string[] => [
  ...urlsIn(text),
  ...mentionsIn(text),
  ...hostsBeside(text, mark),
];

/** Where the values that are marked lead themselves: URLs with one in it, hosts in one word with one. */
export const leadsWith = (text: string, mark: string): string[] => [
  ...urlsIn(text).filter((url) => url.includes(mark)),
  ...hostsBeside(text, mark),
];

const hostsBeside = (text: string, mark: string): string[] =>
  withoutEntities(text)
    .split(/\s+/)
    .filter((word) => word.includes(mark))
    .flatMap(hostsIn);

/** Two texts with the same ones lead to the same places. */
export const addressesIn = (text: string): string[] => [...urlsIn(text), ...mentionsIn(text), ...hostsIn(text)];

/** Names of hosts, IP addresses, a name and a port. Lengths are RFC 1035's (§2.3.4); the other dots are IDNA's (RFC 3490 §3.1). */
const hostsIn = (text: string): string[] =>
  (text.normalize("NFKC").replaceAll("\u3002", ".").match(hostWords) ?? []).flatMap((word) =>
    isHost(word) ? [word] : hostsOf(word.split(":")),
  );

/** `tcp:host.example:443`, `host.example:path` */
const hostsOf = (parts: readonly string[]): string[] => {
  const [last = "", ...before] = parts.toReversed();
  return parts.length < 2 ? [] : [...parts, `${before[0]}:${last}`].filter(isHost);
};

const isHost = (word: string): boolean => word.length < 260 && isHostWord.test(word);

const hostWords = /[\p{L}\p{N}.:_-]+/gu;
const isHostWord =
  /^[._-]*(?:(?:[\p{L}\p{N}_-]{1,63}\.)+\p{L}[\p{L}\p{N}-]{1,62}\.?(?::\d{0,5})?|(?:\d{1,3}\.){3}\d{1,3}(?::\d{0,5})?|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}|[\p{L}_-][\p{L}\p{N}_-]{0,62}:\d{2,5})[.:_-]*$/iu;

/** URLs that a template completes from elsewhere: `$owner.value`, `{{ HOST }}`. */
export const templatesIn = (text: string): string[] => urlsIn(text).filter((url) => /\$|\{\{/.test(url));

const isSpace = (code: number): boolean => code <= 32 || code === 0xa0;

/** A scheme, and what a script writes before it. */
const longestBefore = 20;
