/** Which fields decide where Datadog sends what a resource holds: where one of them changes, no token of that resource turns back unasked. */

import { endingsOf, mayEnd } from "../detect/endings.ts";
import { gateOf } from "../detect/gate.ts";
import { isAlphanumeric } from "../detect/validators.ts";
import { type JsonVisitor, deepest, scanJson } from "../json/scan.ts";
import { decodeText } from "../json/text.ts";
import type { Step } from "./place.ts";

/** By name, compared without case and separators, and also at the end of a longer name: `url`, `webhook_url`, `callbackUrl`. */
const endings = [
  "address",
  "addresses",
  "bucket",
  "bucketname",
  "channel",
  "channelid",
  "channelname",
  "destination",
  "domain",
  "email",
  "emails",
  "endpoint",
  "handle",
  "handles",
  "host",
  "hostname",
  "hosts",
  "link",
  "queue",
  "recipient",
  "recipients",
  "region",
  "server",
  "site",
  "subdomain",
  "topic",
  "uri",
  "url",
  "urls",
  "webhook",
];

/** Only as the whole name: at the end of others they mean something else. */
const whole = new Set(["to", "cc", "bcc", "ip", "port", "notifications", "notifylist"]);

/** Texts in which `@name` sends them to somebody: https://docs.datadoghq.com/monitors/notify/#notifications */
const mentioning = new Set(["message", "escalationmessage", "text"]);

const sortedEndings = endingsOf([...endings, ...whole, ...mentioning].filter(({ length }) => length > 2));

/**
 * Families of which nothing is sent anywhere, however its fields are called; with the reason. Everything else goes by the names above, new
 * operations too.
 */
const shownOnly: ReadonlyMap<string, string> = new Map([
  ["/api/v1/dashboard", "a dashboard is shown; its links are followed by people"],
  ["/api/v1/dashboard/lists/manual", "a list of dashboards is shown"],
  ["/api/v1/notebooks", "a notebook is shown; its links are followed by people"],
  ["/api/v2/powerpacks", "a group of widgets is shown"],
]);

export const sendsNothing = (family: string): boolean => shownOnly.has(family);

/** One such field: its path from the resource, and its bytes; a string's are inside the quotes. `mentions`: only its `@names` count. */
export type DestinationField = {
  readonly path: readonly Step[];
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly mentions: boolean;
};

/** In the order of the document. `bytes`: of one resource. */
export const destinationsOf = (bytes: Buffer): DestinationField[] => {
  const finder = new Finder(bytes);
  return scanJson(bytes, gateOf(new Set()), finder) === null ? finder.fields : [];
};

/** A key is where it stands, until somebody wants to know what it says. */
type Level = {
  readonly isArray: boolean;
  index: number;
  keyStart: number;
  keyEnd: number;
  keyFlags: number;
  sort: Sort;
};
type Sort = "destination" | "mentions" | "other";

class Finder implements JsonVisitor {
  readonly #bytes: Buffer;
  readonly #levels: Level[] = [];
  readonly #sorts = new Map<string, Sort>();
  readonly fields: DestinationField[] = [];
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  key(start: number, end: number, flags: number): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    level.keyStart = start;
    level.keyEnd = end;
    level.keyFlags = flags;
    const mayMatter = flags !== 0 || end - start < 4 || mayEnd(sortedEndings, this.#bytes, { start, end });
    level.sort = mayMatter ? this.#sortOf(this.#keyOf(level)) : "other";
  }

  string(start: number, end: number, flags: number): void {
    const sort = this.#enter();
    if (sort === "destination" || this.#isUrl(start, end)) this.#add({ start, end, flags, mentions: false });
    else if (sort === "mentions") this.#add({ start, end, flags, mentions: true });
  }

  scalar(start: number, end: number): void {
    const isNull = this.#bytes[start] === 0x6e;
    if (this.#enter() === "destination" && !isNull) this.#add({ start, end, flags: 0, mentions: false });
  }

  open(_start: number, isArray: boolean): void {
    const sort = this.#enter();
    // The elements of `recipients` are each one; the members of an object have names of their own.
    if (this.#levels.length <= deepest)
      this.#levels.push({ isArray, index: -1, keyStart: 0, keyEnd: 0, keyFlags: 0, sort: isArray ? sort : "other" });
  }

  close(): void {
    this.#levels.pop();
  }

  #enter(): Sort {
    const level = this.#levels.at(-1);
    if (level === undefined) return "other";
    if (level.isArray) level.index++;
    return level.sort;
  }

  #add(field: Omit<DestinationField, "path">): void {
    this.fields.push({
      ...field,
      path: this.#levels.map((level) => (level.isArray ? level.index : this.#keyOf(level))),
    });
  }

  #keyOf({ keyStart, keyEnd, keyFlags }: Level): string {
    return decodeText({ bytes: this.#bytes, start: keyStart, end: keyEnd, flags: keyFlags }) ?? "";
  }

  /** A whole text that is an absolute URL leads somewhere, whatever its field is called. */
  #isUrl(start: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = start;
    while (at < end && isSchemeByte(bytes[at] ?? 0) && at - start < longestScheme) at++;
    return at > start + 1 && bytes[at] === 0x3a && bytes[at + 1] === 0x2f && bytes[at + 2] === 0x2f;
  }

  #sortOf(key: string): Sort {
    const known = this.#sorts.get(key);
    if (known !== undefined) return known;
    const plain = key.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
    const isDestination = whole.has(plain) || endings.some((ending) => plain.endsWith(ending));
    const sort = isDestination ? "destination" : mentioning.has(plain) ? "mentions" : "other";
    this.#sorts.set(key, sort);
    return sort;
  }
}

const longestScheme = 20;

/** RFC 3986 §3.1 */
const isSchemeByte = (byte: number): boolean => isAlphanumeric(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e;

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

const isSpace = (code: number): boolean => code <= 32 || code === 0xa0;
