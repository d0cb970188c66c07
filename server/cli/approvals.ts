/** The words after `dogwatch approvals`: what waits for a person, asked of a running gateway. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { ListRequest, ShowRequest } from "./approvals/read.ts";

export const addApprovalsCommands = (program: Command): void => {
  const approvals = program.command("approvals").description("see what waits for a person, and what became of it");
  asking(approvals.command("list"))
    .description("list approvals, newest first")
    .option("--state <state>", "pending, approved, denied, expired, stale, cancelled, consumed or all", "pending")
    .addHelpText(
      "after",
      `${exitCodes("1 is not used")}\n\nExample:\n  dogwatch approvals list --gateway https://dogwatch.example.com`,
    )
    .action(async (options: ListRequest) => {
      const { listApprovals } = await import("./approvals/read.ts");
      await answer(() => listApprovals(options, { env: process.env, now: new Date() }));
    });
  asking(approvals.command("show"))
    .description("show one approval: its state, where it was asked, every attempt to answer")
    .argument("<id>", "its id")
    .addHelpText(
      "after",
      `${exitCodes("1 it was not approved, or there is none")}\n\nExample:\n  dogwatch approvals show 0199c3a1-5f00-7000-8000-000000000001 --json`,
    )
    .action(async (id: string, options: ShowRequest) => {
      const { showApproval } = await import("./approvals/read.ts");
      await answer(() => showApproval(id, options, { env: process.env, now: new Date() }));
    });
};

const exitCodes = (middle: string): string =>
  `\nExit codes: 0 done · ${middle} · 2 wrong usage · 3 the gateway cannot be reached`;
