/** The JSON Schema of dogwatch.yaml for editors: docs/dogwatch.schema.json is this text. */

import { editorShape } from "./explain.ts";

/** Put `# yaml-language-server: $schema=…/dogwatch.schema.json` into the first line of dogwatch.yaml. */
export const editorSchema = (): string => {
  const { $schema, ...shape } = editorShape();
  const schema = { $schema, title: "dogwatch.yaml", ...shape };
  return `${JSON.stringify(schema, orReference, 2)}\n`;
};

/** Where a text has to look like something, a reference may stand too. */
const orReference = (key: string, value: unknown): unknown =>
  key === "pattern" && typeof value === "string" ? `(${value})|\\$\\{(env|file):` : value;
