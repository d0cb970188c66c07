/** What an update changes: before → after, field by field, and only what changes. */

import { diffArrays } from "diff";
import { canonicalText, jsonLines, parsed, scalar } from "./json.ts";
import { withoutSecret } from "./secrets.ts";

export type Difference = {
  /** Each begins with `+`, `-` or a space. */
  readonly lines: readonly string[];
  /** There was more than anybody reads. */
  readonly cut: boolean;
  readonly changes: boolean;
  /** Fields that are there now and that the request does not name: what becomes of them is Datadog's to say. */
  readonly unnamed: readonly string[];
};

const mostLines = 4_000;
/** Beyond so many differences two lists are shown one after the other. */
const mostEdits = 1_000;
/** And beyond so many items nobody is made to wait for them to be compared. */
const mostCompared = 50_000;

/** Null where the two cannot be laid on each other: one is no JSON object, or they have not a single field in common. */
export function differenceOf(current: string, request: string): Difference | null {
  const before = parsed(current)?.value;
  const after = parsed(request)?.value;
  if (!isObject(before) || !isObject(after)) return null;
  const base = unwrapped(before, after);
  if (common(base, after) === 0) return null;
  const comparison = new Comparison();
  comparison.object({ before: base, after, path: "" }, "merged");
  return comparison.difference();
}

type JsonObject = ReadonlyMap<string, unknown>;

const isObject = (value: unknown): value is JsonObject => value instanceof Map;

const common = (one: JsonObject, other: JsonObject): number => [...other.keys()].filter((name) => one.has(name)).length;

/** Datadog shows `{"data": {…}}` or `{"user": {…}}` where it takes `{…}`: of all that is there, what has most in common with the request. */
function unwrapped(before: JsonObject, after: JsonObject): JsonObject {
  const inner = [...before.values()].flatMap((value) =>
    Array.isArray(value) && value.length === 1 ? (value as readonly unknown[]) : [value],
  );
  let best = before;
  for (const candidate of inner.filter(isObject)) if (common(candidate, after) > common(best, after)) best = candidate;
  return best;
}

/** Shown although they do not change: they say which thing it is. */
const identity = new Set(["id", "public_id", "name", "title", "handle", "type", "display_name"]);

/** Nobody sends what Datadog itself keeps, so that it is missing from a request says nothing. */
const kept = new Set([
  ..."id public_id org_id created created_at creator author author_handle author_name created_by modified modified_at".split(
    " ",
  ),
  ..."modified_by updated_at updated_by url deleted is_read_only multi included links meta errors type_id".split(" "),
]);

type Pair = { readonly before: JsonObject; readonly after: JsonObject; readonly path: string };

class Comparison {
  readonly #lines: string[] = [];
  readonly #unnamed: string[] = [];
  #depth = 0;
  #changes = false;
  #cut = false;

  difference(): Difference {
    return { lines: this.#lines, cut: this.#cut, changes: this.#changes, unnamed: this.#unnamed };
  }

  /** `merged`: a field that the request leaves out may stay. An item of a list is replaced as a whole. */
  object({ before, after, path }: Pair, mode: "merged" | "replaced"): void {
    let unchanged = 0;
    for (const [name, value] of before) {
      const next = after.get(name);
      if (!after.has(name)) {
        if (mode === "replaced") this.#block("-", name, value);
        else if (!kept.has(name)) this.#unnamed.push(path + name);
      } else if (!same(value, next)) this.#change({ name, before: value, after: next, path }, mode);
      else if (identity.has(name) && isScalar(value)) this.#line(" ", `${label(name)}${scalar(value)}`);
      else unchanged++;
    }
    for (const [name, value] of after) if (!before.has(name)) this.#block("+", name, value);
    if (unchanged > 0) this.#line(" ", `… ${unchanged} ${unchanged === 1 ? "field" : "fields"} as before`);
  }

  #change(field: Changed, mode: "merged" | "replaced"): void {
    const { name, before, after, path } = field;
    if (isObject(before) && isObject(after))
      this.#inside(`${label(name)}{`, "}", () => this.object({ before, after, path: `${path}${name ?? ""}.` }, mode));
    else if (Array.isArray(before) && Array.isArray(after))
      this.#inside(`${label(name)}[`, "]", () => this.#list(before, after));
    else if (isText(before) && isText(after) && (before.includes("\n") || after.includes("\n")))
      this.#inside(label(name).trimEnd(), "", () => this.#text(before, after));
    else {
      this.#block("-", name, before);
      this.#block("+", name, after);
    }
  }

  #list(before: readonly unknown[], after: readonly unknown[]): void {
    let [from, to] = [0, 0];
    for (const { removed, added, count } of edits(before.map(canonicalText), after.map(canonicalText))) {
      if (count > 0) this.#line(" ", `… ${count} ${count === 1 ? "item" : "items"} as before`);
      else this.#items(before.slice(from, from + removed), after.slice(to, to + added));
      from += removed + count;
      to += added + count;
    }
  }

  /** As many as before: each was changed where it stands. */
  #items(gone: readonly unknown[], come: readonly unknown[]): void {
    for (const [index, item] of gone.entries()) {
      const other = come[index];
      if (gone.length === come.length && isObject(item) && isObject(other))
        this.#change({ name: null, before: item, after: other, path: "" }, "replaced");
      else this.#block("-", null, item);
    }
    for (const [index, item] of come.entries())
      if (gone.length !== come.length || !isObject(item) || !isObject(gone[index])) this.#block("+", null, item);
  }

  /** A message of many lines, line by line. */
  #text(before: string, after: string): void {
    const [old, fresh] = [before.split("\n"), after.split("\n")];
    let [from, to] = [0, 0];
    for (const { removed, added, count } of edits(old, fresh)) {
      for (const line of folded(old.slice(from, from + count))) this.#line(" ", line);
      for (const line of old.slice(from, from + removed)) this.#line("-", `│ ${line}`);
      for (const line of fresh.slice(to, to + added)) this.#line("+", `│ ${line}`);
      from += removed + count;
      to += added + count;
    }
  }

  #inside(open: string, close: string, write: () => void): void {
    this.#line(" ", open);
    this.#depth++;
    write();
    this.#depth--;
    if (close !== "") this.#line(" ", close);
  }

  #block(sign: "+" | "-", name: string | null, value: unknown): void {
    this.#changes = true;
    if (this.#lines.length >= mostLines) {
      this.#cut = true;
      return;
    }
    const [first = "", ...rest] = jsonLines(name === null ? value : withoutSecret(name, value), withoutSecret);
    this.#line(sign, label(name) + first);
    for (const line of rest) this.#line(sign, line);
  }

  #line(sign: "+" | "-" | " ", text: string): void {
    if (sign !== " ") this.#changes = true;
    if (this.#lines.length < mostLines) this.#lines.push(`${sign} ${"  ".repeat(this.#depth)}${text}`);
    else this.#cut = true;
  }
}

type Changed = {
  readonly name: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly path: string;
};

type Edit = { removed: number; added: number; readonly count: number };

/** What stays, and what makes room for what, in order. */
function edits(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const changes =
    before.length + after.length > mostCompared
      ? undefined
      : diffArrays([...before], [...after], { maxEditLength: mostEdits });
  if (changes === undefined) return [{ removed: before.length, added: after.length, count: 0 }];
  const found: Edit[] = [];
  for (const { removed, added, value } of changes) {
    const last = found.at(-1);
    const open = last !== undefined && last.count === 0 ? last : null;
    if (!removed && !added) found.push({ removed: 0, added: 0, count: value.length });
    else if (open === null)
      found.push({ removed: removed ? value.length : 0, added: added ? value.length : 0, count: 0 });
    else if (removed) open.removed += value.length;
    else open.added += value.length;
  }
  return found;
}

const folded = (lines: readonly string[]): readonly string[] => {
  const shown = lines.map((line) => `│ ${line}`);
  return shown.length <= 5
    ? shown
    : [...shown.slice(0, 2), `… ${shown.length - 4} lines as before`, ...shown.slice(-2)];
};

const label = (name: string | null): string => (name === null ? "" : `${JSON.stringify(name)}: `);

const isText = (value: unknown): value is string => typeof value === "string";

const isScalar = (value: unknown): boolean => !Array.isArray(value) && !isObject(value);

const same = (one: unknown, other: unknown): boolean => canonicalText(one) === canonicalText(other);
