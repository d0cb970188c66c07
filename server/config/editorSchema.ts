/** The JSON Schema of dogwatch.yaml for editors: docs/dogwatch.schema.json is this text. */

import { editorShape } from "./explain.ts";

/** Put `# yaml-language-server: $schema=…/dogwatch.schema.json` into the first line of dogwatch.yaml. */
export const editorSchema = (): string => {
  const { $schema, ...shape } = editorShape();
  const schema = { $schema, title: "dogwatch.yaml", ...shape };
  return `${JSON.stringify(schema, asEditorsSeeIt, 2)}\n`;
};

const asEditorsSeeIt = (key: string, value: unknown): unknown => {
  // Where a text has to look like something, a reference may stand too.
  if (key === "pattern" && typeof value === "string") return `(${value})|\\$\\{(env|file):`;
  if (typeof value !== "object" || value === null) return value;
  const { orOne, orWord, description, ...whole } = value as Record<string, unknown>;
  if (orOne !== true && orWord !== true) return value;
  const shorter = orOne === true ? whole["items"] : { type: "string" };
  return { ...(description !== undefined && { description }), anyOf: [shorter, whole] };
};
