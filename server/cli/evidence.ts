/** The words after `dogwatch export` and `dogwatch verify`: recordings with their proof, and whether they are as they were signed. */

import { type Command, Option } from "commander";
import type { ExportFormat } from "../contract.ts";
import { answer } from "./answer.ts";
import { asking } from "./asking.ts";
import type { ExportRequest } from "./evidence/export.ts";
import type { VerifyRequest } from "./evidence/verify.ts";

/** Written here too: a command that only shows its help loads nothing. */
const formats = ["har", "jsonl", "curl"] satisfies ExportFormat[];

export const addEvidenceCommands = (program: Command): void => {
  asking(program.command("export"))
    .description(
      "write sessions, or what a search finds, to a file; or sessions with their seals to one that proves itself",
    )
    .argument("[sessions...]", "ids of sessions; without --proof one")
    .option("--all", "with --proof: every session that has ended")
    .option("--proof", "with seals and proofs, as JSON Lines for dogwatch verify")
    .addOption(
      new Option("--format <format>", "HTTP Archive 1.2, JSON Lines of calls, or a shell script").choices(formats),
    )
    .option("--search <query>", "with --format: calls that a search finds, instead of a session's")
    .option("--out <file>", "where to; default: standard output")
    .addHelpText(
      "after",
      `
Exit codes: 0 written · 2 wrong usage, or not permitted · 3 the gateway cannot be reached, or broke off

Examples:
  dogwatch export 0199c3a1-5f00-7000-8000-000000000001 --proof --out incident.jsonl
  dogwatch export 0199c3a1-5f00-7000-8000-000000000001 --format har --out incident.har
  dogwatch export --search 'status:5xx after:1d' --format curl --out again.sh
  dogwatch export --all --proof --out everything.jsonl --gateway https://dogwatch.example.com`,
    )
    .action(async (sessions: string[], options: ExportRequest) => {
      const { exportSessions } = await import("./evidence/export.ts");
      await answer(() => exportSessions(sessions, options, process.env));
    });
  asking(program.command("verify"))
    .description("say whether recordings are as they were signed; of a file it needs no network and no database")
    .argument("[file]", "what dogwatch export --proof wrote; - reads standard input")
    .option(
      "--all",
      "without a file: everything that a gateway keeps, read from it now; of a file: it has to be of everything",
    )
    .option("--session <id>", "what was asked for: it has to be in the file; several times for several", collect, [])
    .option(
      "--key <key>",
      "public key of the log, or a file with it; several times for older keys (default: DOGWATCH_LOG_KEY)",
      collect,
      [],
    )
    .option("--anchor <file>", "a checkpoint, or a job summary that shows one; several times for several", collect, [])
    .option("--retention-bodies <duration>", "how long the gateway keeps bodies: none expired before (default: 90d)")
    .option("--retention-receipts <duration>", "how long it keeps receipts (default: 400d)")
    .addHelpText(
      "after",
      `
Each session is anchored (as it was signed, and in the log that an anchor vouches for), unanchored (as it was signed, and no
anchor covers it), missing or altered; what was altered is named as exactly as can be known. The session of a job summary has to be in
the file, unless --session says that others were asked for.

Exit codes: 0 nothing is wrong · 1 something is missing, altered or late · 2 wrong usage · 3 the gateway cannot be reached

Examples:
  dogwatch verify incident.jsonl --session 0199c3a1-5f00-7000-8000-000000000001 --key dogwatch.pub --anchor job-summary.md
  dogwatch verify --all --key dogwatch.example.com/v1/log+1a2b3c4d+AW… --gateway https://dogwatch.example.com --json`,
    )
    .action(async (file: string | undefined, options: VerifyRequest) => {
      const { verifyRecordings } = await import("./evidence/verify.ts");
      await answer(() => verifyRecordings(file, options, process.env));
    });
};

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
