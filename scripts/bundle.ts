/**
 * Bundles the action for the runner, which installs nothing: `node scripts/bundle.ts` writes `dist/`, `--check` says whether `dist/` is fresh.
 * The output stays readable, so that what runs in a workflow can be reviewed; the same sources give the same bytes everywhere.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import commonjs from "@rollup/plugin-commonjs";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { type Plugin, rollup } from "rollup";
import { licencesOf, packagesOf } from "./licences.ts";

/** Its types are of a CommonJS module, which it is not when imported. */
const commonJs = commonjs as unknown as () => Plugin;

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const entries = { "main.js": "action/main.ts", "post.js": "action/post.ts", "relay.js": "action/relay/main.ts" };

/** What Node itself does to these files: types become spaces, every other character stays. */
const stripTypes: Plugin = {
  name: "strip-types",
  transform(code, id) {
    if (!id.endsWith(".ts")) return null;
    return { code: stripTypeScriptTypes(code).replace(/[ \t]+$/gm, ""), map: null };
  },
};

/**
 * Packages that do nothing when merely loaded, although they do not say so: what is not called of them is left out.
 * Above all `@actions/core` brings a whole HTTP client for a function that is not used here.
 */
const inert = /node_modules\/(@actions\/|undici\/|tunnel\/)/;

/** Circles inside packages are theirs; `this` at top level is TypeScript's old helper code; zod's comments speak of annotations. */
const expected = new Set(["CIRCULAR_DEPENDENCY", "THIS_IS_UNDEFINED", "INVALID_ANNOTATION"]);

type Bundle = { readonly code: string; readonly modules: readonly string[] };

const bundle = async (entry: string): Promise<Bundle> => {
  const build = await rollup({
    input: join(root, entry),
    external: (id) => id.startsWith("node:"),
    treeshake: { moduleSideEffects: (id) => !inert.test(id) },
    plugins: [stripTypes, nodeResolve({ preferBuiltins: true, exportConditions: ["node"] }), commonJs()],
    onLog(level, log) {
      if (level === "warn" && !expected.has(log.code ?? "")) console.error(log.message);
    },
  });
  const { output } = await build.generate({ format: "es", inlineDynamicImports: true });
  await build.close();
  const [chunk] = output;
  const modules = Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []));
  return { code: chunk.code.replaceAll("\r\n", "\n"), modules };
};

const files = new Map<string, string>();
const folders = new Set<string>();
for (const [file, entry] of Object.entries(entries)) {
  const { code, modules } = await bundle(entry);
  files.set(file, code);
  for (const folder of packagesOf(modules)) folders.add(folder);
}
files.set("LICENSES.txt", licencesOf(root, folders));

if (process.argv.includes("--check")) {
  const stale = [...files].filter(([name, text]) => {
    const path = join(dist, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  if (stale.length > 0) {
    console.error(
      `dist/ is not what the sources give (${stale.map(([name]) => name).join(", ")}): run \`node scripts/bundle.ts\` and commit dist/`,
    );
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of files) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(dist, name), text);
  }
}
