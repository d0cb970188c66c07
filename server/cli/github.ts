/** The words after `dogwatch github`: the App through which people are asked. */

import type { Command } from "commander";
import { answer } from "./answer.ts";
import type { SetupRequest } from "./github/setup.ts";

export const addGitHubCommands = (program: Command): void => {
  program
    .command("github")
    .description("the GitHub App through which people are asked")
    .command("setup")
    .description("make the App, store its key, write the configuration, and try it with a comment")
    .option("-c, --config <file>", "configuration", "dogwatch.yaml")
    .option(
      "--url <url>",
      "https://github.com, https://SUBDOMAIN.ghe.com or a server of your own (default: by the issuers)",
    )
    .option("--org <name>", "organization that owns the App (default: you)")
    .option("--name <name>", "what the App is called, at most 34 characters")
    .option("--issues", "ask in an issue where a run has no pull request (needs issues: write)")
    .option("--verify <pull>", "pull request to write a test comment in, OWNER/REPO#NUMBER")
    .option("--replace", "make another App although there is one; what is stored of the old one is moved aside")
    .option("--port <number>", "port on 127.0.0.1 for the page that the browser opens (default: any)")
    .option("--wait <time>", "how long to wait for you in the browser, in all", "15m")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
It opens a page on 127.0.0.1 that takes you to GitHub, and waits until the App is made and installed. On a machine
without a browser: ssh -L 4711:127.0.0.1:4711 MACHINE, and --port 4711. Where there is an App already it is looked at
and tried, and nothing is made.

Exit codes: 0 done · 1 something is missing: it says what · 2 wrong usage or configuration · 3 GitHub cannot be reached

Examples:
  dogwatch github setup --org acme --verify acme/shop#7
  dogwatch github setup --url https://github.example.com --config /etc/dogwatch/dogwatch.yaml
  dogwatch github setup --verify acme/shop#7          try the App that is configured`,
    )
    .action(async (options: SetupRequest) => {
      const { setUpGitHub } = await import("./github/setup.ts");
      const { worldOf } = await import("./github/world.ts");
      await answer(() => setUpGitHub(options, worldOf(process)));
    });
};
