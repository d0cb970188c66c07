/** The `dogwatch` command: reads the words after it and hands over to one file a command. */

import { Command, CommanderError } from "commander";
import type { RunOptions } from "../action/run.ts";
import { addPolicyCommands } from "./cli/policy.ts";

const program = new Command("dogwatch")
  .description(
    "Stands between autonomous agents and Datadog: decides per operation, keeps the credentials, records every call.",
  )
  .version("0.1.0")
  .showHelpAfterError("(see dogwatch --help)")
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit codes: 0 done · 1 a finding (denied, refused) · 2 wrong usage or configuration · 3 the gateway cannot be reached

Examples:
  dogwatch demo
  dogwatch check dogwatch.yaml
  dogwatch serve --config dogwatch.yaml
  dogwatch policy test dogwatch.test.yaml
  dogwatch policy backtest new.yaml --since 7d
  dogwatch run --gateway https://dogwatch.example.com --token-file /var/run/token -- ./agent.sh`,
  );

program
  .command("serve")
  .description("start the gateway")
  .option("-c, --config <file>", "configuration", "dogwatch.yaml")
  .action(async ({ config }: { config: string }) => (await import("./cli/serve.ts")).serve(config, process.env));

program
  .command("start", { hidden: true })
  .description("what npm start does: serve dogwatch.yaml where there is one, the demo where there is none")
  .option("--once", "end when the sample job has ended")
  .action(async (options: { once?: true }) => (await import("./cli/start.ts")).start(options));

program
  .command("demo")
  .description("start a gateway with a sandbox Datadog and play one sample workflow job through the real action")
  .option("--once", "end when the sample job has ended")
  .action(async (options: { once?: true }) => (await import("./cli/demo.ts")).demo(options));

program
  .command("check")
  .description("validate a configuration and say everything that is wrong with it, with line and column")
  .argument("[file]", "configuration", "dogwatch.yaml")
  .action(async (file: string) => {
    const [{ check }, { examinerOf }] = await Promise.all([import("./cli/check.ts"), import("./rulebook.ts")]);
    const { exitCode, output } = check({ file, env: process.env, examine: examinerOf() });
    process[exitCode === 0 ? "stdout" : "stderr"].write(output);
    process.exitCode = exitCode;
  });

addPolicyCommands(program);

program
  .command("run")
  .description("run a command whose Datadog calls go through the gateway")
  .requiredOption("-g, --gateway <url>", "address of the gateway")
  .option("--token-file <file>", "file with an identity token, read again for every renewal")
  .option("--token-command <command>", "command that prints an identity token")
  .option("--connection <name>", "connection of the gateway; left out when only one is allowed")
  .option("--audience <audience>", "what the identity token is for; default: the gateway's address")
  .option("--intercept <how>", "proxy, hosts or off: how clients that know only a Datadog site are brought in")
  .argument("<command...>", "the command and its arguments, after --")
  .addHelpText("after", "\nIn a GitHub Actions job with permissions: id-token: write no token option is needed.")
  .action(async (command: string[], options: RunOptions) => {
    process.exitCode = await (await import("../action/run.ts")).runCommand(command, options);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed what is wrong; wrong usage is 2, --help and --version are 0.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
