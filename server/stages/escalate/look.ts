/** Which GET shows what a call is about to change, and what of its answer counts as the state. */

import type { Catalogue } from "../../datadog/catalogue.ts";
import type { Operation } from "../../model/operation.ts";

/** `path` raw, as it is sent. */
export type Look = { readonly method: "GET"; readonly path: string; readonly operation: Operation };

/** What is about to be sent: `prefix` of the Datadog host, `path` raw and without query. */
export type Target = { readonly prefix: string; readonly path: string; readonly operation: Operation };

export const lookOf = (_catalogue: Catalogue, _target: Target): Look | { readonly why: string } => {
  throw new Error("not built yet");
};

/** The answer to a look without what changes by itself; `operation` is the id of the GET. */
export const stateOf = (_operation: string, _bytes: Buffer): { readonly text: string; readonly digest: string } => {
  throw new Error("not built yet");
};
