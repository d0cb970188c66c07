/** A double, ready to be asked: its recording read, its port open, and the environment that leads Datadog's clients to it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentFor } from "../../../action/environment.ts";
import type { Log } from "../../../action/log.ts";
import { proxyVariablesOf } from "../../../action/network.ts";
import { createAuthority } from "../../../action/relay/authority.ts";
import { writeTrust } from "../../../action/trust.ts";
import { buildCatalogue } from "../../datadog/catalogue.ts";
import type { RecordedCall } from "../../journeys/recorded/call.ts";
import { Double } from "../../journeys/recorded/double.ts";
import { everyHost, hostsOfSite, siteOf } from "../../journeys/recorded/hosts.ts";
import type { Likeness } from "../../journeys/recorded/keys.ts";
import { Recording } from "../../journeys/recorded/recording.ts";
import { WrongUsage } from "../api.ts";
import { listen } from "./listen.ts";
import { type LoadRequest, loadRecording } from "./load.ts";
import type { Served } from "./report.ts";

export type OpenRequest = LoadRequest & {
  readonly port?: string;
  readonly strict?: true;
  readonly loose?: true;
};

export type OpenDouble = {
  readonly name: string;
  readonly url: string;
  readonly calls: number;
  readonly gaps: readonly number[];
  readonly environment: Readonly<Record<string, string>>;
  /** What was asked until now. */
  served(): Served;
  close(): Promise<void>;
};

/** No key at all: every slot may hold anything here. Some clients want one that looks like one. */
const placeholder = "0".repeat(32);

/** @throws WrongUsage, and GatewayError */
export async function openDouble(
  source: string,
  request: OpenRequest,
  { env, log }: { readonly env: NodeJS.ProcessEnv; readonly log: Log },
): Promise<OpenDouble> {
  const [port, likeness] = [portOf(request.port), likenessOf(request)];
  const { name, calls, gaps, close } = await loadRecording(source, request, env);
  const folder = await mkdtemp(join(tmpdir(), "dogwatch-double-"));
  const leave = async (): Promise<void> => {
    await close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { double, recording, site } = await doubleOf(calls, likeness);
    const authority = await createAuthority(everyHost(), Date.now);
    const proxies = proxyVariablesOf(env);
    const listening = await listen({ double, authority, proxies, log }, port).catch((error: unknown) => {
      throw new WrongUsage(`port ${port} cannot be had: ${error instanceof Error ? error.message : String(error)}`);
    });
    const trust = await writeTrust(folder, authority.certificate, env);
    // Whatever was exempt from a proxy before is so here, where it is asked for: in the variables it could let Datadog's names out.
    const wired = { relayUrl: listening.url, placeholder, hosts: hostsOfSite(site), trust, proxies: {} };
    return {
      name,
      url: listening.url,
      calls: recording.calls.length,
      gaps,
      environment: environmentFor({ ...wired, intercept: "proxy" }),
      served: () => ({ name, calls: recording.calls.length, asked: double.asked }),
      close: async () => {
        await listening.close();
        await leave();
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

const doubleOf = async (calls: readonly RecordedCall[], likeness: Likeness) => {
  const catalogue = buildCatalogue();
  const site = siteOf(calls);
  const recording = await Recording.of(calls, catalogue, site);
  return { double: new Double(recording, { catalogue, site, likeness }), recording, site };
};

const portOf = (written: string | undefined): number => {
  if (written === undefined) return 0;
  const port = /^\d{1,5}$/.test(written) ? Number(written) : Number.NaN;
  if (port <= 65_535) return port;
  throw new WrongUsage("--port is a number up to 65535; 0, the default, takes one that is free");
};

const likenessOf = ({ strict, loose }: OpenRequest): Likeness => {
  if (strict && loose) throw new WrongUsage("either --strict or --loose: the one wants every value, the other none");
  if (strict) return "exact";
  return loose ? "shape" : "steady";
};
