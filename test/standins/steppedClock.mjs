/**
 * Imported by a gateway's process before anything else: steps its wall clock by what the file DOGWATCH_CLOCK says (ms), at SIGUSR2.
 * Node's wall clock is `Date`; monotonic time and timers do not step, as they do not when a system's clock is set.
 */

import { readFileSync, writeSync } from "node:fs";

const System = Date;
let offset = 0;

globalThis.Date = class Date extends System {
  constructor(...values) {
    if (values.length === 0) super(System.now() + offset);
    else super(...values);
  }
  static now() {
    return System.now() + offset;
  }
};

process.on("SIGUSR2", () => {
  offset = Number(readFileSync(process.env.DOGWATCH_CLOCK, "utf8"));
  writeSync(1, `the clock is off by ${offset} ms\n`);
});
