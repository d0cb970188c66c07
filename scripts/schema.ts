/** Writes docs/dogwatch.schema.json from the configuration's schema; with --check only says whether it is current. */

import { readFileSync, writeFileSync } from "node:fs";
import { editorSchema } from "../server/config/editorSchema.ts";

const file = new URL("../docs/dogwatch.schema.json", import.meta.url);
const schema = editorSchema();

if (!process.argv.includes("--check")) writeFileSync(file, schema);
else if (readFileSync(file, "utf8") !== schema) {
  console.error("docs/dogwatch.schema.json is not current: node scripts/schema.ts");
  process.exitCode = 1;
}
