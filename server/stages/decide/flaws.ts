/** What types alone do not see in a condition: functions that could hang, and words that can never match. */

import type { ASTNode } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import { nearest, suggest } from "../../model/nearest.ts";
import { accessClasses } from "../../model/operation.ts";
import { isZone } from "./clock.ts";
import type { Language } from "./language.ts";

/** Why a condition cannot be used: `offset` counts UTF-16 units from the start of its text. */
export type Flaw = { readonly message: string; readonly offset: number };

/** Values a name can have at all, `operation.access` → `read`, `write`, …: another literal beside it is a typo. */
export type Vocabulary = Readonly<Record<string, readonly string[]>>;

/** What is known without a configuration. */
export const closedWords: Vocabulary = {
  "operation.access": accessClasses,
  "connection.kind": ["live", "sandbox"],
};

export const flawsOf = (ast: ASTNode, vocabulary: Vocabulary, fields: Language["fields"]): Flaw[] =>
  [...nodes(ast)].flatMap((node) => [...callFlaws(node), ...fieldFlaws(node, fields), ...wordFlaws(node, vocabulary)]);

/** Every node, the arguments of macros included. */
export function* nodes(value: unknown): Generator<ASTNode> {
  if (Array.isArray(value)) for (const member of value) yield* nodes(member);
  else if (isNode(value)) {
    yield value;
    yield* nodes(value.args);
  }
}

const isNode = (value: unknown): value is ASTNode =>
  typeof value === "object" && value !== null && "op" in value && "args" in value && "start" in value;

/** `matches` is V8's backtracking RegExp: one request could stop the gateway for seconds. `.re()` takes linear time. */
const callFlaws = (node: ASTNode): Flaw[] => {
  if (node.op !== "call" && node.op !== "rcall") return [];
  switch (node.args[0]) {
    case "matches":
      return [{ message: noMatches, offset: node.pos }];
    case "re":
      return node.op === "rcall" ? node.args[2].flatMap(patternFlaws) : [];
    default:
      return node.op === "rcall" ? zoneFlaws(node.args[0], node.args[2]) : [];
  }
};

/** CEL's own functions with a zone ask the host's clock, which has summer times of its own, and are slow. */
const oldZoned = /^get(?:FullYear|Month|Date|DayOfMonth|DayOfWeek|DayOfYear|Hours|Minutes)$/;
const zoned = ["weekday", "date", "time", "hour"];

const zoneFlaws = (called: string, parameters: readonly ASTNode[]): Flaw[] => {
  const [zone] = parameters;
  if (zone === undefined) return [];
  if (oldZoned.test(called))
    return [
      {
        message: `${called}() takes no time zone here; write now.weekday, date, time or hour("Europe/Berlin")`,
        offset: zone.start,
      },
    ];
  if (!zoned.includes(called)) return [];
  if (zone.op !== "value" || typeof zone.args !== "string")
    return [
      {
        message: `${called}() takes a time zone written in the policy, not one made from other values`,
        offset: zone.start,
      },
    ];
  if (isZone(zone.args)) return [];
  const meant = nearest(zone.args, Intl.supportedValuesOf("timeZone"));
  return [
    {
      message: `"${zone.args}" is no time zone${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
      offset: zone.start,
    },
  ];
};

const noMatches = "matches() is not available, because its running time has no bound; write .re() (RE2 syntax)";

const patternFlaws = ({ op, args, start: offset }: ASTNode): Flaw[] => {
  if (op !== "value" || typeof args !== "string")
    return [{ message: "re() takes a pattern written in the policy, not one made from other values", offset }];
  try {
    RE2JS.compile(args);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : "error parsing regexp";
    return [{ message: `not a regular expression of RE2: ${why}`, offset }];
  }
};

/** `has(request.bdy)` would be false for ever, and types say nothing about it. */
const fieldFlaws = (node: ASTNode, fields: Language["fields"]): Flaw[] => {
  if (node.op !== "." || node.args[0].op !== "id") return [];
  const known = fields[node.args[0].args];
  const field = node.args[1];
  if (known === undefined || known.includes(field)) return [];
  if (node.args[0].args === "request" && field === "body")
    return [
      { message: "request.body is gone when the answer comes; a rule of phase: request can read it", offset: node.pos },
    ];
  return [{ message: `unknown name ${node.args[0].args}.${field}${suggest(field, known)}`, offset: node.pos }];
};

/** A deny rule for `operation.access == "distructive"` would never deny anything. */
const wordFlaws = (node: ASTNode, vocabulary: Vocabulary): Flaw[] => {
  if (node.op !== "==" && node.op !== "!=" && node.op !== "in") return [];
  const [left, right] = node.args;
  const name = dotted(left) ?? dotted(right);
  const words = name === undefined ? undefined : vocabulary[name];
  if (words === undefined) return [];
  const literals = [left, right].flatMap((side) => (side.op === "list" ? side.args : [side]));
  return literals.flatMap((literal) => {
    if (literal.op !== "value" || typeof literal.args !== "string" || words.includes(literal.args)) return [];
    const meant = nearest(literal.args, words);
    const fix =
      meant !== undefined
        ? `did you mean "${meant}"?`
        : words.length <= 12
          ? `it is one of ${words.join(", ")}`
          : "no such name is known";
    return [{ message: `${name} is never "${literal.args}"; ${fix}`, offset: literal.start }];
  });
};

/** `operation.access` for that node, undefined for anything that is not a plain name. */
const dotted = (node: ASTNode): string | undefined => {
  if (node.op === "id") return node.args;
  if (node.op !== ".") return undefined;
  const left = dotted(node.args[0]);
  return left === undefined ? undefined : `${left}.${node.args[1]}`;
};
