/** The keys that masks are sealed with: from the configuration, or made at the first start; never in the database. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readOrMake } from "./keyFile.ts";
import type { Config } from "./model/config.ts";
import { isMaskKeys, type MaskKeys, readMaskKeys } from "./stages/mask/token/keys.ts";

/** @throws Error that says which file cannot be made or used */
export const openMaskKeys = ({ maskKeys, dataDir }: Pick<Config, "maskKeys" | "dataDir">): MaskKeys => {
  const file = join(dataDir, "keys", "mask");
  const read = readMaskKeys(maskKeys?.reveal() ?? readOrMake({ file, make, need, instead }));
  if (isMaskKeys(read)) return read;
  throw new Error(`${maskKeys === undefined ? file : "keys.mask"}: ${read}`);
};

const make = (): string =>
  `# Dogwatch seals what masks hide with the first of these keys; the others still open. Keep older ones below newer ones.\n${randomBytes(48).toString("base64")}\n`;

const need = "masks need a key";
const instead = "name one with keys.mask (openssl rand -base64 48 makes it)";
