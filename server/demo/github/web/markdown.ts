/** Comments as a page shows them: the little Markdown that questions and answers are written in. What it does not know is text. */

import { Html, html } from "../../../web/html.ts";

/** Elements that may stand in a comment; they lose their attributes, but a link its address. */
const allowed = /^(?:table|tr|td|th|b|code|br|details|summary|sub|a)$/;

export function markdownHtml(text: string): Html {
  const lines = text
    .replaceAll("\r\n", "\n")
    .replaceAll(/<!--[\s\S]*?-->/g, "")
    .split("\n");
  return new Html(blocks(lines).join("\n"));
}

function blocks(lines: readonly string[]): string[] {
  const done: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const { markup, next } = block(lines, at);
    if (markup !== "") done.push(markup);
    at = next;
  }
  return done;
}

type Block = { readonly markup: string; readonly next: number };

function block(lines: readonly string[], at: number): Block {
  const line = lines[at] ?? "";
  if (line.trim() === "") return { markup: "", next: at + 1 };
  const [, fence] = /^(`{3,})[^`]*$/.exec(line) ?? [];
  if (fence !== undefined) return fenced(lines, at, fence);
  const [, marks = "", heading] = /^(#{1,6}) +(.*)$/.exec(line) ?? [];
  if (heading !== undefined) {
    const level = Math.min(6, marks.length + 1);
    return { markup: `<h${level}>${inline(heading)}</h${level}>`, next: at + 1 };
  }
  const endOf = (fits: (each: string) => boolean): number => {
    const end = lines.findIndex((each, index) => index > at && !fits(each));
    return end === -1 ? lines.length : end;
  };
  if (line.startsWith(">"))
    return quoted(
      lines,
      at,
      endOf((each) => each.startsWith(">")),
    );
  const next = endOf((each) => each.trim() !== "" && !/^(?:`{3,}|#{1,6} |>)/.test(each));
  const part = lines.slice(at, next);
  if (/^<\/?[a-z]/.test(line)) return { markup: restored(elements(part.join("\n"))), next };
  if (/^[-*] /.test(line)) {
    const items = part.map((each) => `<li>${inline(each.replace(/^[-*] /, ""))}</li>`);
    return { markup: `<ul>${items.join("")}</ul>`, next };
  }
  return { markup: `<p>${part.map(inline).join("<br>")}</p>`, next };
}

/** To the fence that closes it, or to the end. */
function fenced(lines: readonly string[], at: number, fence: string): Block {
  const end = lines.findIndex((line, index) => index > at && line.trim() === fence);
  const next = end === -1 ? lines.length : end;
  return { markup: html`<pre>${lines.slice(at + 1, next).join("\n")}</pre>`.text, next: next + 1 };
}

/** A quote, or an alert: `[!NOTE]` on its first line. */
function quoted(lines: readonly string[], at: number, next: number): Block {
  const inner = lines.slice(at, next).map((line) => line.replace(/^> ?/, ""));
  const [, kind] = /^\[!([A-Z]+)\]$/.exec(inner[0] ?? "") ?? [];
  const rest = blocks(kind === undefined ? inner : inner.slice(1)).join("\n");
  return kind === undefined
    ? { markup: `<blockquote>${rest}</blockquote>`, next }
    : { markup: `<div class="alert ${kind.toLowerCase()}">${rest}</div>`, next };
}

/** Code, bold, links and elements; a backslash before a sign makes it text. */
function inline(text: string): string {
  const parts = text.split(/((?<!`)`+(?!`))/);
  let done = "";
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? "";
    const end = at % 2 === 1 ? parts.findIndex((each, index) => index > at && index % 2 === 1 && each === part) : -1;
    if (end === -1) {
      done += words(part);
    } else {
      const content = parts.slice(at + 1, end).join("");
      done += html`<code>${/^ .* $/.test(content) ? content.slice(1, -1) : content}</code>`.text;
      at = end;
    }
  }
  return done;
}

/** Signs that are text, whatever Markdown would make of them, are numbers until it is done. */
const words = (text: string): string =>
  restored(
    elements(text.replaceAll(/\\([\\*_[\]<>~|&#-])/g, (_escaped, sign: string) => `&#${sign.charCodeAt(0)};`))
      .replaceAll(/\*\*(.+?)\*\*/g, "<b>$1</b>")
      .replaceAll(/\[([^\]]*)\]\((https?:\/\/[^\s)"<>]+)\)/g, '<a href="$2">$1</a>'),
  );

const restored = (markup: string): string =>
  markup.replaceAll(/&#(\d{1,6});/g, (_number, code: string) => html`${String.fromCodePoint(Number(code))}`.text);

/** Allowed elements stay, everything else is text. */
const elements = (text: string): string =>
  text
    .split(/(<\/?[a-z][a-z0-9]*(?: [^<>]*)?>)/)
    .map((part, at) => (at % 2 === 0 ? plain(part) : element(part)))
    .join("");

function element(tag: string): string {
  const [, closing = "", name = "", attributes = ""] = /^<(\/?)([a-z][a-z0-9]*)(.*)>$/s.exec(tag) ?? [];
  if (!allowed.test(name)) return plain(tag);
  const [, address] = /href="(https?:\/\/[^"\s]+)"/.exec(attributes) ?? [];
  return name === "a" && address !== undefined ? `<a href="${plain(address)}">` : `<${closing}${name}>`;
}

const named: Readonly<Record<string, string>> = {
  "&amp;": "&#38;",
  "&lt;": "&#60;",
  "&gt;": "&#62;",
  "&quot;": "&#34;",
};

/** Entities stay, as numbers; every other sign that means something in HTML is escaped. */
const plain = (text: string): string =>
  text
    .split(/(&#\d{1,6};|&(?:amp|lt|gt|quot);)/)
    .map((part, at) => (at % 2 === 0 ? html`${part}`.text : (named[part] ?? part)))
    .join("");
