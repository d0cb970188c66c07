/** The action's second half, when the job ends: closes the session, stops the relay, says what happened. It never fails the job unless told to. */

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { endGroup, exportVariable, info, setFailed, startGroup, summary, warning } from "@actions/core";
import type { ApprovalJson, CallJson, CloseAnswer } from "../server/contract.ts";
import { restoredProxies } from "./environment.ts";
import { askApproval, closeSession, explain, type Gateway, listCalls, openSession } from "./gateway.ts";
import { fromGitHub, tokenRequestOf } from "./identity.ts";
import { readClosingInputs } from "./inputs.ts";
import { isHealthy, restoreHosts, stopRelay } from "./launch.ts";
import { createNetwork, type Network } from "./network.ts";
import { recall } from "./state.ts";
import { type Recorded, summarize } from "./summary.ts";

/** A summary table beyond this helps nobody; the session's page has them all. */
const mostCalls = 5_000;

type Kept = {
  readonly session: NonNullable<ReturnType<typeof recall<"session">>>;
  readonly relay: ReturnType<typeof recall<"relay">>;
  readonly network: Network;
};

const post = async (): Promise<void> => {
  const session = recall("session");
  if (!session) return info("no Dogwatch session was opened; nothing to close");
  const [relay, proxies] = [recall("relay"), recall("proxies") ?? {}];
  const kept = { session, relay, network: createNetwork(proxies) };

  const recorded = await attempt("read and close the session", () => readAndClose(kept));
  if (relay) {
    await attempt("stop the relay", () => stopRelay(kept.network, relay, 15_000));
    if (relay.intercept === "hosts" && !restoreHosts(session.id))
      warning("Dogwatch could not clean the hosts file of this runner");
    await attempt("give later steps their proxy back", async () => {
      for (const [name, value] of Object.entries(restoredProxies(relay.intercept, proxies)))
        exportVariable(name, value);
    });
  }
  await attempt("print the relay's log", printLog);
  await attempt("write the summary", () => report(kept, recorded));
};

/** One failure here must not keep the rest from being cleaned up. */
const attempt = async <T>(what: string, act: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await act();
  } catch (error) {
    warning(`Dogwatch could not ${what}: ${explain(error)}`);
    return undefined;
  }
};

/** Calls first, should a closed session be one that its token may not read; approvals last, for its end calls off what still waits. */
const readAndClose = async (kept: Kept): Promise<Recorded> => {
  const { gateway, bearer } = await wayToSession(kept);
  const { id } = kept.session;
  const calls = await attempt<CallJson[]>("read the session's calls", () =>
    listCalls(gateway, bearer, { session: id, limit: mostCalls }),
  );
  const totals: CloseAnswer = await closeSession(gateway, bearer, id);
  const approvals = await attempt("read the session's approvals", () =>
    readApprovals(calls ?? [], { gateway, bearer }),
  );
  return { totals, calls: calls ?? null, approvals: approvals ?? null };
};

const mostApprovals = 100;

const readApprovals = async (
  calls: readonly CallJson[],
  { gateway, bearer }: { readonly gateway: Gateway; readonly bearer: string },
): Promise<ApprovalJson[]> => {
  const ids = new Set(calls.flatMap(({ approval_id }) => (approval_id === null ? [] : [approval_id])));
  const approvals: ApprovalJson[] = [];
  for (const id of [...ids].slice(0, mostApprovals))
    approvals.push(await askApproval(gateway, bearer, { id, wait: 0 }));
  return approvals;
};

/** The relay holds the session's token; where the relay is gone, a fresh identity token gets another. */
const wayToSession = async ({ session, relay, network }: Kept): Promise<{ gateway: Gateway; bearer: string }> => {
  if (relay && (await isHealthy(network, relay)))
    return { gateway: { url: new URL(`${relay.url}/dogwatch`), network }, bearer: relay.placeholder };
  warning("the Dogwatch relay is gone before the job's end: calls after that did not reach Datadog");
  const gateway = { url: new URL(session.gateway), network };
  const { audience, connection, id } = session;
  const mint = fromGitHub(tokenRequestOf(process.env, undefined), audience, network);
  const renewed = await openSession(gateway, mint, { audience, connection, session: id });
  return { gateway, bearer: renewed.access_token };
};

const longestLog = 512 * 1024;

/** In a group, and with workflow commands off: clients choose the paths that the log repeats. */
const printLog = async (): Promise<void> => {
  const file = recall("log");
  const text = file ? await readFile(file, "utf8").catch(() => "") : "";
  if (text === "") return;
  startGroup("Dogwatch relay log");
  const fence = randomUUID();
  info(`::stop-commands::${fence}`);
  if (text.length > longestLog) info("… (the beginning is left out)");
  info(text.slice(-longestLog).trimEnd());
  info(`::${fence}::`);
  endGroup();
};

const report = async ({ session }: Kept, recorded: Recorded | undefined): Promise<void> => {
  const { failOnDenied, summary: wanted } = readClosingInputs();
  const denied = recorded?.totals.denied ?? 0;
  if (recorded) info(`Dogwatch session closed: ${recorded.totals.calls} calls, ${denied} denied: ${session.url}`);
  if (failOnDenied && denied > 0)
    setFailed(`Dogwatch denied ${denied} of this job's Datadog calls (fail-on-denied): ${session.url}`);
  if (wanted && process.env["GITHUB_STEP_SUMMARY"]) await summary.addRaw(summarize(session, recorded)).write();
};

await attempt("end this job's session", post);
