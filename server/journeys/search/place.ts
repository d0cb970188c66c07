/** Where the next page of a search begins: opaque to clients, and refused when it is not one of ours. */

import { z } from "zod";
import { type ApiRefusal, refuseApi } from "../../errors.ts";
import type { Place } from "../../model/searched.ts";

const written = z.tuple([z.literal("search"), z.int32().min(0), z.int32().min(0)]);

export const writePlace = ({ epoch, place }: Place): string =>
  Buffer.from(JSON.stringify(["search", epoch, place])).toString("base64url");

/** Null for the first page. */
export const readPlace = (cursor: string | undefined): Place | null | ApiRefusal => {
  if (cursor === undefined) return null;
  try {
    const [, epoch, place] = written.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return { epoch, place };
  } catch {
    return refuseApi("request_malformed", "cursor is not one that a search gave: leave it out to begin again");
  }
};
