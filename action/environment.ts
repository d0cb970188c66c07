/** The variables that lead Datadog's clients to the relay. */

import type { ProxyVariables } from "./network.ts";
import type { Interception } from "./relay/open.ts";
import { apiHostOf } from "./relay/route.ts";

export type Surroundings = {
  readonly relayUrl: string;
  readonly placeholder: string;
  readonly hosts: readonly string[];
  readonly intercept: Interception;
  /** Variables that name certificate bundles. */
  readonly trust: Readonly<Record<string, string>>;
  /** The proxy the job already had. */
  readonly proxies: ProxyVariables;
};

export const environmentFor = (surroundings: Surroundings): Record<string, string> => {
  const { relayUrl, placeholder, hosts, intercept, trust } = surroundings;
  const site = apiHostOf(hosts).replace(/^api\./, "");
  return {
    DD_API_KEY: placeholder,
    DATADOG_API_KEY: placeholder,
    DD_APP_KEY: placeholder,
    DATADOG_APP_KEY: placeholder,
    // Clients that know a site only: the official ones, datadog-ci.
    DD_SITE: site,
    DATADOG_SITE: site,
    // Clients that take a base URL: datadogpy, dogshell, terraform, pulumi; the Agent; pup.
    DATADOG_HOST: relayUrl,
    DD_HOST: relayUrl,
    DD_DD_URL: relayUrl,
    PUP_MOCK_SERVER: relayUrl,
    ...(intercept === "off" ? {} : trust),
    ...interceptionVariables(surroundings),
  };
};

const interceptionVariables = ({ intercept, relayUrl, hosts, proxies }: Surroundings): Record<string, string> => {
  switch (intercept) {
    case "off":
      return {};
    case "proxy":
      return {
        HTTPS_PROXY: relayUrl,
        https_proxy: relayUrl,
        ...exempt(["127.0.0.1", "localhost", "::1"], proxies),
        // Node 24's own clients read the variables above only when told to.
        NODE_USE_ENV_PROXY: "1",
      };
    case "hosts":
      // A proxy the job already had would look the names up elsewhere.
      return Object.keys(proxies).length === 0 ? {} : exempt(hosts, proxies);
    default:
      return intercept satisfies never;
  }
};

const exempt = (names: readonly string[], proxies: ProxyVariables): Record<string, string> => {
  const before = proxies["no_proxy"] ?? proxies["NO_PROXY"];
  const list = [...(before ? [before] : []), ...names].join(",");
  return { NO_PROXY: list, no_proxy: list };
};

/** What gives later steps of other actions their way out again, once the relay is gone. */
export const restoredProxies = (intercept: Interception, proxies: ProxyVariables): Record<string, string> => {
  if (intercept === "off") return {};
  const changed = [
    "NO_PROXY",
    "no_proxy",
    ...(intercept === "proxy" ? ["HTTPS_PROXY", "https_proxy", "NODE_USE_ENV_PROXY"] : []),
  ];
  return Object.fromEntries(changed.map((name) => [name, proxies[name] ?? ""]));
};
