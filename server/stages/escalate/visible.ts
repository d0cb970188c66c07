/** Text that somebody else chose, shown on GitHub as what it is: nothing in it is invisible, turns the writing around, or commands. */

/**
 * Control, format (bidi, zero-width), private, unassigned and lone surrogate code points, odd spaces, and letters that are drawn
 * as nothing. Only the selector that makes an emoji of a sign is left alone.
 */
const unseen =
  /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0\u2800]|\u034f|[\ufe00-\ufe0e]/gu;

/** Line by line: tabs and line feeds stay. What is hidden is written as JSON writes it, so that JSON still says the same. */
export const visibleLines = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .replaceAll(unseen, (char) => (char === "\n" || char === "\t" ? char : escaped(char)))
    // Whoever looks for our marker in a comment must not find one that a monitor's name brought along.
    .replaceAll(/(dogwatch):(?=approval)/gi, "$1\\u003a");

/** The same on one line. */
export const visible = (text: string): string =>
  visibleLines(text).replaceAll(/[\n\t]/g, (char) => (char === "\n" ? "\\n" : "\\t"));

const escaped = (char: string): string =>
  Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");

/** On one line, of at most so many characters. */
export const short = (text: string, most = 120): string => {
  const characters = Array.from(visible(text.slice(0, most * 4)));
  return characters.length > most || text.length > most * 4
    ? `${characters.slice(0, most - 1).join("")}…`
    : characters.join("");
};

/** A code span: GitHub looks for no mention, reference, address or emoji in it. Never in a table of pipes, which end one. */
export function code(text: string): string {
  const line = visible(text);
  if (line.trim() === "") return "` `";
  const fence = "`".repeat(longestRun(line, 0) + 1);
  const padding = /^[` ]|[` ]$/.test(line) ? " " : "";
  return fence + padding + line + padding + fence;
}

/**
 * Words of a sentence or heading: as they are when they can be nothing else, otherwise a code span. A list of what is harmless is
 * never as long as a list of what GitHub does to text would have to be.
 */
export const words = (text: string): string => (isHarmless(text) ? text : code(text));

/** Letters, digits and a little punctuation; no address, no reference to a commit, issue or emoji. */
const isHarmless = (text: string): boolean =>
  /^(?:[\p{L}\p{M}\p{N} ,.;%+'“”’…()/-]|(?<=[\p{L}\p{N})]):(?= ))*$/u.test(text) &&
  text.trim() === text &&
  !/^(?:\d+[.)]|[-+])(?: |$)|^ {0,3}[-+]/.test(text) &&
  !/www\.|\/\/|gh-\d|(?<![\p{L}\p{N}])(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}(?![\p{L}\p{N}])/iu.test(text);

/** Inside an HTML block without blank lines, where Markdown does not look: a code element with nothing in it that GitHub reads. */
export const htmlCode = (text: string): string => `<code>${html(visible(text))}</code>`;

export const html = (text: string): string => text.replaceAll(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);

/** A block that ends where we end it: its fence is longer than any in the text. */
export function fenced(text: string, language: "json" | "diff" | "text"): string {
  const safe = visibleLines(text);
  const fence = "`".repeat(Math.max(3, longestRun(safe, 2) + 1));
  return `${fence}${language}\n${safe}\n${fence}`;
}

const longestRun = (text: string, least: number): number => {
  let longest = least;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
};
