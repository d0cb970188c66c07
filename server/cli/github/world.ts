/** What `dogwatch github setup` has of the world: a terminal that may be asked, time, and a way to GitHub. */

import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";

export type SetupWorld = {
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: typeof fetch;
  now(): Date;
  /** ms; ends early, and rejects, when it is called off. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** One line for whoever waits; never a secret. */
  tell(line: string): void;
  /** Null where nobody can be asked. */
  ask(question: string): Promise<string | null>;
};

export const worldOf = ({ env, stdin, stderr }: NodeJS.Process): SetupWorld => ({
  env,
  fetch,
  now: () => new Date(),
  pause: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  tell: (line) => void stderr.write(`${line}\n`),
  ask: async (question) => {
    if (!stdin.isTTY || !stderr.isTTY) return null;
    const terminal = createInterface({ input: stdin, output: stderr });
    try {
      return await terminal.question(question);
    } finally {
      terminal.close();
    }
  },
});
