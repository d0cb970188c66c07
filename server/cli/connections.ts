/** The words after `dogwatch connections`: what a configuration leads to. */

import type { Command } from "commander";
import { answer } from "./answer.ts";

export const addConnectionsCommand = (program: Command): void => {
  program
    .command("connections")
    .description("list the Datadog organizations of a configuration: name, kind, site and address, never a key")
    .option("-c, --config <file>", "configuration (default: dogwatch.yaml)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Exit codes: 0 done · 2 wrong usage or configuration

Examples:
  dogwatch connections
  dogwatch connections --config /etc/dogwatch/dogwatch.yaml --json`,
    )
    .action(async ({ config, ...options }: { config?: string; json?: true }) => {
      const { connections } = await import("./connections/list.ts");
      const request = { ...options, ...(config !== undefined && { file: config }), env: process.env };
      await answer(async () => connections(request));
    });
};
