/** The words after `dogwatch show`: one session, or one call of it. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { ShowOptions } from "./show/ask.ts";

export const addShowCommand = (program: Command): void => {
  asking(program.command("show"))
    .description("show a session with its calls, or one call with its decision, request and answer")
    .argument("<id>", "id of a session, or SESSION/NUMBER for one of its calls")
    .addHelpText(
      "after",
      `
Exit codes: 0 shown · 1 there is none · 2 wrong usage, or not permitted · 3 the gateway cannot be reached

Examples:
  dogwatch show 0199c3a1-5f00-7000-8000-000000000001 --gateway https://dogwatch.example.com
  dogwatch show 0199c3a1-5f00-7000-8000-000000000001/7 --json`,
    )
    .action(async (id: string, options: ShowOptions) => {
      const { show } = await import("./show/ask.ts");
      await answer(() => show(id, options, process.env));
    });
};
