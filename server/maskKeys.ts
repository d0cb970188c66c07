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
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    const made = `# Dogwatch seals what masks hide with the first of these keys; the others still open. Keep older ones below newer ones.\n${randomBytes(48).toString("base64")}\n`;
    writeFileSync(file, made, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return readFileSync(file, "utf8");
};
