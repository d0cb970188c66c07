/** `dogwatch run`: hands the words of the command line to the job's side of Dogwatch. */

import { runCommand, type RunOptions } from "../../action/run.ts";

/** The exit code: the command's own; 2 wrong usage or a refused identity, 3 the gateway cannot be reached. */
export const run = (command: readonly string[], options: RunOptions): Promise<number> => runCommand(command, options);
