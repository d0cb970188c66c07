/** Puts values back in the place of a recording's tokens, with the key of the gateway: what was recorded can be held against what was sent. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isMaskKeys, readMaskKeys } from "../../server/stages/mask/token/keys.ts";
import { reveal } from "../../server/stages/mask/token/sealer.ts";

/** `file`: the gateway's configuration, whose data folder is beside it. */
export const revealer = (file: string): ((text: string) => string) => {
  const keys = readMaskKeys(readFileSync(join(dirname(file), "data", "keys", "mask"), "utf8"));
  if (!isMaskKeys(keys)) throw new Error(keys);
  return (text) =>
    text.replaceAll(/(?:https:\/\/masked\.invalid\/)?dwm_[a-z0-9-]+_[\w-]+(?:@masked\.invalid)?/g, (token) => {
      const value = reveal(keys, token)?.value;
      return value == null ? token : JSON.stringify(value).slice(1, -1);
    });
};
