/** `dogwatch serve-recording`: until it is told to end, or around one command; at the end it says what was asked. */

import { type Log, logTo } from "../../../action/log.ts";
import { GatewayError } from "../../errors.ts";
import { ApiRefused, WrongUsage } from "../api.ts";
import { stopOnSignal } from "../stop.ts";
import { counted } from "../words.ts";
import { openDouble, type OpenDouble, type OpenRequest } from "./open.ts";
import { report } from "./report.ts";

export type ServeRecordingOptions = OpenRequest & { readonly json?: true };

export async function serveRecording(
  source: string,
  command: readonly string[],
  options: ServeRecordingOptions,
): Promise<void> {
  const log = logTo({ write: (text) => process.stderr.write(`dogwatch: ${text}`) });
  try {
    const double = await openDouble(source, options, { env: process.env, log });
    if (double.gaps.length > 0) log(sayGaps(double));
    if (command.length > 0) await aroundCommand(double, command, { log, ...options });
    else untilTold(double, options);
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (exitCode === null || !(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = exitCode;
  }
}

/** Null for what nobody foresaw. */
const exitCodeOf = (error: unknown): 2 | 3 | null => {
  if (error instanceof WrongUsage || error instanceof ApiRefused) return 2;
  return error instanceof GatewayError ? 3 : null;
};

const sayGaps = ({ gaps }: OpenDouble): string => {
  const some = gaps.slice(0, 10).join(", ");
  return `calls ${some}${gaps.length > 10 ? " and more" : ""} are not in this recording: what asks for them is not answered`;
};

/** The command's own exit code, where it has one to tell. */
const aroundCommand = async (
  double: OpenDouble,
  command: readonly string[],
  { log, json }: { readonly log: Log; readonly json?: true },
): Promise<void> => {
  const [{ runToEnd }, { heedSignals }] = await Promise.all([
    import("../../../action/run.ts"),
    import("../../../action/signals.ts"),
  ]);
  const signals = heedSignals();
  try {
    const code = await runToEnd(command, { ...process.env, ...double.environment }, { log, signals });
    const { exitCode, output } = report(double.served(), json);
    process[json ? "stdout" : "stderr"].write(output);
    process.exitCode = code === 0 ? exitCode : code;
  } finally {
    await double.close();
    signals.stop();
  }
};

const untilTold = (double: OpenDouble, { json }: ServeRecordingOptions): void => {
  const { name, url, calls, gaps, environment } = double;
  // Before anybody hears of it: they may signal at once.
  stopOnSignal(async () => {
    await double.close();
    const { exitCode, output } = report(double.served(), json);
    await new Promise((written) => process.stdout.write(output, written));
    process.exitCode = exitCode;
  });
  process.stdout.write(
    json
      ? `${JSON.stringify({ recording: name, url, calls, gaps, environment })}\n`
      : `${name}: ${counted(calls, "call")}, served at ${url} until Ctrl-C. For what is to ask it:\n${exported(environment)}`,
  );
};

/** For a shell. */
const exported = (environment: Readonly<Record<string, string>>): string =>
  Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join("");
