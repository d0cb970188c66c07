/** HTML in Markdown for the job summary, in which every word from outside stays a word. */

/** Of a table; a longer one helps nobody. */
export const mostRows = 100;

type Cell = string | { readonly html: string };

export const table = (heads: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const row = (tag: string, cells: readonly Cell[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${typeof cell === "string" ? escape(cell) : cell.html}</${tag}>`).join("")}</tr>\n`;
  return `<table>\n${row("th", heads)}${rows.map((cells) => row("td", cells)).join("")}</table>\n`;
};

export const more = (count: number): string => (count > mostRows ? `<p>… and ${count - mostRows} more.</p>\n` : "");

/** Characters of one cell. */
const longestWord = 200;
const longestLine = 1_000;

/** A cut address would lead nowhere, so a long one is none, and so is one of another kind than a page's. */
export const link = (url: string, html: string): string =>
  url.length > longestLine || !/^https?:\/\//i.test(url) ? html : `<a href="${escape(url, longestLine)}">${html}</a>`;

export const lines = (text: string): string =>
  text
    .split("\n")
    .map((line) => escape(line, longestLine))
    .join("\n");

/** Nothing in it can become markup, a mention, a link or a new line; text that turns the reading direction is shown as what it is. */
export const escape = (text: string, longest = longestWord): string =>
  (text.length > longest ? `${text.slice(0, longest)}…` : text)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ")
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu, "\ufffd")
    .replace(/[&<>"'`|*_[\]\\~#@!$]/g, (character) => `&#${character.charCodeAt(0)};`);
