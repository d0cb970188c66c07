/** `dogwatch serve`: runs the gateway until it is told to stop, and finishes the calls in flight before it does. */

import { existsSync } from "node:fs";
import { pino } from "pino";
import { startGateway } from "../app.ts";
import { explainMissing } from "./check.ts";
import { reportStart } from "./explain.ts";
import { LogLines } from "./logLines.ts";
import { stopOnSignal } from "./stop.ts";

export async function serve(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (!existsSync(file)) {
    process.stderr.write(explainMissing(file));
    process.exit(2);
  }
  const log = pino({ name: "dogwatch", level: env["LOG_LEVEL"] ?? "info" }, new LogLines(1));
  const starting = startGateway({ file, env, log });
  stopOnSignal(async () => (await starting).close());
  try {
    const { url } = await starting;
    // The log is for machines; whoever sits before it should not have to read JSON for this.
    if (process.stderr.isTTY) process.stderr.write(`Dogwatch listens on ${url}; Ctrl-C stops it.\n`);
  } catch (error) {
    reportStart(error, { file, elsewhere: `set \`dataDir\` in ${file} to another folder` });
  }
}
