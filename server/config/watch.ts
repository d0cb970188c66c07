/** Notices that dogwatch.yaml, or a file it takes a secret from, has changed, and hands over the new configuration or what is wrong with it. */

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Config, Problem } from "../model/config.ts";
import { type Environment, type Examine, isConfig, loadConfig } from "./load.ts";
import { referencedFiles } from "./source.ts";

export type Watched = { readonly file: string; readonly env: Environment; readonly examine?: Examine };

export type Reactions = {
  /** The new configuration is good. */
  readonly changed: (config: Config) => void;
  /** The file changed and cannot be used: whoever holds the last good configuration keeps it. */
  readonly refused: (problems: readonly Problem[]) => void;
};

export type Watch = {
  /** Looks once. A change counts when two looks in a row see the same, so that a file that is being written is not taken for whole. */
  readonly look: () => void;
  readonly stop: () => void;
};

/**
 * Looks every `every` milliseconds (default 1000), beginning with what is there now, which is taken as known.
 * It reads instead of waiting for file system events: those do not come from network file systems and Kubernetes' mounted secrets.
 */
export const watchConfig = (watched: Watched, reactions: Reactions, every = 1_000): Watch => {
  let known = fingerprint(watched.file);
  let last = known;
  const look = (): void => {
    const now = fingerprint(watched.file);
    const settled = now === last;
    last = now;
    if (!settled || now === known) return;
    known = now;
    const loaded = loadConfig(watched.file, watched.env, watched.examine);
    if (isConfig(loaded)) reactions.changed(loaded);
    else reactions.refused(loaded);
  };
  const timer = setInterval(look, every);
  timer.unref();
  return { look, stop: () => clearInterval(timer) };
};

/** Digest of the file and of the files it names; what cannot be read has a fingerprint too. */
const fingerprint = (file: string): string => {
  const hash = createHash("sha256");
  const text = readOrNothing(file);
  hash.update(text);
  for (const named of referencedFiles(text.toString("utf8"), file))
    hash.update(`\0${named}\0`).update(readOrNothing(named));
  return hash.digest("hex");
};

const readOrNothing = (file: string): Buffer => {
  try {
    const stat = statSync(file);
    // A pipe would block the gateway, and what is too large is refused when it is loaded.
    return stat.isFile() && stat.size <= 2 ** 20 ? readFileSync(file) : Buffer.from(`not read: ${stat.mtimeMs}`);
  } catch {
    return Buffer.from("cannot be read");
  }
};

/** Settings that only a new start can change, among those that differ: `publicUrl`, `listen`, `database`, `dataDir`, `github`. */
export const needsRestart = (before: Config, after: Config): readonly string[] => {
  const changed: string[] = [];
  if (before.publicUrl !== after.publicUrl) changed.push("publicUrl");
  if (before.listen.host !== after.listen.host || before.listen.port !== after.listen.port) changed.push("listen");
  if (before.database?.reveal() !== after.database?.reveal()) changed.push("database");
  if (before.dataDir !== after.dataDir) changed.push("dataDir");
  if (appOf(before) !== appOf(after)) changed.push("github");
  return changed;
};

/** Its client holds tokens and waits: it is made once. */
const appOf = ({ github }: Config): string =>
  github === undefined
    ? ""
    : JSON.stringify({
        ...github,
        ...Object.fromEntries(secretsOf(github).map((secret, i) => [`secret${i}`, secret])),
      });

const secretsOf = ({ privateKey, webhookSecret, clientSecret }: NonNullable<Config["github"]>): string[] =>
  [privateKey, webhookSecret, clientSecret].map((secret) => secret?.reveal() ?? "");
