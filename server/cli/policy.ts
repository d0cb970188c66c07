/** The words after `dogwatch policy`: trying a policy on tables of tests and on what was recorded. */

import type { Command } from "commander";
import type { BacktestRequest } from "./policy/backtest.ts";
import type { SuggestRequest } from "./policy/suggest.ts";
import { answer } from "./answer.ts";

export const addPolicyCommands = (program: Command): void => {
  const policy = program.command("policy").description("try a policy before it is in force");
  addTest(policy.command("test"));
  addBacktest(selecting(policy.command("backtest")));
  addSuggest(selecting(policy.command("suggest")));
};

const addTest = (command: Command): Command =>
  command
    .description("run table tests: what the policy says of requests that nobody sends")
    .argument(
      "[file]",
      "the tests, or the policy they are beside (dogwatch.test.yaml beside dogwatch.yaml)",
      "dogwatch.yaml",
    )
    .option("-c, --config <file>", "configuration that a file with a policy alone belongs to")
    .option("--json", "print JSON")
    .addHelpText("after", exitCodes("1 a test failed"))
    .addHelpText("after", "\nExample:\n  dogwatch policy test dogwatch.test.yaml")
    .action(async (file: string, options: { config?: string; json?: true }) => {
      const { testPolicy } = await import("./policy/test.ts");
      await answer(() => testPolicy({ file, ...options, env: process.env, now: new Date() }));
    });

const addBacktest = (command: Command): Command =>
  command
    .description("decide recorded calls again with a changed policy, and print every decision that changes")
    .argument("<file>", "the changed policy: a configuration, or its policy: alone")
    .option("--every", "print each changed call as well, as it is found")
    .option("--json", "print JSON; with --every one line a call, and the report as the last")
    .addHelpText("after", exitCodes("1 a decision changes"))
    .addHelpText(
      "after",
      "\nExample:\n  dogwatch policy backtest new.yaml --config dogwatch.yaml --since 7d --repo acme/shop",
    )
    .action(async (file: string, options: Omit<BacktestRequest, "file">) => {
      const { backtestPolicy } = await import("./policy/backtest.ts");
      const print = (text: string): void => void process.stdout.write(text);
      await answer(() => backtestPolicy({ file, ...options }, { env: process.env, now: new Date() }, print));
    });

const addSuggest = (command: Command): Command =>
  command
    .description("write the least policy that allows what was recorded")
    .option("--include-destructive", "suggest allow, not approve, for what destroys")
    .addHelpText("after", exitCodes("2 also when nothing was recorded that fits"))
    .addHelpText("after", "\nExample:\n  dogwatch policy suggest --repo acme/shop --since 30d > suggested.yaml")
    .action(async (options: SuggestRequest) => {
      const { suggestPolicy } = await import("./policy/suggest.ts");
      await answer(() => suggestPolicy(options, { env: process.env, now: new Date() }));
    });

const selecting = (command: Command): Command =>
  command
    .option("-c, --config <file>", "configuration of the gateway that recorded (default: dogwatch.yaml)")
    .option("--database <url>", "its database, in place of the configuration's")
    .option("--since <time>", "calls since then: 7d, 12h, 2026-05-04")
    .option("--repo <name>", "calls of this repository, OWNER/NAME or its id; can be given again", collect)
    .option("--session <id>", "calls of this session; can be given again", collect);

const collect = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];

const exitCodes = (middle: string): string =>
  `\nExit codes: 0 done · ${middle} · 2 wrong usage or configuration · 3 the recordings cannot be reached`;
