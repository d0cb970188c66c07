/** Tells whether a connection is still the one that it was, without saying what it is. */

import { createHash } from "node:crypto";
import type { Connection } from "../model/connection.ts";

/** What makes a connection what it is; its keys are in it by digest. */
export const fingerprint = ({ kind, site, endpoint, apiKey, appKey }: Connection): string =>
  digest(JSON.stringify([kind, site, endpoint ?? null, digest(apiKey.reveal()), digest(appKey.reveal())]));

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
