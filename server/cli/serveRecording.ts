/** The words after `dogwatch serve-recording`: an offline Datadog that answers from what was recorded. */

import type { Command } from "commander";
import { asking } from "./asking.ts";
import type { ServeRecordingOptions } from "./serveRecording/serve.ts";

export const addServeRecordingCommand = (program: Command): void => {
  asking(program.command("serve-recording"))
    .description(
      "answer as Datadog did, offline: a test double for a changed agent, from a session or an export of one",
    )
    .argument(
      "<recording>",
      "id of a session, asked of a gateway; or a file of dogwatch export --format jsonl or --proof",
    )
    .argument("[command...]", "a command to run against it, after --; without one it serves until Ctrl-C")
    .option("--session <id>", "which session, of a file that holds several")
    .option("--port <number>", "port on 127.0.0.1 (default: one that is free)")
    .option("--strict", "a request is a recorded one if every value is equal (default: times may be others)")
    .option("--loose", "a request is a recorded one if it has the same keys and types")
    .addHelpText(
      "after",
      `
A request that was not recorded is answered with 403 and the recorded call that is closest to it, field by field.
docs/serve-recording.md says what counts as the same request, and which answer comes when.

Exit codes: 0 all that was asked was recorded · 1 something was not · 2 wrong usage, or not a recording
  · 3 the gateway cannot be reached · of a command that fails, its own

Examples:
  dogwatch serve-recording incident.jsonl -- node agent.mjs
  dogwatch serve-recording 0199c3a1-5f00-7000-8000-000000000001 --gateway https://dogwatch.example.com --port 8126
  dogwatch serve-recording incident.jsonl --loose --json -- npm test`,
    )
    .action(async (recording: string, command: string[], options: ServeRecordingOptions) => {
      await (await import("./serveRecording/serve.ts")).serveRecording(recording, command, options);
    });
};
