/** What every command that asks a running gateway takes. */

import type { Command } from "commander";

export const asking = (command: Command): Command =>
  command
    .option("-g, --gateway <url>", "address of the gateway (default: DOGWATCH_GATEWAY)")
    .option("--token-file <file>", "file with an access token (default: the token in DOGWATCH_TOKEN)")
    .option("--json", "print JSON");
