/** How a value that somebody else chose is shown in a message: short, on one line, and unable to pretend to be something else. */

const longest = 120;

/**
 * `'acme/app'`; a missing value is `nothing`. Only printable ASCII without `"` and `\` comes out, which is what RFC 6749 §5.2
 * allows in an error description and what no log or terminal takes for its own.
 */
export const quote = (value: unknown): string => {
  if (value === undefined || value === null) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value).replaceAll('"', "'");
  const shown = text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/gu, "?");
  return shown.length > longest ? `'${shown.slice(0, longest)}...'` : `'${shown}'`;
};
