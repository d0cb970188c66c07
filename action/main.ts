/** The action's first half: opens a session with this job's identity, starts the relay, and leads Datadog's clients to it. */

import { randomBytes } from "node:crypto";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportVariable, info, setFailed, setOutput, setSecret, warning } from "@actions/core";
import type { TokenAnswer } from "../server/contract.ts";
import { environmentFor } from "./environment.ts";
import { explain, GatewayProblem, openSession, openSessionPatiently } from "./gateway.ts";
import { fromGitHub, IdentityProblem, type TokenRequest, tokenRequestOf } from "./identity.ts";
import { InputProblem, type Inputs, readInputs } from "./inputs.ts";
import { canSudo, isHealthy, isRoot, LaunchProblem, type Launched, launchRelay } from "./launch.ts";
import { createNetwork, type Network, proxyVariablesOf } from "./network.ts";
import type { Interception } from "./relay/open.ts";
import type { Setup } from "./relay/setup.ts";
import { keep } from "./state.ts";
import { writeTrust } from "./trust.ts";

const main = async (): Promise<void> => {
  const inputs = readInputs();
  const proxies = proxyVariablesOf(process.env);
  const network = createNetwork(proxies);
  keep("proxies", proxies);
  warnOfKeys();

  const offer = tokenRequestOf(process.env, await readEvent());
  const opened = await openJobSession(inputs, offer, network);
  const placeholder = randomBytes(32).toString("hex");
  setSecret(placeholder);
  const directory = await mkdtemp(join(process.env["RUNNER_TEMP"] || tmpdir(), "dogwatch-"));
  const logFile = join(directory, "relay.log");
  keep("log", logFile);
  const { relay, intercept } = await startRelay({ inputs, opened, offer, placeholder, proxies }, logFile);
  if (!(await isHealthy(network, { url: relay.url, placeholder }))) throw new Error("the relay does not answer");

  const trust = await writeTrust(directory, relay.certificate, process.env);
  const exported = environmentFor({ relayUrl: relay.url, placeholder, hosts: opened.hosts, intercept, trust, proxies });
  for (const [name, value] of Object.entries(exported)) exportVariable(name, value);
  setOutput("session-id", opened.session_id);
  setOutput("session-url", opened.session_url);
  setOutput("relay-url", relay.url);
  setOutput("api-key", placeholder);
  info(`Datadog calls of the steps that follow go through ${relay.url} (intercept: ${intercept})`);
  network.close();
};

/** Milliseconds before the second and the third attempt. */
const pauses = [500, 2_000];

/** What is opened here is known to `post` at once, so that it is closed whatever comes after. */
const openJobSession = async (inputs: Inputs, offer: TokenRequest, network: Network): Promise<TokenAnswer> => {
  const { gatewayUrl, audience, connection } = inputs;
  const mint = async () => {
    const token = await fromGitHub(offer, audience, network)();
    setSecret(token);
    return token;
  };
  const wanted = { audience, ...(connection ? { connection } : {}) };
  const open = () => openSession({ url: gatewayUrl, network }, mint, wanted);
  const opened = await openSessionPatiently(open, pauses);
  setSecret(opened.access_token);
  const { session_id: id, session_url: url } = opened;
  keep("session", { id, url, gateway: gatewayUrl.href, audience, connection: opened.connection });
  info(`Dogwatch session on connection ${opened.connection}: ${url}`);
  return opened;
};

/** A key that the job still has is a key that its code can use around the gateway. */
const warnOfKeys = (): void => {
  const present = ["DD_API_KEY", "DATADOG_API_KEY", "DD_APP_KEY", "DATADOG_APP_KEY"].filter(
    (name) => process.env[name],
  );
  if (present.length === 0) return;
  warning(
    `${present.join(" and ")} is set in this job; later steps get Dogwatch's placeholder instead: remove the secret from the workflow`,
  );
};

type Start = {
  readonly inputs: Inputs;
  readonly opened: TokenAnswer;
  readonly offer: TokenRequest;
  readonly placeholder: string;
  readonly proxies: Setup["proxies"];
};

/** `auto` prefers the hosts file where the runner is thrown away after the job, and makes do with the proxy. */
const startRelay = async (start: Start, logFile: string): Promise<{ relay: Launched; intercept: Interception }> => {
  const { inputs, offer, opened, placeholder, proxies } = start;
  const launch = async (intercept: Interception) => {
    const identity = { ...offer, audience: inputs.audience };
    const { approvalTimeout } = inputs;
    const told = {
      gateway: inputs.gatewayUrl.href,
      opened,
      placeholder,
      intercept,
      approvalTimeout,
      identity,
      proxies,
    };
    const note = ({ url, pid }: Launched) => keep("relay", { url, pid, placeholder, intercept });
    return { relay: await launchRelay(told, logFile, note), intercept };
  };
  if (inputs.intercept !== "auto") {
    if (inputs.intercept === "hosts") requireRights();
    return launch(inputs.intercept);
  }
  const hosted = process.env["RUNNER_ENVIRONMENT"] === "github-hosted" && process.platform !== "win32";
  if (!hosted || !(isRoot() || canSudo())) return launch("proxy");
  try {
    return await launch("hosts");
  } catch (error) {
    warning(
      `intercept: hosts did not work (${error instanceof Error ? error.message : String(error)}); using intercept: proxy`,
    );
    return launch("proxy");
  }
};

const requireRights = (): void => {
  if (process.platform === "win32")
    throw new InputProblem("the input intercept is hosts, which Windows runners cannot do: use proxy");
  if (isRoot() || canSudo()) return;
  throw new InputProblem(
    "the input intercept is hosts, which needs root or sudo without a password on the runner: use proxy",
  );
};

const readEvent = async (): Promise<unknown> => {
  const path = process.env["GITHUB_EVENT_PATH"];
  if (!path) return undefined;
  return readFile(path, "utf8")
    .then(JSON.parse)
    .catch(() => undefined);
};

/** `on-unavailable: skip` covers what the workflow's author cannot help: a gateway that is away, a run that has no identity. */
const isUnavailable = (error: unknown): boolean =>
  (error instanceof GatewayProblem && error.unavailable) || (error instanceof IdentityProblem && error.fork);

const wantsSkip = (): boolean => {
  try {
    return readInputs().onUnavailable === "skip";
  } catch {
    return false;
  }
};

try {
  await main();
} catch (error) {
  const known = error instanceof InputProblem || error instanceof LaunchProblem;
  const message = known ? error.message : explain(error);
  if (isUnavailable(error) && wantsSkip()) warning(`Dogwatch is not used in this job: ${message}`);
  else setFailed(message);
}
