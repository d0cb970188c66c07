/** All field paths of a plan together: which of them a value in a document is meant by, asked of every value and mostly answered at once. */

import type { Step } from "../place/place.ts";
import { anchorOf, type FieldPath, matchesPath } from "./path.ts";

/** A field that masks name, in a configuration or because Datadog keeps secrets there. */
export type FieldRule = {
  readonly path: FieldPath;
  /** The path as somebody wrote it, for messages: a document's own keys may be what is masked. */
  readonly written: string;
  readonly sides: number;
  readonly kind: "field" | "secret-field";
  /** A member beside it that says, with `false`, that this time nothing is secret. */
  readonly unless?: string;
};

export type Fields = {
  readonly rules: readonly FieldRule[];
  /** Last names, as a document's bytes hold them. */
  readonly anchors: readonly Buffer[];
  /** How far below an anchor a value may be meant. */
  readonly behind: number;
  /** Members whose `false` matters. */
  readonly conditions: ReadonlySet<string>;
  /** Some path has no name to go by: every value is asked for. */
  readonly always: boolean;
};

export const compileFields = (rules: readonly FieldRule[]): Fields => {
  const anchors = rules.map(({ path }) => anchorOf(path));
  const names = new Set(anchors.flatMap((anchor) => (anchor === null ? [] : [anchor.name])));
  return {
    rules,
    anchors: [...names].map((name) => Buffer.from(name)),
    behind: Math.max(0, ...anchors.map((anchor) => anchor?.behind ?? 0)),
    conditions: new Set(rules.flatMap(({ unless }) => (unless === undefined ? [] : [unless]))),
    always: anchors.includes(null),
  };
};

/** Where no field is named. */
export const noFields: Fields = compileFields([]);

/** Whether a key is the last name of some path, from its bytes; one that is written with escapes may be any. */
export const isAnchor = (
  fields: Fields,
  bytes: Buffer,
  range: { readonly start: number; readonly end: number },
): boolean => {
  for (const anchor of fields.anchors)
    if (anchor.length === range.end - range.start && anchor.compare(bytes, range.start, range.end) === 0) return true;
  return false;
};

export const fieldsAt = (fields: Fields, path: readonly Step[]): readonly FieldRule[] =>
  fields.rules.filter((rule) => matchesPath(rule.path, path));

/** An address or a URL keeps its form when it is masked as a whole: clients may check for it. */
export const fieldKind = ({ kind }: FieldRule, text: string): string => {
  if (kind !== "field") return kind;
  if (text.startsWith("https://") || text.startsWith("http://")) return "url";
  const at = text.indexOf("@");
  const isAddress = at > 0 && at === text.lastIndexOf("@") && text.indexOf(".", at) > at + 1 && !text.includes(" ");
  return isAddress ? "email" : "field";
};
