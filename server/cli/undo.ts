/** The words after `dogwatch undo`: what would restore what was there before a session, and doing it. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { UndoRequest } from "./undo/ask.ts";

export const addUndoCommand = (program: Command): void => {
  asking(program.command("undo"))
    .description("show what would restore what was there before a session's writes; with --apply, do it")
    .argument("<session>", "id of the session")
    .option("--apply", "do it: policy, approvals and recording apply; run again, it goes on")
    .addHelpText(
      "after",
      `
Exit codes: 0 all of it can be, or is, undone · 1 something cannot, waits for people, failed or conflicts, or there is no such session · 2 wrong usage, or not permitted · 3 the gateway cannot be reached

Examples:
  dogwatch undo 0199c3a1-5f00-7000-8000-000000000001            the plan; nothing is sent
  dogwatch undo 0199c3a1-5f00-7000-8000-000000000001 --apply`,
    )
    .action(async (session: string, options: UndoRequest) => {
      const { undo } = await import("./undo/ask.ts");
      await answer(() => undo(session, options, process.env));
    });
};
