/**
 * Completes package-lock.json: `node scripts/lock.mjs [--check]`, after every `npm install PACKAGE`.
 *
 * Tools come as one package per platform (`@rollup/rollup-darwin-arm64`). npm leaves out of the lock file those that it could not
 * look up, be it that a mirror does not carry them or npm's own bug (npm/cli#4828), and then refuses `npm ci` with "Missing: … from
 * lock file". Their names and exact versions stand in the package that wants them, so the entries can be written without looking
 * anything up. They have no `integrity`: npm takes what the registry gives for that version, on that platform only.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const lock = JSON.parse(readFileSync(file, "utf8"));
const missing = findMissing(lock.packages);

if (missing.length === 0) console.log("package-lock.json is complete");
else if (process.argv.includes("--check")) {
  console.error(
    `package-lock.json lacks ${missing.length} platform packages, so \`npm ci\` refuses it: ${missing[0].path}, …`,
  );
  console.error("Run `node scripts/lock.mjs` and commit what it wrote.");
  process.exit(1);
} else {
  for (const { path, entry } of missing) lock.packages[path] = entry;
  const byPath = Object.entries(lock.packages).toSorted(([a], [b]) =>
    a === "" ? -1 : b === "" ? 1 : a.localeCompare(b, "en"),
  );
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(byPath) }, null, 2)}\n`);
  console.log(`package-lock.json: wrote ${missing.length} platform packages`);
}

function findMissing(packages) {
  const found = new Map();
  for (const [wanter, { optionalDependencies = {}, dev, devOptional }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (resolves(packages, wanter, name)) continue;
      const platform = platformOf(name);
      if (platform === null || !/^\d/.test(version)) continue;
      found.set(`node_modules/${name}`, {
        path: `node_modules/${name}`,
        entry: entryOf(version, platform, dev || devOptional),
      });
    }
  }
  return [...found.values()];
}

/** In npm's own order of keys, so that npm's next write changes nothing here. */
function entryOf(version, { cpu, libc, os }, isForDevelopment) {
  return {
    version,
    cpu: [cpu],
    ...(isForDevelopment ? { dev: true } : {}),
    ...(libc === null ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

/** Node's resolution: from the wanter's own node_modules outwards. */
function resolves(packages, wanter, name) {
  for (let from = wanter; ; from = from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/")))) {
    if (packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`] !== undefined) return true;
    if (from === "") return false;
  }
}

/** `rollup-linux-arm64-musl` → linux, arm64, musl; null when the name tells no platform. */
function platformOf(name) {
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const os = [
    "aix",
    "android",
    "darwin",
    "freebsd",
    "linux",
    "netbsd",
    "openbsd",
    "openharmony",
    "sunos",
    "win32",
  ].find((known) => words.includes(known));
  const cpu = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"].find((known) =>
    words.includes(known),
  );
  if (os === undefined || cpu === undefined) return null;
  const last = words.at(-1);
  const libc = os !== "linux" ? null : last.startsWith("musl") ? "musl" : last.startsWith("gnu") ? "glibc" : null;
  return { os, cpu, libc };
}
