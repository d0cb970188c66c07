/** The words after `dogwatch search`: recorded calls by what stands in them, or by a value that masks took out. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { SearchOptions } from "./search/ask.ts";

export const addSearchCommand = (program: Command): void => {
  asking(program.command("search"))
    .description("find recorded calls, the newest first")
    .argument("[query...]", 'words, "phrases", fields (status:>=400), -not, OR; docs/search.md has all of it')
    .option(
      "--masked <value>",
      "instead: the value as it was before a mask took it, whole; - reads it from standard input",
    )
    .option("--limit <calls>", "at most so many (default: 50)")
    .addHelpText(
      "after",
      `
Fields: operation access status decision rule repo pr run actor session connection before after duration word

Exit codes: 0 found · 1 in no call · 2 wrong usage · 3 the gateway cannot be reached

Examples:
  dogwatch search checkout status:>=400 after:1d --gateway https://dogwatch.example.com
  dogwatch search '"payment failed" -decision:deny (repo:acme/app OR repo:acme/web)'
  dogwatch search -- -access:read operation:*Monitor duration:>1s
  dogwatch search --masked ann@example.com
  pass show leaked-key | dogwatch search --masked - --json`,
    )
    .action(async (query: string[], options: SearchOptions) => {
      const { search } = await import("./search/ask.ts");
      await answer(() => search(query, options, process.env));
    });
};
