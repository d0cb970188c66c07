/** Reads a file of table tests; what is wrong with it is said with file, line, column and the fix. */

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { type Located, readText } from "../../config/source.ts";
import type { Finding, Problem } from "../../model/config.ts";
import { nearest } from "../../model/nearest.ts";
import { tableKeys, tableShape, type WrittenTable } from "./tableShape.ts";

export type TableFile = {
  readonly file: string;
  readonly table: WrittenTable;
  /** Gives a finding its place in the file. */
  readonly place: (finding: Finding) => Problem;
};

export const readTableFile = (file: string): TableFile | Problem[] => {
  const text = readText(file);
  return typeof text === "string" ? parseTable(text, file) : text;
};

export const isTableFile = (read: TableFile | Problem[]): read is TableFile => !Array.isArray(read);

const parseTable = (text: string, file: string): TableFile | Problem[] => {
  const lines = new LineCounter();
  const at = (offset: number) => ({ file, line: lines.linePos(offset).line, column: lines.linePos(offset).col });
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", intAsBigInt: true });
  const [broken] = document.errors;
  if (broken !== undefined)
    return [{ path: [], message: `not valid YAML: ${broken.message.split("\n")[0]}`, ...at(broken.pos[0]) }];
  const place = ({ path, message, at: part }: Located): Problem => ({
    path,
    message,
    ...at(offsetOf(document.contents, { path, part })),
  });
  const value = plain(() => document.toJS({ maxAliasCount: 100 }));
  if (value === undefined) return [place({ path: [], message: "has an alias without an anchor, or too many of them" })];
  const shaped = tableShape.safeParse(value, { error: noMessage, reportInput: true });
  return shaped.success
    ? { file, table: shaped.data, place }
    : shaped.error.issues.flatMap((issue) => explain(issue)).map(place);
};

const plain = (read: () => unknown): unknown => {
  try {
    return read() ?? null;
  } catch {
    return undefined;
  }
};

/** So that a message is ours or empty. */
const noMessage = (): string => "";

const explain = (issue: z.core.$ZodIssue): Located[] => {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const meant = nearest(key, tableKeys);
      return {
        path: [...path, key],
        at: "key",
        message: `unknown key${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      };
    });
  if (issue.input === undefined) return [{ path, message: "is required" }];
  if (issue.code === "invalid_value" && typeof issue.input === "string") {
    const values = issue.values.map(String);
    const meant = nearest(issue.input, values);
    const fix = meant === undefined ? "" : `; did you mean ${meant}?`;
    return [{ path, message: `"${issue.input.slice(0, 40)}" is not one of ${values.join(", ")}${fix}` }];
  }
  return [{ path, message: issue.message === "" ? "has an unexpected form" : issue.message }];
};

/** Where the value at a path stands, or the innermost thing around it that is there. */
const offsetOf = (
  contents: unknown,
  { path, part }: { readonly path: Finding["path"]; readonly part: Located["at"] },
): number => {
  let node = contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const pair = isMap<Node, Node | null>(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : undefined;
    const next = isSeq<Node>(node) && typeof step === "number" ? node.items[step] : pair?.value;
    if (part === "key" && index === path.length - 1) return pair?.key.range?.[0] ?? offset;
    offset = next?.range?.[0] ?? pair?.key.range?.[0] ?? offset;
    if (next === undefined || next === null) return offset;
    node = next;
  }
  return offset;
};
