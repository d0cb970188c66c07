/** What becomes of a command when its output goes nowhere: its reader has hung up, as `| head -1` does, or there is no room. */

import { constants } from "node:os";

const hungUp = 128 + constants.signals.SIGPIPE;

/** Whoever has something to put away (`stopOnSignal`) is told to end; all others end at once, as SIGPIPE ends other programs. */
export function heedReader(): void {
  // What is said there is said to nobody; the exit code tells.
  process.stderr.on("error", () => undefined);
  let heeded = false;
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (heeded) return;
    heeded = true;
    const isHungUp = code === "EPIPE";
    if (!isHungUp) process.stderr.write(`dogwatch: standard output cannot be written (${code ?? message})\n`);
    if (process.listenerCount("SIGTERM") > 0) process.emit("SIGTERM", "SIGTERM");
    else process.exit(isHungUp ? hungUp : 1);
  });
}
