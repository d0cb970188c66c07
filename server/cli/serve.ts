/** `dogwatch serve`: runs the gateway until it is told to stop, and finishes the calls in flight before it does. */

import { pino } from "pino";
import { ConfigurationRefused, startGateway } from "../app.ts";

/** The exit code, once there is one; a gateway that runs has none. */
export async function serve(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const log = pino({ name: "dogwatch", level: env["LOG_LEVEL"] ?? "info" });
  try {
    const gateway = await startGateway({ file, env, log });
    stopOnSignal(() => gateway.close());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigurationRefused ? 2 : 1);
  }
}

/** The first signal stops properly, a second one at once. */
export function stopOnSignal(close: () => Promise<void>): void {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      void close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}
