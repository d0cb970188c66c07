/** Reads a raw request path as strictly as anybody on the way might, and names the other ways in which it could be read. */

import { refuse, type Refusal } from "../../errors.ts";

/** The path as it stands, and what it becomes for a reader who decodes more, or cuts `;parameters` off. */
export type PathReadings = { readonly raw: string; readonly others: readonly string[] };

const malformed = (reason: string): Refusal => refuse("request_malformed", `the path ${reason}`);

/** Visible ASCII but `#`, `?` and `\`: RFC 3986 §3.3 and a little more, as clients send `{`, `|` and `"` unencoded. */
const visible = /^\/[\x21\x22\x24-\x3e\x40-\x5b\x5d-\x7e]*$/;

/**
 * Refuses what has no single meaning: dot segments, empty segments, backslashes, control characters, broken percent-encoding.
 * Of the rest it gives every reading, for the caller of this to compare.
 */
export function readPath(raw: string): PathReadings | Refusal {
  if (!raw.startsWith("/")) return malformed("must begin with `/`: absolute addresses and `*` are not served");
  if (!visible.test(raw))
    return malformed("has a control character, a space, `\\`, `#`, `?` or a byte beyond ASCII: percent-encode it");
  if (raw.includes("//")) return malformed("has an empty segment (`//`)");
  if (hasDotSegment(raw)) return malformed("has a `.` or `..` segment");
  if (!raw.includes("%") && !raw.includes(";")) return { raw, others: [] };
  return readFurther(raw);
}

function readFurther(raw: string): PathReadings | Refusal {
  const once = decode(raw);
  if (once === undefined) return malformed("has a `%` that is no valid percent-encoding of UTF-8");
  // `100%25` decodes to `100%`, which nobody can decode again: then there is no second reading.
  const twice = decode(once) ?? once;
  const readings = [raw, once, twice].flatMap((reading) => [reading, withoutParameters(reading)]);
  for (const reading of readings) {
    if (hasControlCharacter(reading)) return malformed("has an encoded control character");
    if (hasDotSegment(reading.replaceAll("\\", "/"))) return malformed("has an encoded `.` or `..` segment");
  }
  const others = new Set(readings.map((reading) => reading.replaceAll("\\", "/").replace(/\/{2,}/g, "/")));
  others.delete(raw);
  return { raw, others: [...others] };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Servlet containers cut `;name=value` off every segment, before or after they decode. */
const withoutParameters = (path: string): string => path.replace(/;[^/]*/g, "");

const hasDotSegment = (path: string): boolean => /(?:^|\/)\.{1,2}(?:\/|$)/.test(path);

const hasControlCharacter = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text);
