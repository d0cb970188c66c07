/** Cursors for people who do not see everything: how many calls there are beside theirs is nothing that a cursor tells them. */

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { type ApiRefusal, isApiRefusal, refuseApi } from "../../errors.ts";
import type { Place } from "../../model/searched.ts";
import type { MaskKey, MaskKeys } from "../../stages/mask/token/keys.ts";
import { readPlace } from "./place.ts";

const ivBytes = 12;
const tagBytes = 16;
const cipher = "aes-256-gcm";

const keyOf = ({ equality }: MaskKey): Buffer => createHmac("sha256", equality).update("places of searches").digest();

/** Of a cursor as `writePlace` makes it. */
export const sealPlace = ([key]: MaskKeys, cursor: string | null): string | null => {
  const place = readPlace(cursor ?? undefined);
  if (place === null || isApiRefusal(place)) return null;
  // As long for small numbers as for large ones.
  const plain = Buffer.alloc(8);
  plain.writeInt32BE(place.epoch, 0);
  plain.writeInt32BE(place.place, 4);
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, keyOf(key), iv, { authTagLength: tagBytes });
  const sealed = Buffer.concat([sealing.update(plain), sealing.final()]);
  return Buffer.concat([iv, sealed, sealing.getAuthTag()]).toString("base64url");
};

/** Null for the first page. */
export const openPlace = (keys: MaskKeys, cursor: string | undefined): Place | null | ApiRefusal => {
  if (cursor === undefined) return null;
  const bytes = Buffer.from(cursor, "base64url");
  if (bytes.length === ivBytes + 8 + tagBytes)
    for (const key of keys) {
      try {
        const opening = createDecipheriv(cipher, keyOf(key), bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
        opening.setAuthTag(bytes.subarray(-tagBytes));
        const plain = Buffer.concat([opening.update(bytes.subarray(ivBytes, -tagBytes)), opening.final()]);
        return { epoch: plain.readInt32BE(0), place: plain.readInt32BE(4) };
      } catch {
        // Of another key.
      }
    }
  return refuseApi("request_malformed", "cursor is not one that a search gave: leave it out to begin again");
};
