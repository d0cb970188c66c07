/**
 * Answers the simplest clauses without the interpreter: a plain path compared with something written in the policy, both of one
 * type. Whatever is not as simple as it looks is left to CEL, so that an answer from here is CEL's own, only ten times sooner.
 */

import type { ASTNode } from "@marcbachmann/cel-js";
import type { Scope, Variables } from "./facts.ts";

/** Undefined: ask CEL. */
export type Shortcut = (scope: Scope) => boolean | { readonly error: string } | undefined;

/** Null for a clause that has none. */
export const shortcutOf = (node: ASTNode, slots: Slots): Shortcut | null => {
  switch (node.op) {
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return comparison(node.op, node.args, slots);
    case "in":
      return membership(node.args, slots);
    default:
      return null;
  }
};

/** A place for every path of a policy, by the path. */
export type Slots = Map<string, number>;

type Literal = string | bigint;
type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=";

const comparison = (operator: Operator, [left, right]: readonly [ASTNode, ASTNode], slots: Slots): Shortcut | null => {
  const path = pathOf(left, slots);
  const literal = literalOf(right);
  if (path === null || literal === undefined) return null;
  const ordered = operator !== "==" && operator !== "!=";
  if (ordered && typeof literal === "string") return null;
  return (scope) => {
    const found = walk(path, scope);
    // Of values of two types CEL knows more than `===` does.
    if (typeof found !== typeof literal) return missing(found);
    return compare(operator, found as Literal, literal);
  };
};

const compare = (operator: Operator, value: Literal, literal: Literal): boolean => {
  switch (operator) {
    case "==":
      return value === literal;
    case "!=":
      return value !== literal;
    case "<":
      return value < literal;
    case "<=":
      return value <= literal;
    case ">":
      return value > literal;
    case ">=":
      return value >= literal;
    default:
      return operator satisfies never;
  }
};

/** `path in ["a", "b"]` and `"a" in path`. */
const membership = ([left, right]: readonly [ASTNode, ASTNode], slots: Slots): Shortcut | null => {
  const path = pathOf(left, slots);
  if (path !== null && right.op === "list") {
    const literals = right.args.map(literalOf);
    if (!literals.every((literal) => typeof literal === "string")) return null;
    const words = new Set(literals);
    return (scope) => {
      const found = walk(path, scope);
      return typeof found === "string" ? words.has(found) : missing(found);
    };
  }
  const literal = literalOf(left);
  const list = pathOf(right, slots);
  if (typeof literal !== "string" || list === null) return null;
  return (scope) => {
    const found = walk(list, scope);
    if (!Array.isArray(found)) return missing(found);
    return found.every((item) => typeof item === "string") ? found.includes(literal) : undefined;
  };
};

const literalOf = ({ op, args }: ASTNode): Literal | undefined =>
  op === "value" && (typeof args === "string" || typeof args === "bigint") ? args : undefined;

type Path = {
  /** Where its value is kept for the rest of the call. */
  readonly slot: number;
  readonly root: keyof Variables;
  readonly steps: readonly string[];
  /** What is there when a step finds nothing. */
  readonly gaps: readonly Missing[];
};

const roots = new Set<string>([
  "caller",
  "connection",
  "operation",
  "request",
  "response",
] satisfies (keyof Variables)[]);

const pathOf = (node: ASTNode, slots: Slots): Path | null => {
  const steps: string[] = [];
  let at = node;
  while (at.op === ".") {
    steps.unshift(at.args[1]);
    at = at.args[0];
  }
  if (at.op !== "id" || !roots.has(at.args) || steps.length === 0) return null;
  const root = at.args;
  const text = JSON.stringify([root, ...steps]);
  const slot = slots.get(text) ?? slots.size;
  slots.set(text, slot);
  return {
    slot,
    root: root as keyof Variables,
    steps,
    gaps: steps.map((_, index) => new Missing([root, ...steps.slice(0, index + 1)].join("."))),
  };
};

class Missing {
  readonly error: string;
  constructor(text: string) {
    this.error = `not there: ${text.length > 120 ? `${text.slice(0, 119)}…` : text}`;
  }
}

/** The value at a path; `Missing` when a map on the way lacks the key, undefined for whatever CEL should say something about. */
const walk = (path: Path, { variables, found }: Scope): unknown => {
  const known = found?.[path.slot];
  if (known !== undefined) return known;
  const value = follow(path, variables);
  if (found !== undefined) found[path.slot] = value;
  return value;
};

const follow = ({ root, steps, gaps }: Path, variables: Scope["variables"]): unknown => {
  let at: unknown = variables[root];
  // Counted, not iterated: this runs for every clause of every rule.
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index] ?? "";
    if (at instanceof Map) {
      const value: unknown = at.get(step);
      if (value === undefined) return gaps[index];
      at = value;
    } else if (index === 0 && root !== "caller") {
      try {
        at = (at as Readonly<Record<string, unknown>> | undefined)?.[step];
      } catch {
        // A body that was not read, or cannot be understood: CEL meets it too, and says so.
        return undefined;
      }
    } else return undefined;
  }
  return at;
};

const missing = (found: unknown): { readonly error: string } | undefined =>
  found instanceof Missing ? found : undefined;
