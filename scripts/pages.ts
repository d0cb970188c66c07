/**
 * Bundles what the pages load: `node scripts/pages.ts` writes `dist/web/`, `--check` says whether it is fresh. Names carry a hash of the
 * content, so that a browser may keep them for good; `assets.json` tells the server the names.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licencesOf, packagesOf } from "./licences.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "server/web/app");
const dist = join(root, "dist/web");

const bundle = async (entry: string): Promise<{ readonly text: string; readonly modules: readonly string[] }> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(source, entry)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2023",
    jsx: "automatic",
    jsxImportSource: "preact",
    charset: "utf8",
    loader: { ".svg": "dataurl" },
    legalComments: "none",
    absWorkingDir: root,
    logLevel: "warning",
  });
  const [output] = Object.values(metafile.outputs);
  const modules = Object.entries(output?.inputs ?? {}).flatMap(([id, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [resolve(root, id).replaceAll("\\", "/")] : [],
  );
  return { text: outputFiles[0]?.text ?? "", modules };
};

const named = (name: string, text: string): string => {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return name.replace(".", `-${hash}.`);
};

const script = await bundle("main.tsx");
const styles = await bundle("dogwatch.css");
const icon = readFileSync(join(source, "icon.svg"), "utf8");
const assets = {
  script: named("dogwatch.js", script.text),
  styles: named("dogwatch.css", styles.text),
  icon: named("icon.svg", icon),
};
const files = new Map([
  [assets.script, script.text],
  [assets.styles, styles.text],
  [assets.icon, icon],
  ["assets.json", `${JSON.stringify(assets, null, 2)}\n`],
  ["LICENSES.txt", licencesOf(root, packagesOf(script.modules))],
]);

if (process.argv.includes("--check")) {
  const there = existsSync(dist) ? readdirSync(dist) : [];
  const stale = [...files].filter(
    ([name, text]) => !there.includes(name) || readFileSync(join(dist, name), "utf8") !== text,
  );
  const wrong = [...stale.map(([name]) => name), ...there.filter((name) => !files.has(name))];
  if (wrong.length > 0) {
    console.error(
      `dist/web/ is not what the sources give (${wrong.join(", ")}): run \`node scripts/pages.ts\` and commit dist/`,
    );
    process.exitCode = 1;
  }
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(dist, name), text);
}
