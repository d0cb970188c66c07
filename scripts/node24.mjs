/** Finds a Node that can run Dogwatch: the running one when it is new enough, else the one that the lock file installed. Runs on Node 20. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const wanted = 24;

/** Path of a Node ≥ 24, or null: npm installs one on Linux (x64, arm64) only. */
export function node24() {
  if (Number.parseInt(process.versions.node, 10) >= wanted) return process.execPath;
  const installed = `${root}node_modules/node-${process.platform}-${process.arch}/bin/node`;
  return existsSync(installed) ? installed : null;
}

/** Says what to do where no Node 24 was found, and ends the process with "wrong usage". */
export function askForNode24() {
  console.error(
    `dogwatch: needs Node ${wanted} or newer, this is ${process.version} on ${process.platform}-${process.arch}.`,
  );
  console.error(
    `dogwatch: on Linux (x64, arm64) \`npm ci\` installs it; elsewhere install Node ${wanted} from https://nodejs.org.`,
  );
  process.exit(2);
}
