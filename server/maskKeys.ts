/** The keys that masks are sealed with: from the configuration, or made at the first start; never in the database. */

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./model/config.ts";
import { isMaskKeys, type MaskKeys, readMaskKeys } from "./stages/mask/token/keys.ts";

/** @throws Error that says which file cannot be made or used */
export const openMaskKeys = ({ maskKeys, dataDir }: Pick<Config, "maskKeys" | "dataDir">): MaskKeys => {
  const folder = join(dataDir, "keys");
  const read = readMaskKeys(maskKeys?.reveal() ?? madeOnce(folder));
  if (isMaskKeys(read)) return read;
  throw new Error(`${maskKeys === undefined ? join(folder, fileName) : "keys.mask"}: ${read}`);
};

const fileName = "mask";

/** Two gateways of one folder that start at once use the same one. */
const madeOnce = (folder: string): string => {
  const file = join(folder, fileName);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const made = `# Dogwatch seals what masks hide with the first of these keys; the others still open. Keep older ones below newer ones.\n${randomBytes(48).toString("base64")}\n`;
    writeFileSync(file, made, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw unusable(file, error);
  }
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unusable(file, error);
  }
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

/** As in a container whose files are read-only. */
const unusable = (file: string, cause: unknown): Error => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "it failed";
  return new Error(
    `masks need a key, and ${file} can neither be made nor read (${code}): name one with keys.mask (openssl rand -base64 48 makes it), or let the gateway write to dataDir`,
    { cause },
  );
};
