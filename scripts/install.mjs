/** Installs what the lock file names, once: `npm start` and `npm test` call it first. Plain JavaScript, as it runs on the machine's own Node (≥ 20). */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const oldest = 20;
const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}node_modules/.installed`;
const lock = `${root}.installing`;

if (Number.parseInt(process.versions.node, 10) < oldest) {
  fail(`Node ${oldest} or newer is needed to install; this is ${process.version}. See https://nodejs.org.`);
}
if (!isInstalled()) {
  await takeLock();
  try {
    if (!isInstalled()) await install();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The stamp is written last, so an install that was cut short is done again. */
function isInstalled() {
  if (readIfThere(stamp) === wanted()) return true;
  if (!isInstalledByHand()) return false;
  try {
    writeFileSync(stamp, wanted());
  } catch {
    // Somebody else, root perhaps, has installed: it is looked at again the next time.
  }
  return true;
}

/** Whether somebody's own `npm ci` or `npm install` left exactly what the lock file names: npm notes at its end what it installed. */
function isInstalledByHand() {
  const noted = readIfThere(`${root}node_modules/.package-lock.json`);
  if (noted === "") return false;
  const installed = JSON.parse(noted).packages;
  const { "": _root, ...locked } = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8")).packages;
  return (
    Object.entries(locked).every(
      ([path, { optional, version }]) => (installed[path]?.version ?? (optional && version)) === version,
    ) && Object.keys(installed).every((path) => path in locked)
  );
}

/** What has to be installed: another lock file, platform or architecture (a folder shared with a container) is another install. */
function wanted() {
  const hash = createHash("sha256").update(readFileSync(`${root}package-lock.json`));
  return `${hash.digest("hex")} ${process.platform}-${process.arch}\n`;
}

/** `npm start` and `npm test` may be started at once: the second one waits for the first one's install. */
async function takeLock() {
  let said = false;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") fail(`cannot write into ${root} (${error.code}). Clone it as the user who runs it.`);
    }
    const owner = Number(readIfThere(lock));
    if (owner > 0 && !isAlive(owner)) takeAway(owner);
    else if (!said) {
      console.error(
        `dogwatch: waiting for another install (process ${owner || "unknown"}; remove ${lock} if there is none)`,
      );
      said = true;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Of those who see that its owner is gone one takes the lock away; where another has one of its own by now, that one stays. */
function takeAway(owner) {
  const taken = `${lock}.${process.pid}`;
  try {
    renameSync(lock, taken);
    if (Number(readIfThere(taken)) !== owner) linkSync(taken, lock);
  } catch {
    // Somebody else was faster.
  }
  rmSync(taken, { force: true });
}

function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function install() {
  console.error("dogwatch: installing dependencies (once; about a minute)");
  // npm ci removes node_modules, and with it the Node that may be running this file: use the one that runs npm.
  const node = process.env.npm_node_execpath ?? process.execPath;
  const npm = process.env.npm_execpath;
  const args = [
    "ci",
    "--include=dev",
    "--include=optional",
    "--ignore-scripts=false",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const options = { cwd: root, stdio: ["ignore", 2, 2], env: environment() };
  const done = await (npm === undefined ? run("npm", args, options) : run(node, [npm, ...args], options));
  if (done.error) fail(`npm could not be started: ${done.error.message}`);
  if (done.signal) fail(`the install was stopped by ${done.signal}; start again to repeat it.`);
  if (done.status !== 0) {
    fail(
      "the install failed; npm's reason is above. A proxy or a registry mirror is set with `npm config set` (https-proxy, registry).",
    );
  }
  writeFileSync(stamp, wanted());
}

/** To its end, also when this process is told to end: an npm that goes on alone would meet the next install. */
function run(program, args, options) {
  return new Promise((resolve) => {
    let told = null;
    // Before there is a child: whoever hears it may signal at once.
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(name, () => {
        told ??= name;
        child.kill(name);
      });
    }
    const child = spawn(program, args, options);
    child.on("error", (error) => resolve({ error }));
    child.on("exit", (status, signal) => resolve({ status, signal: told ?? signal }));
  });
}

/** The environment without what the outer npm put there and without switches that would leave out what is needed. */
function environment() {
  const unwanted =
    /^(npm_(lifecycle_|package_|command$|config_(omit|include|production|only|ignore_scripts|dry_run)$)|NODE_ENV$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)));
}

function fail(message) {
  console.error(`dogwatch: ${message}`);
  rmSync(lock, { force: true });
  process.exit(1);
}
