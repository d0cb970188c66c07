/** The licence texts of packages whose code goes into a bundle. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

type Manifest = { readonly name: string; readonly version: string; readonly license: string };

/** `…/node_modules/@scope/name` of each bundled module that is not ours. */
export const packagesOf = (modules: readonly string[]): string[] =>
  modules.flatMap((id) => /(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll("\0", ""))?.[1] ?? []);

/** One text for all of them, in an order that is the same everywhere. */
export const licencesOf = (root: string, folders: Iterable<string>): string =>
  [...new Set(folders)]
    .toSorted((a, b) => relative(root, a).localeCompare(relative(root, b), "en"))
    .map(licenceOf)
    .join(`\n${"-".repeat(80)}\n\n`);

const licenceOf = (folder: string): string => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  const text = file
    ? readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim()
    : `(${license}; the package ships no licence text)`;
  return `${name} ${version} (${license})\n\n${text}\n`;
};
