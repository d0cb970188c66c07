/** `dogwatch github setup`: makes the GitHub App with a browser's help, stores it, waits until it is installed, and tries it. */

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type Environment, isConfig, loadConfig } from "../../config/load.ts";
import { hasKeptApp, keepApp, whyNotKept } from "../../config/keepApp.ts";
import { GatewayError } from "../../errors.ts";
import { apiAddress, reach } from "../../github/manifest.ts";
import type { AppTrial } from "../../github/trial.ts";
import { type Created, type SetupAsked, whyNot } from "../../journeys/setup.ts";
import type { Config } from "../../model/config.ts";
import { GitHubFailure } from "../../model/github.ts";
import { type CreatedApp, type PullName, pullName } from "../../model/gitHubApp.ts";
import { namesTeams, trialOf, webOf } from "../../setup.ts";
import type { Answer } from "../answer.ts";
import { explainMissing } from "../check.ts";
import { listProblems, readable, wrongUsage } from "../words.ts";
import { type Desk, NobodyCame, openDesk } from "./desk.ts";
import { type Outcome, report } from "./report.ts";
import type { SetupWorld } from "./world.ts";

export type SetupRequest = {
  readonly config: string;
  readonly url?: string;
  readonly org?: string;
  readonly name?: string;
  readonly issues?: true;
  readonly verify?: string;
  readonly replace?: true;
  readonly port?: string;
  readonly wait: string;
  readonly json?: true;
};

/** ms between two looks at where the App is installed; GitHub's limits bear more. */
const lookEvery = 3_000;

export async function setUpGitHub(request: SetupRequest, world: SetupWorld): Promise<Answer> {
  const { config: file } = request;
  if (!existsSync(file)) return { exitCode: 2, output: explainMissing(file) };
  const config = loadConfig(file, lenient(world.env));
  if (!isConfig(config)) return listProblems(config);
  const wanted = wantedOf(request);
  if (typeof wanted === "string") return wrongUsage(wanted);
  try {
    const outcome = await carryOut(config, { request, wanted, world });
    return "exitCode" in outcome ? outcome : report(outcome, { json: request.json, file });
  } catch (error) {
    if (error instanceof GitHubFailure && error.kind !== "refused")
      throw new GatewayError("upstream_unreachable", `GitHub cannot be reached: ${error.message}`);
    if (error instanceof GitHubFailure) return wrongUsage(error.message);
    if (error instanceof NobodyCame) return { exitCode: 1, output: `${error.message}\n` };
    throw error;
  }
}

/** What does not matter for this command need not be set where it is run: nothing that is read here is sent anywhere. */
const lenient = (env: NodeJS.ProcessEnv): Environment =>
  new Proxy(env, { get: (set, name) => (typeof name === "string" ? (set[name] ?? `unset-${name}`) : undefined) });

type Wanted = { readonly pull: PullName | null; readonly port: number; readonly wait: number };

/** One sentence when it is not understood. */
function wantedOf({ verify, port, wait }: SetupRequest): Wanted | string {
  const pull = verify === undefined ? null : pullName(verify);
  if (verify !== undefined && pull === null)
    return `--verify ${JSON.stringify(verify)} is no pull request: write it like acme/shop#7`;
  const number = port === undefined ? 0 : Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    return `--port ${JSON.stringify(port)} is no port: a number up to 65535`;
  const [, count, unit] = /^(\d{1,4})(s|m)$/.exec(wait) ?? [];
  if (count === undefined) return `--wait ${JSON.stringify(wait)} is no time: write it like 15m or 90s`;
  return { pull, port: number, wait: Number(count) * (unit === "m" ? 60_000 : 1_000) };
}

type Work = { readonly request: SetupRequest; readonly wanted: Wanted; readonly world: SetupWorld };

async function carryOut(config: Config, work: Work): Promise<Outcome | Answer> {
  const { request, wanted, world } = work;
  const until = world.now().getTime() + wanted.wait;
  const existing = request.replace === undefined ? (config.github ?? null) : null;
  if (existing === null) {
    const made = await make(config, work, until);
    return "exitCode" in made ? made : followUp(trialOf(sourceOf(made), { config, log: quiet }), work, { made, until });
  }
  const [, unset] = /^unset-(.+)$/.exec(existing.privateKey.reveal()) ?? [];
  if (unset !== undefined) return wrongUsage(`the App's key comes from the environment variable ${unset}: set it here`);
  world.tell(`${request.config} names App ${existing.appId}: it is looked at, and nothing is made.`);
  return followUp(trialOf(existing, { config, log: quiet }), work, { appId: existing.appId, until });
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const sourceOf = ({ app, issues }: Created): NonNullable<Config["github"]> => ({ ...app, issues });

type Known = { readonly until: number } & ({ readonly made: Created } | { readonly appId: string });

/** Waits until it is installed somewhere, and tries it where it was asked to. */
async function followUp(trial: AppTrial, { request, wanted, world }: Work, known: Known): Promise<Outcome> {
  const install_url = await trial.installUrl();
  let installations = await trial.installations();
  if (installations.length === 0)
    world.tell(`Install the App on the repositories whose jobs ask:\n\n  ${install_url}\n`);
  while (installations.length === 0 && world.now().getTime() < known.until) {
    await world.pause(lookEvery);
    installations = await trial.installations();
  }
  const pull = installations.length === 0 ? null : (wanted.pull ?? (await askForPull(request, world)));
  return {
    made: "made" in known ? known.made : null,
    appId: "made" in known ? known.made.app.appId : known.appId,
    install_url,
    installations,
    trial: pull === null ? null : { pull: pullText(pull), ...(await trial.comment(pull)) },
  };
}

async function askForPull({ json, verify }: SetupRequest, world: SetupWorld): Promise<PullName | null> {
  if (json === true || verify !== undefined) return null;
  for (;;) {
    const written = await world.ask("A pull request to write a test comment in (OWNER/REPO#NUMBER, or nothing): ");
    if (written === null || written.trim() === "") return null;
    const pull = pullName(written);
    if (pull !== null) return pull;
    world.tell("That is no pull request: write it like acme/shop#7, or paste its address.");
  }
}

async function make(config: Config, { request, wanted, world }: Work, until: number): Promise<Created | Answer> {
  const { publicUrl, dataDir, file } = config;
  const asked: SetupAsked = {
    web: request.url?.replace(/\/+$/, "") ?? webOf(config),
    organization: request.org ?? null,
    name: request.name ?? `Dogwatch ${request.org ?? new URL(publicUrl).hostname}`.slice(0, 34),
    issues: request.issues === true || config.github?.issues === true,
    existing: request.replace === undefined ? "refuse" : "replace",
  };
  const setup = {
    publicUrl,
    teams: () => namesTeams(config),
    whyNotKept: () => whyNotKept(dataDir),
    hasApp: () => config.github !== undefined || hasKeptApp(dataDir),
    keep: (
      app: CreatedApp,
      { issues, existing }: { readonly issues: boolean; readonly existing: "refuse" | "replace" },
    ) => keepApp(app, { file, dataDir, env: lenient(world.env), issues }, existing),
    fetch: world.fetch,
    audit: () => undefined,
    chance: randomBytes,
  };
  const refusal = whyNot(setup, asked);
  if (refusal !== null) return wrongUsage(`${refusal.refused} ${refusal.mend}`);
  await reach(apiAddress(asked.web) ?? "", world.fetch);
  const desk = await openDesk({
    asked,
    setup,
    port: wanted.port,
    now: world.now,
    tell: (line) => world.tell(readable(line)),
  });
  try {
    world.tell(`Open this in a browser of this machine, within ${request.wait}:\n\n  ${desk.url}\n`);
    const created = await within(desk, until - world.now().getTime(), world);
    world.tell(`GitHub made the App ${readable(created.app.name)}.`);
    return created;
  } finally {
    desk.close();
  }
}

async function within({ created }: Desk, ms: number, { pause }: SetupWorld): Promise<Created> {
  const done = new AbortController();
  const late = pause(ms, done.signal).then(() => {
    throw new NobodyCame("nobody made the App in time: run the command again, with a longer --wait if you need it");
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([created, late]);
  } finally {
    done.abort();
  }
}

const pullText = ({ owner, repo, number }: PullName): string => `${owner}/${repo}#${number}`;
