/** `dogwatch serve`: runs the gateway until it is told to stop, and finishes the calls in flight before it does. */

import { pino } from "pino";
import { startGateway } from "../app.ts";
import { reportStart } from "./explain.ts";
import { stopOnSignal } from "./stop.ts";

export async function serve(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const log = pino({ name: "dogwatch", level: env["LOG_LEVEL"] ?? "info" });
  const starting = startGateway({ file, env, log });
  stopOnSignal(async () => (await starting).close());
  try {
    await starting;
  } catch (error) {
    reportStart(error, { file });
  }
}
