/** Keeps memory flat while large bodies pass: V8 lets 100 MB of dead socket buffers pile up before it looks, so it is asked to. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Told of every piece of a large body that has passed. */
export type Tidy = (bytes: number) => void;

/** What may pass between two collections of the young generation, each of which takes about a millisecond. */
const interval = 4 * 1024 * 1024;

/** `collect` frees what has just died; default: V8's minor collection, which Node offers only behind a flag. */
export function createTidy(collect: () => void = youngCollection()): Tidy {
  let passed = 0;
  return (bytes) => {
    passed += bytes;
    if (passed < interval) return;
    passed = 0;
    collect();
  };
}

function youngCollection(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;
  return () => gc({ type: "minor" });
}
