/** The `dogwatch` command: reads the words after it and hands over to one file a command. */

import { Command, CommanderError, Option } from "commander";
import type { RunOptions } from "../action/run.ts";
import { addApprovalsCommands } from "./cli/approvals.ts";
import type { DemoOptions } from "./cli/demo.ts";
import { addConnectionsCommand } from "./cli/connections.ts";
import { addEvidenceCommands } from "./cli/evidence.ts";
import { addGitHubCommands } from "./cli/github.ts";
import { addHoldCommands } from "./cli/holds.ts";
import { addMaskedValueCommands } from "./cli/maskedValues.ts";
import { addPolicyCommands } from "./cli/policy.ts";
import { addServeRecordingCommand } from "./cli/serveRecording.ts";
import { heedReader } from "./cli/reader.ts";
import { addReplayCommand } from "./cli/replay.ts";
import { addSearchCommand } from "./cli/search.ts";
import { addShowCommand } from "./cli/show.ts";
import { addUndoCommand } from "./cli/undo.ts";
import manifest from "../package.json" with { type: "json" };

const answerOption = (): Option =>
  new Option(
    "--answer <verdict>",
    "what the stand-in's reviewer replies when the job asks; none leaves it to you (default: none, with --once approve)",
  ).choices(["approve", "deny", "none"]);

const program = new Command("dogwatch")
  .description(
    "Stands between autonomous agents and Datadog: decides per operation, keeps the credentials, records every call.",
  )
  .version(manifest.version)
  .showHelpAfterError("(see dogwatch --help)")
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit codes:
  0  done
  1  a finding (something was denied or refused), or a failure nobody foresaw
  2  wrong usage or configuration, or what the configuration names cannot be used
  3  the gateway cannot be reached
  dogwatch run ends with its command's own exit code

Examples:
  dogwatch demo                           see it work, with nothing to configure
  dogwatch check dogwatch.yaml            say what is wrong with a configuration
  dogwatch serve --config dogwatch.yaml   run a gateway
  dogwatch github setup                   make the GitHub App through which people are asked
  dogwatch policy test                    try the rules on the tests beside them
  dogwatch undo SESSION                   show what would take back what a session did
  dogwatch policy backtest new.yaml       say which recorded calls changed rules would decide differently
  dogwatch run --gateway https://dogwatch.example.com --token-file /var/run/token -- ./agent.sh
  dogwatch serve-recording incident.jsonl -- ./agent.sh    try a changed agent against what was recorded, offline`,
  );

program
  .command("serve")
  .description("start the gateway")
  .option("-c, --config <file>", "configuration", "dogwatch.yaml")
  .addHelpText(
    "after",
    `
It is ready when GET /readyz answers 200. SIGTERM or Ctrl-C ends it when the calls in flight are done.
LOG_LEVEL is info if not set; the log is JSON lines on standard output.

Examples:
  dogwatch serve
  DD_API_KEY=… DD_APP_KEY=… dogwatch serve --config /etc/dogwatch/dogwatch.yaml`,
  )
  .action(async ({ config }: { config: string }) => (await import("./cli/serve.ts")).serve(config, process.env));

program
  .command("start", { hidden: true })
  .description("what npm start does: serve dogwatch.yaml where there is one, the demo where there is none")
  .option("--once", "end when the sample job has ended")
  .addOption(answerOption())
  .action(async (options: DemoOptions) => (await import("./cli/start.ts")).start(options));

program
  .command("demo")
  .description("start a gateway with a sandbox Datadog and play one sample workflow job through the real action")
  .option("--once", "end when the sample job has ended; the exit code is the job's")
  .addOption(answerOption())
  .addHelpText(
    "after",
    `
The job deletes a monitor, and waits until somebody answers in the stand-in's pull request or on the approval's page.
It keeps its recordings in ./data, and is what npm start runs where there is no dogwatch.yaml.

Examples:
  dogwatch demo                          you answer
  dogwatch demo --answer deny            the reviewer of the stand-in denies
  dogwatch demo --once                   for scripts: approved, shown, ended`,
  )
  .action(async (options: DemoOptions) => (await import("./cli/demo.ts")).demo(options));

program
  .command("check")
  .description("validate a configuration and say everything that is wrong with it, with line and column")
  .argument("[file]", "configuration", "dogwatch.yaml")
  .option("--json", "print JSON, to standard output also when there are problems")
  .addHelpText(
    "after",
    `
Exit codes: 0 it can be used · 2 it cannot, or there is none

Variables that the file names as \${env:NAME} must be set, as they must be for serve.

Examples:
  dogwatch check
  dogwatch check deploy/dogwatch.example.yaml
  dogwatch check --json`,
  )
  .action(async (file: string, { json }: { json?: true }) => {
    const [{ check }, { examinerOf }] = await Promise.all([import("./cli/check.ts"), import("./rulebook.ts")]);
    const { exitCode, output } = check({ file, env: process.env, examine: examinerOf(), ...(json && { json }) });
    process[exitCode === 0 || json ? "stdout" : "stderr"].write(output);
    process.exitCode = exitCode;
  });

addPolicyCommands(program);
addApprovalsCommands(program);
addConnectionsCommand(program);
addGitHubCommands(program);
addSearchCommand(program);
addShowCommand(program);
addMaskedValueCommands(program);
addServeRecordingCommand(program);
addEvidenceCommands(program);
addHoldCommands(program);
addUndoCommand(program);
addReplayCommand(program);

program
  .command("run")
  .description("run a command whose Datadog calls go through the gateway")
  .requiredOption("-g, --gateway <url>", "address of the gateway")
  .option("--token-file <file>", "file with an identity token, read again for every renewal")
  .option("--token-command <command>", "command that prints an identity token")
  .option("--connection <name>", "connection of the gateway; left out when only one is allowed")
  .option("--audience <audience>", "what the identity token is for; default: the gateway's address")
  .option("--intercept <how>", "proxy, hosts or off: how clients that know only a Datadog site are brought in")
  .option("--approval-timeout <duration>", "how long one call may wait for a person's approval (default: 30m)")
  .argument("<command...>", "the command and its arguments, after --")
  .addHelpText(
    "after",
    `
In a GitHub Actions job with permissions: id-token: write no token option is needed.

Examples:
  dogwatch run --gateway https://dogwatch.example.com --token-file /var/run/secrets/dogwatch/token -- python agent.py
  dogwatch run --gateway https://dogwatch.example.com --connection prod \\
    --token-command 'gcloud auth print-identity-token --audiences=https://dogwatch.example.com' -- ./agent.sh`,
  )
  .action(async (command: string[], options: RunOptions) => {
    process.exitCode = await (await import("../action/run.ts")).runCommand(command, options);
  });

heedReader();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed what is wrong; wrong usage is 2, --help and --version are 0.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
