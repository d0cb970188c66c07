/** Compares what was presented with a secret. */

import { createHash, timingSafeEqual } from "node:crypto";

/** In constant time, also for values of different length. */
export const sameSecret = (presented: string, secret: string): boolean =>
  timingSafeEqual(sha256(presented), sha256(secret));

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
