/** What pages load besides themselves: the files of `dist/web/`, whose names change with their content. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import assets from "../../dist/web/assets.json" with { type: "json" };

export const assetPaths = {
  script: `/assets/${assets.script}`,
  styles: `/assets/${assets.styles}`,
  icon: `/assets/${assets.icon}`,
} as const;

const types: ReadonlyMap<string, string> = new Map([
  [assetPaths.script, "text/javascript; charset=utf-8"],
  [assetPaths.styles, "text/css; charset=utf-8"],
  [assetPaths.icon, "image/svg+xml"],
]);

export type Asset = { readonly type: string; readonly bytes: Buffer };

const folder = fileURLToPath(new URL("../../dist/web/", import.meta.url));

/** Null for every path that is not exactly one of ours. */
export function readAsset(path: string): Asset | null {
  const type = types.get(path);
  return type === undefined ? null : { type, bytes: readFileSync(folder + path.slice("/assets/".length)) };
}
