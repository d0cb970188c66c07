/** The parts of a question that may be long: what changes, what is there, what is sent; as much of them as fits. */

import type { Question } from "../../model/approval.ts";
import { differenceOf, type Difference } from "./diff.ts";
import { jsonLines, parsed } from "./json.ts";
import { withoutSecret } from "./secrets.ts";
import { code, fenced, visibleLines } from "./visible.ts";

export type Sections = {
  readonly markdown: string;
  /** What is not shown to its end: `the request's body`. */
  readonly missing: readonly string[];
};

export type Section = {
  readonly what: string;
  readonly heading: string;
  readonly folded: boolean;
  readonly language: "json" | "diff" | "text";
  /** As they are: nothing in them is made visible or harmless yet. */
  readonly lines: readonly string[];
  /** Lines are missing already. */
  readonly cut: boolean;
  /** Fields that are there now and that the request does not name. */
  readonly unnamed: readonly string[];
};

/** A section that begins at all shows at least this much. */
const least = 400;

/** The most important first; each takes what it needs of what is left. */
export function sectionsOf(question: Question, most: number): Sections {
  const missing: string[] = [];
  let left = most;
  const shown = sectionsIn(question).map((section) => {
    const { markdown, whole } = render(section, question.method, left);
    if (!whole) missing.push(section.what);
    left -= markdown.length + 2;
    return markdown;
  });
  return { markdown: shown.filter((text) => text !== "").join("\n\n"), missing };
}

export function sectionsIn(question: Question): readonly Section[] {
  const { method, body, current } = question;
  const isUpdate = method === "PUT" || method === "PATCH";
  const before = current.kind === "known" && current.text !== "null" ? current.text : null;
  const difference = isUpdate && body !== null && before !== null ? differenceOf(before, body) : null;
  return [
    ...(difference === null ? [] : [changes(difference)]),
    ...(body === null ? [] : [request(body, question, difference !== null)]),
    ...(before === null ? [] : [state(before, question, difference !== null)]),
  ];
}

const changes = (difference: Difference): Section => ({
  what: "the changes",
  heading: difference.changes ? "What changes" : "Nothing changes",
  folded: false,
  language: "diff",
  lines: difference.changes ? difference.lines : ["  every field that the request names has this value already"],
  cut: difference.cut,
  unnamed: difference.unnamed,
});

/** Of two ways to update, one says what becomes of the rest. */
function unnamedNote(unnamed: readonly string[], method: string): string {
  if (unnamed.length === 0) return "";
  const few = unnamed.slice(0, 12).map((field) => code(field.length > 80 ? `${field.slice(0, 79)}…` : field));
  const names =
    unnamed.length > few.length ? `${few.join(", ")} and ${unnamed.length - few.length} more` : few.join(", ");
  return method === "PATCH"
    ? `The request does not name ${names}: a PATCH leaves them as they are.`
    : `The request does not name ${names}: depending on the operation, a PUT keeps them or **resets** them.`;
}

const request = (body: string, { method, access }: Question, folded: boolean): Section => ({
  what: "the request's body",
  heading: method === "POST" && access === "write" ? "What is sent" : "The whole request",
  folded,
  ...document(body),
  unnamed: [],
});

const state = (before: string, { method }: Question, folded: boolean): Section => ({
  what: "the current state",
  heading: method === "DELETE" ? "What is deleted" : "What is there now",
  folded: folded || (method !== "DELETE" && method !== "POST"),
  ...document(before),
  unnamed: [],
});

function document(text: string): Pick<Section, "language" | "lines" | "cut"> {
  const json = parsed(text);
  return json === null
    ? { language: "text", lines: text.split("\n"), cut: false }
    : { language: "json", lines: jsonLines(json.value, withoutSecret), cut: false };
}

function render(
  { heading, folded, language, lines, cut, unnamed }: Section,
  method: string,
  room: number,
): { readonly markdown: string; readonly whole: boolean } {
  const note = unnamedNote(unnamed, method);
  const frame = (block: string): string =>
    [
      folded ? `<details><summary><b>${heading}</b></summary>` : `#### ${heading}`,
      block,
      ...(note === "" ? [] : [note]),
      ...(folded ? ["</details>"] : []),
    ].join("\n\n");
  const all = fit(lines, room * 2);
  const whole = frame(fenced(all.text, language));
  if (all.whole && whole.length <= room) return { markdown: whole, whole: !cut };
  const part = room - frame("").length - 300;
  if (part < least) return { markdown: "", whole: false };
  // A fence may need as many backticks as the text has in a row, twice.
  const { text } = fit(lines, part);
  const markdown = frame(`${fenced(text, language)}\n\n**It goes on**, but there is no room for more here.`);
  return markdown.length <= room ? { markdown, whole: false } : { markdown: "", whole: false };
}

/** As many lines from the beginning as fit; the last one is cut. */
function fit(lines: readonly string[], room: number): { readonly text: string; readonly whole: boolean } {
  const taken: string[] = [];
  let left = room;
  for (const line of lines) {
    const seen = line.length > left ? null : visibleLines(line);
    if (seen === null || seen.length + 1 > left) {
      taken.push(`${visibleLines(line.slice(0, Math.max(0, Math.floor(left / 8))))}…`);
      return { text: taken.join("\n"), whole: false };
    }
    taken.push(seen);
    left -= seen.length + 1;
  }
  return { text: taken.join("\n"), whole: true };
}
