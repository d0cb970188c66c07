/** A key that no configuration names: made at the first start, kept beside the other data for its owner only. */

import { constants, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** `need` begins the sentence that says why a start fails; `instead` is how a key is named otherwise. */
export type KeyFile = {
  readonly file: string;
  readonly need: string;
  readonly instead: string;
  /** The file's text. */
  make(): string;
};

/** Two gateways of one folder that start at once use the same one. @throws Error that says which file can neither be made nor read */
export const readOrMake = ({ file, make, ...words }: KeyFile): string => {
  try {
    if (!existsSync(file)) makeWhole(file, make());
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw unusable({ file, ...words }, error);
  }
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unusable({ file, ...words }, error);
  }
};

/** Linked when it is complete: a start that ends meanwhile leaves no half of a key, and nobody reads one. */
const makeWhole = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    link(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
};

const link = (draft: string, file: string): void => {
  try {
    linkSync(draft, file);
  } catch (error) {
    // Some network file systems know no links.
    if (!["EPERM", "ENOTSUP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error;
    copyFileSync(draft, file, constants.COPYFILE_EXCL);
  }
};

const codeOf = (error: unknown): string | null =>
  error instanceof Error && "code" in error ? String(error.code) : null;

/** As in a container whose files are read-only. */
const unusable = ({ file, need, instead }: Omit<KeyFile, "make">, cause: unknown): Error =>
  new Error(
    `${need}, and ${file} can neither be made nor read (${codeOf(cause) ?? "it failed"}): ${instead}, or let the gateway write to dataDir`,
    { cause },
  );
