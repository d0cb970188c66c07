/** A job summary for the terminal: the few HTML tags that summaries are made of, as readable text. */

/** Colours and weights, or nothing at all where the output is no terminal. */
export type Style = (format: "bold" | "dim" | "green" | "red" | "cyan", text: string) => string;

export const plain: Style = (_format, text) => text;

type Cell = { text: string; readonly head: boolean };

const gap = "   ";

/** Tags it does not know leave their text; nothing is run, and nothing can write outside of its line but line breaks of `<pre>`. */
export function summaryText(markup: string, style: Style): string {
  const page = new Page(style);
  for (const [, closing, tag, attributes = "", text] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>|([^<]+)/g)) {
    if (tag === undefined) page.write(decode(text ?? ""));
    else if (closing === "/") page.close(tag);
    else page.open(tag, attributes);
  }
  return page.text();
}

class Page {
  readonly #style: Style;
  readonly #blocks: string[] = [];
  #line = "";
  #table: Cell[][] | null = null;
  #cell: Cell | null = null;
  #headed = false;
  #preformatted = false;
  #link: string | null = null;

  constructor(style: Style) {
    this.#style = style;
  }

  write(text: string): void {
    if (this.#cell !== null) this.#cell.text += text.replace(/\s+/g, " ");
    else if (this.#preformatted) this.#line += text;
    // Between the rows of a table there is only the markup's own white space.
    else if (this.#table === null) this.#line += this.#line === "" ? text.trimStart() : text.replace(/\s+/g, " ");
  }

  open(tag: string, attributes: string): void {
    switch (tag) {
      case "table":
        this.#end();
        this.#table = [];
        return;
      case "tr":
        this.#table?.push([]);
        return;
      case "th":
      case "td":
        this.#cell = { text: "", head: tag === "th" };
        this.#table?.at(-1)?.push(this.#cell);
        return;
      case "a":
        this.#link = decode(/href="([^"]*)"/.exec(attributes)?.[1] ?? "");
        return;
      case "pre":
        this.#end();
        this.#preformatted = true;
        return;
      case "br":
        if (this.#cell === null) this.#end();
        else this.#cell.text += " · ";
        return;
      default:
        if (isBlock(tag)) this.#end();
    }
  }

  close(tag: string): void {
    switch (tag) {
      case "th":
      case "td":
        this.#cell = null;
        return;
      case "table":
        if (!this.#headed) this.#blocks.push("");
        this.#blocks.push(...layOut(this.#table ?? [], this.#style), "");
        this.#table = null;
        return;
      case "a":
        // A table has no room for addresses; what they lead to is named in it.
        if (this.#table === null && this.#link) this.#line += ` ${this.#style("dim", this.#link)}`;
        this.#link = null;
        return;
      case "pre":
        this.#blocks.push(this.#line, "");
        this.#line = "";
        this.#preformatted = false;
        return;
      case "h1":
      case "h2":
      case "h3":
      case "h4":
      case "summary":
        this.#line = this.#style("bold", this.#line.trim());
        this.#end();
        this.#headed = true;
        return;
      default:
        if (isBlock(tag)) this.#end();
    }
  }

  text(): string {
    this.#end();
    return this.#blocks.join("\n").trimEnd();
  }

  #end(): void {
    if (this.#line.trim() !== "") {
      this.#blocks.push(this.#line.trimEnd());
      this.#headed = false;
    }
    this.#line = "";
  }
}

const isBlock = (tag: string): boolean => /^(h[1-6]|p|div|details|summary|ul|li)$/.test(tag);

/** Columns as wide as their widest cell; numbers to the right. */
function layOut(rows: readonly (readonly Cell[])[], style: Style): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.text.length ?? 0)));
  const numeric = widths.map((_, at) =>
    rows.every((row) => row[at] === undefined || row[at].head || /^\d[\d ×,]*( ms)?$/.test(row[at].text)),
  );
  return rows.map((row) =>
    row
      .map(({ text, head }, at) => {
        const padded = numeric[at] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
        if (head) return style("dim", padded);
        return text === "allow" ? style("green", padded) : text === "deny" ? style("red", padded) : padded;
      })
      .join(gap)
      .trimEnd(),
  );
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** Controls stay out of the terminal, however they are written. */
const decode = (text: string): string =>
  text
    .replace(/&(#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-z]+);/g, (whole, name: string) => characterOf(name) ?? whole)
    // oxlint-disable-next-line no-control-regex -- controls are exactly what must not get through
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");

/** `#36`, `#x24`, `amp` */
function characterOf(name: string): string | undefined {
  if (!name.startsWith("#")) return named[name];
  const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
