/** Turns what zod found into sentences that name the fix, and never show a secret. */

import { z } from "zod";
import { nearest } from "../model/nearest.ts";
import { configFile } from "./schema.ts";
import type { Located } from "./source.ts";

type Issue = z.core.$ZodIssue;
type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Findings for everything zod refused. `expanded` are paths whose values must not be shown. */
export const explainIssues = (issues: readonly Issue[], expanded: ReadonlySet<string>): Located[] =>
  issues.flatMap((issue) => explain(issue, expanded));

/** Passed to zod, so that a message is ours (written in the schema) or empty. */
export const noMessage = (): string => "";

const explain = (issue: Issue, expanded: ReadonlySet<string>): Located[] => {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path: [...path, key], at: "key", message: unknownKey(key, path) }));
  if (issue.message !== "") return [{ path, message: issue.message }];
  return [{ path, message: general(issue, expanded.has(path.join("."))) }];
};

const general = (issue: Issue, hidden: boolean): string => {
  if (issue.input === undefined) return "is required";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${kinds[issue.expected] ?? issue.expected}, and this is ${kindOf(issue.input)}`;
    case "invalid_value":
      return oneOf(issue.values.map(String), issue.input, hidden);
    case "too_small":
      return `must have at least ${issue.minimum}`;
    case "too_big":
      return `must have at most ${issue.maximum}`;
    default:
      return "has an unexpected form";
  }
};

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  object: "a map of keys",
  array: "a list",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
};

const kindOf = (value: unknown): string => {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return "a number (put it in quotes to make it text)";
    case "boolean":
      return "true or false (put it in quotes to make it text)";
    default:
      return "a map of keys";
  }
};

const oneOf = (values: readonly string[], input: unknown, hidden: boolean): string => {
  const shown = typeof input === "string" && !hidden && input.length <= 40 ? `"${input}"` : "this";
  const meant = typeof input === "string" ? nearest(input, values) : undefined;
  const fix = meant === undefined ? "" : `; did you mean ${meant}?`;
  if (typeof input === "string" && /^(none|HS\d+)$/i.test(input) && values.includes("RS256"))
    return `${shown} is refused: whoever knows the public key could sign with it; use one of ${values.join(", ")}`;
  return `${shown} is not one of ${values.join(", ")}${fix}`;
};

const unknownKey = (key: string, path: readonly (string | number)[]): string => {
  const siblings = Object.keys(schemaAt(editorShape(), path)?.properties ?? {});
  const meant = nearest(key, siblings);
  if (meant !== undefined) return `unknown key; did you mean ${meant}?`;
  const elsewhere = homesOf(key, editorShape(), "");
  if (elsewhere.length > 0) return `unknown key here; ${key} belongs to ${elsewhere.join(" or ")}`;
  return `unknown key; known here are ${siblings.join(", ")}`;
};

/** The input side of the schema as JSON Schema: also what editors get. */
export const editorShape = (): JsonSchema => inputShape(configFile);

const inputShape = (schema: z.core.$ZodType): JsonSchema =>
  z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      const { shorter } = jsonSchema;
      if (shorter === undefined || !(zodSchema instanceof z.ZodPipe)) return;
      delete jsonSchema["shorter"];
      // What is written shorter becomes a list, or a map, before it is looked at: to zod that could be anything.
      const { $schema: _, ...whole } = inputShape(zodSchema.out);
      Object.assign(jsonSchema, shorter === "one" ? { ...whole, orOne: true } : { ...whole, orWord: true });
    },
  });

const schemaAt = (schema: JsonSchema, path: readonly (string | number)[]): JsonSchema | undefined => {
  let at: JsonSchema | undefined = schema;
  for (const step of path) at = asSchema(typeof step === "number" ? at?.items : at?.properties?.[step]);
  return at;
};

const asSchema = (
  value: z.core.JSONSchema._JSONSchema | readonly z.core.JSONSchema._JSONSchema[] | undefined,
): JsonSchema | undefined => (typeof value === "object" && !isList(value) ? value : undefined);

const isList = (value: object): value is readonly unknown[] => Array.isArray(value);

/** Where a key of that name is at home: `policy`, `connections[]`. */
const homesOf = (key: string, schema: JsonSchema, at: string): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const here = name === key ? [at === "" ? "the top level" : at] : [];
    const child = asSchema(member);
    const inside = at === "" ? name : `${at}.${name}`;
    const items = asSchema(child?.items);
    return [
      ...here,
      ...(child ? homesOf(key, child, inside) : []),
      ...(items ? homesOf(key, items, `${inside}[]`) : []),
    ];
  });
