/** Signals that ask this process to end: while they are heeded they end the command that it runs, so that what was begun is put away afterwards. */

import type { ChildProcess } from "node:child_process";

const asking = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export type Signals = {
  /** Which one came first; null before there was any. */
  readonly first: NodeJS.Signals | null;
  /** From now on they are this command's. */
  passTo(command: ChildProcess): void;
  /** They end this process again. */
  stop(): void;
};

/** Heeded before anything is begun that has to be put away: whoever sees it may signal at once. */
export const heedSignals = (): Signals => {
  let first: NodeJS.Signals | null = null;
  let command: ChildProcess | undefined;
  const heed = (signal: NodeJS.Signals): void => {
    first ??= signal;
    // A terminal sends its Ctrl-C to the command itself; once is enough.
    if (!(signal === "SIGINT" && process.stdin.isTTY)) command?.kill(signal);
  };
  for (const signal of asking) process.on(signal, heed);
  return {
    get first() {
      return first;
    },
    passTo(child) {
      command = child;
    },
    stop() {
      for (const signal of asking) process.off(signal, heed);
    },
  };
};
