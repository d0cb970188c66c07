/** Ends what runs when the process is told to: properly at the first word, at once when it is told again. */

/** One Ctrl-C arrives several times: the terminal signals everybody in it, and npm and npx pass theirs on as well. */
const echoes = 1_000;

/** `close` is called once. The exit code is `process.exitCode`, or 1 when closing failed. */
export function stopOnSignal(close: () => Promise<unknown>): void {
  let told: number | null = null;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (told === null) {
        told = performance.now();
        void close().then(() => process.exit(), fail);
      } else if (performance.now() - told > echoes) process.exit(1);
    });
  }
}

function fail(error: unknown): never {
  process.stderr.write(`dogwatch: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
