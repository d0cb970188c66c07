/** Which fields decide where Datadog sends what a resource holds: where one of them changes, no token of that resource turns back unasked. */

import { Trail } from "../json/trail.ts";
import { gateOf } from "../detect/gate.ts";
import { isAlphanumeric } from "../detect/validators.ts";
import { type JsonVisitor, deepest, escaped, scanJson } from "../json/scan.ts";
import { decodeText } from "../json/text.ts";
import { mayMatter, type Sort, sortOf } from "./fieldNames.ts";
import type { Step } from "./place.ts";

/**
 * Families of which nothing is sent anywhere but to whoever looks at them, whose browser fetches what a text or a frame there names: with the
 * value only where it stands in the same text. With the reason. Everything else goes by the names above, new operations too.
 */
const shown: ReadonlyMap<string, string> = new Map([
  ["/api/v1/dashboard", "a dashboard is shown; its links are followed by people"],
  ["/api/v1/dashboard/lists/manual", "a list of dashboards is shown"],
  ["/api/v1/notebooks", "a notebook is shown; its links are followed by people"],
  ["/api/v2/powerpacks", "a group of widgets is shown"],
]);

export const isShown = (family: string): boolean => shown.has(family);

/**
 * What of a field decides. `whole`: all of it. `text`: all of one that may be a name, of others the addresses, or what it says as
 * a document of its own. `shown`: the same, but of several words never more than the addresses. `mentions`: whom it names, and in
 * which order with its conditions and masked values. `around`: whom and what it leads to. `nested`: only what it says as a document of its
 * own. `templated`: URLs that are completed from elsewhere.
 */
export type Reading = "whole" | "text" | "shown" | "mentions" | "around" | "nested" | "templated";

/**
 * One such field: its path from the resource, and its bytes; a string's are inside the quotes. `decides`: where it is left out something else
 * may take its place.
 */
export type DestinationField = {
  readonly path: readonly Step[];
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly reading: Reading;
  readonly decides: boolean;
};

/** A masked range of a body: bytes, and under which kind. */
export type MaskedRange = { readonly start: number; readonly end: number; readonly kind: string };

/** `masked`: the first masked value in a range of the resource's bytes. `isShown`: see `shown`. */
export type Wanted = {
  readonly masked: (start: number, end: number) => MaskedRange | null;
  readonly isShown: boolean;
};

/** In the order of the document. `bytes`: of one resource. */
export const destinationsOf = (bytes: Buffer, wanted: Wanted): DestinationField[] => {
  const finder = new Finder(bytes, wanted);
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
  /** What its members are for the name of the whole. */
  readonly inherited: Sort;
};
class Finder implements JsonVisitor {
  readonly #bytes: Buffer;
  readonly #wanted: Wanted;
  readonly #levels: Level[] = [];
  readonly #sorts = new Map<string, Sort>();
  readonly #trail = new Trail({ prefix: [], stepAt: (level) => this.#step(level) });
  readonly fields: DestinationField[] = [];
  constructor(bytes: Buffer, wanted: Wanted) {
    this.#bytes = bytes;
    this.#wanted = wanted;
  }

  key(start: number, end: number, flags: number): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    this.#trail.leave(this.#levels.length);
    level.keyStart = start;
    level.keyEnd = end;
    level.keyFlags = flags;
    if (level.inherited !== "other") return;
    const matters = flags !== 0 || mayMatter(this.#bytes, { start, end });
    level.sort = matters ? this.#sortOf(this.#keyOf(level)) : "other";
  }

  string(start: number, end: number, flags: number): void {
    const sort = this.#enter();
    if (sort === "byline") return;
    const masked = this.#wanted.masked(start, end);
    const add = (reading: Reading, decides: boolean): void => this.#add({ start, end, flags, reading, decides });
    if (masked === null && this.#wanted.isShown) add("templated", false);
    // What its reader sees counts: a token that keeps the form of a URL, or one that does not.
    else if (
      sort === "destination" ||
      (masked?.start === start ? masked.kind === "url" : this.#isUrl(start, end, flags))
    )
      add("whole", true);
    else if (sort === "mentions") add("mentions", true);
    else if (sort !== "inert") add(this.#wanted.isShown ? "shown" : "text", false);
    else if (masked !== null) add("around", false);
    else if (this.#mayBeDocument(start, flags)) add("nested", false);
  }

  scalar(start: number, end: number): void {
    const sort = this.#enter();
    if ((sort !== "destination" && sort !== "id") || this.#wanted.isShown || this.#bytes[start] === 0x6e) return;
    this.#add({ start, end, flags: 0, reading: "whole", decides: sort === "destination" });
  }

  open(_start: number, isArray: boolean): void {
    const sort = this.#enter();
    // The elements of `recipients` are each one, and so is whatever tells them: `{"id": …}`, `{"data": {"type": …, "id": …}}`.
    const inherited = isArray || sort === "destination" || sort === "byline" ? sort : "other";
    if (this.#levels.length <= deepest)
      this.#levels.push({ isArray, index: -1, keyStart: 0, keyEnd: 0, keyFlags: 0, sort: inherited, inherited });
  }

  close(): void {
    this.#levels.pop();
  }

  #enter(): Sort {
    const level = this.#levels.at(-1);
    if (level === undefined) return "other";
    if (level.isArray) {
      level.index++;
      this.#trail.leave(this.#levels.length);
    }
    return level.sort;
  }

  #add(field: Omit<DestinationField, "path">): void {
    this.fields.push({ ...field, path: this.#trail.path(this.#levels.length) });
  }

  #step(at: number): Step {
    const level = this.#levels[at - 1];
    return level === undefined ? "" : level.isArray ? level.index : this.#keyOf(level);
  }

  #keyOf({ keyStart, keyEnd, keyFlags }: Level): string {
    return decodeText({ bytes: this.#bytes, start: keyStart, end: keyEnd, flags: keyFlags }) ?? "";
  }

  /** A whole text that is a URL leads somewhere, whatever its field is called and however it is written. */
  #isUrl(start: number, end: number, flags: number): boolean {
    const bytes = this.#bytes;
    if ((flags & escaped) !== 0)
      return beginsAsUrl.test(
        asRead(decodeText({ bytes, start, end: Math.min(end, wholeEscapes(bytes, start, end)), flags }) ?? ""),
      );
    let from = start;
    while (from < end && (bytes[from] ?? 0) <= 0x20) from++;
    let at = from;
    while (at < end && isSchemeByte(bytes[at] ?? 0) && at - from < longestScheme) at++;
    const isScheme = at > from + 1 && bytes[at] === 0x3a;
    const behind = isScheme ? at + 1 : from;
    return (
      (isScheme || at === from) &&
      behind + 1 < end &&
      beginsAsUrl.test(bytes.toString("latin1", from, Math.min(end, behind + 3)))
    );
  }

  #mayBeDocument(start: number, flags: number): boolean {
    const byte = this.#bytes[start] ?? 0;
    return (flags & escaped) !== 0 && (byte === 0x7b || byte === 0x5b || byte === 0x5c || byte <= 0x20);
  }

  #sortOf(key: string): Sort {
    const sort = this.#sorts.get(key) ?? sortOf(key);
    this.#sorts.set(key, sort);
    return sort;
  }
}

const longestScheme = 20;

/** RFC 3986 §4.2; where the scheme is one of the web's, readers of URLs do without the slashes (WHATWG URL §4.4). */
const beginsAsUrl = /^[\s\0-\x20]*(?:[a-z][a-z0-9+.-]{0,19}:\/\/|(?:https?|wss?|ftp):|\/\/[a-z0-9[])/i;

/** Readers of URLs pass over tabs and line breaks, and take a backslash for a slash (WHATWG URL §4.4). */
const asRead = (text: string): string => text.replaceAll(/[\t\r\n]/g, "").replaceAll("\\", "/");

/** Enough of a text to tell how it begins, cut between two escapes. */
const wholeEscapes = (bytes: Buffer, start: number, end: number): number => {
  let at = start;
  while (at < end && at - start < 300) at += bytes[at] === 0x5c ? (bytes[at + 1] === 0x75 ? 6 : 2) : 1;
  while (at < end && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
};

/** RFC 3986 §3.1 */
const isSchemeByte = (byte: number): boolean => isAlphanumeric(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
