/** The words after `dogwatch replay`: a recorded session, sent again to a sandbox. */

import { type Command, Option } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { ReplayOptions } from "./replay/ask.ts";

export const addReplayCommand = (program: Command): void => {
  asking(program.command("replay"))
    .description("send a recorded session again to a sandbox, and compare the answers")
    .argument("<session>", "id of the session")
    .requiredOption("--to <connection>", "connection of kind sandbox; live ones are refused")
    .option("--dry-run", "send nothing: say what would be sent")
    .addOption(
      new Option("--pace <pace>", "recorded: with the pauses that were between the calls")
        .choices(["recorded", "fast"])
        .default("fast"),
    )
    .option("--stop-on-difference", "end at the first call that differs or fails")
    .option("--restore", "send what masks hide instead of made-up values; for admins, and in the audit log")
    .option("--cleanup", "afterwards delete what was created")
    .addHelpText(
      "after",
      `
Exit codes: 0 every answer was the recorded one · 1 something differs, failed, or there is no such session · 2 wrong usage, or not permitted · 3 the gateway cannot be reached

Examples:
  dogwatch replay 0199c3a1-5f00-7000-8000-000000000001 --to sandbox
  dogwatch replay 0199c3a1-5f00-7000-8000-000000000001 --to sandbox --dry-run
  dogwatch replay 0199c3a1-5f00-7000-8000-000000000001 --to sandbox --cleanup --json | jq '.calls[] | select(.outcome != "same")'`,
    )
    .action(async (session: string, options: ReplayOptions) => {
      const { replay } = await import("./replay/ask.ts");
      await answer(() => replay(session, options, process.env));
    });
};
