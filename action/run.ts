/** `dogwatch run`: a command whose Datadog calls go through the gateway, wherever it runs; the relay lives in this process and logs live. */

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { TokenAnswer } from "../server/contract.ts";
import { environmentFor } from "./environment.ts";
import { closeSession, explain, type Gateway, GatewayProblem, openSession, openSessionPatiently } from "./gateway.ts";
import {
  fromCommand,
  fromFile,
  fromGitHub,
  IdentityProblem,
  type MintToken,
  reasonOf,
  tokenRequestOf,
} from "./identity.ts";
import {
  defaultApprovalTimeout,
  InputProblem,
  type InterceptChoice,
  interceptions,
  parseDuration,
  parseGatewayUrl,
} from "./inputs.ts";
import { type Log, logTo } from "./log.ts";
import { createNetwork, type Network, proxyVariablesOf } from "./network.ts";
import { type Progress, showProgress } from "./progress.ts";
import { type Interception, openRelay } from "./relay/open.ts";
import { systemClock } from "./relay/session.ts";
import { heedSignals, type Signals } from "./signals.ts";
import { writeTrust } from "./trust.ts";

/** The words after `dogwatch run`, as they were written. */
export type RunOptions = {
  readonly gateway: string;
  readonly tokenFile?: string;
  readonly tokenCommand?: string;
  readonly connection?: string;
  /** What the identity token must be for; default: the gateway's address. */
  readonly audience?: string;
  readonly intercept?: string;
  /** How long one call may wait for a person, as in `30m`. */
  readonly approvalTimeout?: string;
};

/** Exit codes: the command's own, or 128 + the signal that ended it; 2 wrong usage, a refused identity or no such command; 3 the gateway cannot be reached. */
export const runCommand = async (command: readonly string[], options: RunOptions): Promise<number> => {
  // Whoever read what is said may have gone; the command goes on.
  process.stderr.on("error", () => undefined);
  const progress = showProgress(process.stderr, systemClock);
  const log = logTo({ write: (text) => progress.write(`dogwatch: ${text}`) });
  let network: Network | undefined;
  try {
    network = createNetwork(proxyVariablesOf(process.env));
    const plan = planFrom(options, network);
    const open = (session?: string) =>
      openSession(plan.gateway, plan.mint, {
        audience: plan.audience,
        ...(options.connection ? { connection: options.connection } : {}),
        ...(session ? { session } : {}),
      });
    const opened = await openSessionPatiently(() => open(), [500, 2_000]);
    const signals = heedSignals();
    log(`session on connection ${opened.connection}: ${opened.session_url}`);
    const renew = () => open(opened.session_id);
    return await runInSession(command, { ...plan, opened, renew, log, progress, signals });
  } catch (error) {
    log(error instanceof InputProblem ? error.message : explain(error));
    return error instanceof GatewayProblem && error.unavailable ? 3 : 2;
  } finally {
    progress.stop();
    network?.close();
  }
};

type Plan = {
  readonly gateway: Gateway;
  readonly audience: string;
  readonly mint: MintToken;
  readonly intercept: Interception;
  readonly approvalTimeout: number;
};

const planFrom = (options: RunOptions, network: Network): Plan => {
  const url = parseGatewayUrl(options.gateway, "--gateway");
  const audience = options.audience || options.gateway.replace(/\/+$/, "");
  const intercept = interceptionFrom(options.intercept ?? "auto");
  const approvalTimeout = parseDuration(options.approvalTimeout ?? defaultApprovalTimeout, "--approval-timeout");
  const mint = mintFrom(options, audience, network);
  return { gateway: { url, network }, audience, mint, intercept, approvalTimeout };
};

/** Only a machine that is thrown away has its hosts file changed without being asked. */
const interceptionFrom = (text: string): Interception => {
  const choice: InterceptChoice | undefined = interceptions.find((candidate) => candidate === text);
  if (choice === undefined)
    throw new InputProblem(`--intercept is ${JSON.stringify(text)}: it may be ${interceptions.join(", ")}`);
  if (choice === "hosts" && process.getuid?.() !== 0) throw new InputProblem("--intercept hosts needs root: use proxy");
  return choice === "auto" ? "proxy" : choice;
};

/** In a workflow step, GitHub's own offer stands in for the two options. */
const mintFrom = ({ tokenFile, tokenCommand }: RunOptions, audience: string, network: Network): MintToken => {
  if (tokenFile && tokenCommand) throw new InputProblem("--token-file and --token-command are both given: use one");
  if (tokenFile) return fromFile(tokenFile);
  if (tokenCommand) return fromCommand(tokenCommand, audience);
  if (process.env["GITHUB_ACTIONS"] === "true")
    return fromGitHub(tokenRequestOf(process.env, undefined), audience, network);
  throw new IdentityProblem("no identity token: give --token-file FILE or --token-command COMMAND");
};

type Running = Plan & {
  readonly opened: TokenAnswer;
  readonly renew: () => Promise<TokenAnswer>;
  readonly log: Log;
  readonly progress: Progress;
  readonly signals: Signals;
};

const runInSession = async (command: readonly string[], running: Running): Promise<number> => {
  const { gateway, opened, renew, intercept, approvalTimeout, log, progress, signals } = running;
  const directory = await mkdtemp(join(tmpdir(), "dogwatch-run-"));
  const placeholder = randomBytes(32).toString("hex");
  let token = opened.access_token;
  const keepToken = async () => {
    const renewed = await renew();
    token = renewed.access_token;
    return renewed;
  };
  const onStop = () => log("the session is lost: calls are refused from now on");
  try {
    const relay = await openRelay({
      gateway,
      opened,
      renew: keepToken,
      placeholder,
      intercept,
      clock: systemClock,
      log,
      approvalTimeout,
      tell: progress.teller(log),
      onStop,
    });
    try {
      const trust = await writeTrust(directory, relay.certificate, process.env);
      const { proxies } = gateway.network;
      const exported = environmentFor({
        relayUrl: relay.url,
        placeholder,
        hosts: opened.hosts,
        intercept,
        trust,
        proxies,
      });
      return await runToEnd(command, { ...process.env, ...exported }, { log, signals });
    } finally {
      await relay
        .restoreHosts()
        .catch((error: unknown) => log(`the hosts file could not be cleaned (${reasonOf(error as Error)})`));
      await relay.close(5_000);
    }
  } finally {
    await finish(gateway, { token, session: opened.session_id }, log);
    await rm(directory, { recursive: true, force: true });
    signals.stop();
  }
};

const finish = async (
  gateway: Gateway,
  { token, session }: { token: string; session: string },
  log: Log,
): Promise<void> => {
  try {
    const { calls, denied, url } = await closeSession(gateway, token, session);
    log(`session closed: ${calls} calls, ${denied} denied: ${url}`);
  } catch (error) {
    log(`the session could not be closed (it closes itself when idle): ${explain(error)}`);
  }
};

/** With this process's own input and output. Gives the command's exit code, or 128 + the signal that ended it, or that came before it was run. */
export const runToEnd = (
  [program = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  { log, signals }: { readonly log: Log; readonly signals: Signals },
): Promise<number> =>
  new Promise((resolve) => {
    if (signals.first !== null) {
      log(`${program} was not run: ${signals.first} came before`);
      return resolve(exitCodeOf(signals.first));
    }
    const child = spawn(program, args, { env, stdio: "inherit" });
    signals.passTo(child);
    child.once("error", (error: NodeJS.ErrnoException) => {
      log(`${program} could not be run (${error.code ?? error.message})`);
      resolve(error.code === "ENOENT" ? 127 : 126);
    });
    child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : exitCodeOf(signal)));
  });

const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
