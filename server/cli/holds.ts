/** The words after `dogwatch hold` and `dogwatch release`: sessions that retention leaves alone. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { HoldRequest } from "./holds/ask.ts";

export const addHoldCommands = (program: Command): void => {
  const reason = ["--reason <text>", "why; it stays in the audit log"] as const;
  asking(program.command("hold"))
    .description("keep a session and its bodies whatever their age, until it is released")
    .argument("<session>", "id of the session")
    .requiredOption(...reason)
    .addHelpText(
      "after",
      `
Exit codes: 0 held · 1 there is no such session, or its bodies had expired before · 2 wrong usage, or not permitted · 3 the gateway cannot be reached

Example:
  dogwatch hold 0199c3a1-5f00-7000-8000-000000000001 --reason 'INC-4711: legal asked for it'`,
    )
    .action(async (session: string, options: HoldRequest) => {
      const { hold } = await import("./holds/ask.ts");
      await answer(() => hold(session, options, process.env));
    });
  asking(program.command("release"))
    .description("let a session that is held go when it is old")
    .argument("<session>", "id of the session")
    .requiredOption(...reason)
    .addHelpText(
      "after",
      `
Exit codes: 0 released · 1 there is no such session · 2 wrong usage, or not permitted · 3 the gateway cannot be reached

Example:
  dogwatch release 0199c3a1-5f00-7000-8000-000000000001 --reason 'INC-4711 is closed'`,
    )
    .action(async (session: string, options: HoldRequest) => {
      const { release } = await import("./holds/ask.ts");
      await answer(() => release(session, options, process.env));
    });
};
