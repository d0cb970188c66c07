/** Ends what runs when the process is told to: properly at the first word, at once when it is told again. */

import { constants } from "node:os";

/** One Ctrl-C arrives several times: the terminal signals everybody in it, and npm and npx pass theirs on as well. */
const echoes = 1_000;

/** `close` is called once. The exit code is `process.exitCode`, or 1 when closing failed. What it returns takes it back. */
export function stopOnSignal(close: (signal: NodeJS.Signals) => Promise<unknown>): () => void {
  let told: number | null = null;
  const heed = (signal: NodeJS.Signals): void => {
    if (told === null) {
      told = performance.now();
      void close(signal).then(() => process.exit(), fail);
    } else if (performance.now() - told > echoes) process.exit(1);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, heed);
  return () => signals.forEach((signal) => process.off(signal, heed));
}

/** For a command that is interrupted: what it has begun is put away, and it ends as the signal would have ended it. */
export const putAwayOnSignal = (putAway: () => Promise<unknown>): (() => void) =>
  stopOnSignal(async (signal) => {
    await putAway();
    process.exit(128 + constants.signals[signal]);
  });

function fail(error: unknown): never {
  process.stderr.write(`dogwatch: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
