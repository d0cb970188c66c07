/** The words after `dogwatch reveal`: what masks took out, for people with a role. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { RevealRequest } from "./maskedValues/ask.ts";

export const addMaskedValueCommands = (program: Command): void => {
  asking(program.command("reveal"))
    .description("show what a token of a mask stands for; that you asked is written to the audit log first")
    .argument("<token>", "dwm_<kind>_…, whole")
    .requiredOption("--reason <text>", "why it is needed; it stays in the audit log")
    .addHelpText(
      "after",
      `
Exit codes: 0 done · 1 the token stands for nothing · 2 wrong usage, or not permitted · 3 the gateway cannot be reached

Example:
  dogwatch reveal dwm_email_AbC1…@masked.invalid --reason 'INC-4711: who was paged'`,
    )
    .action(async (token: string, options: RevealRequest) => {
      const { revealValue } = await import("./maskedValues/ask.ts");
      await answer(() => revealValue(token, options, process.env));
    });
};
