/** Which of Datadog's sites a recording is of, and which hosts a double speaks for. */

import { hostsOf, prefixOfHost, type Site, sites } from "../../datadog/hosts.ts";
import type { RecordedCall } from "./call.ts";

/** The site to which most of its calls went. */
export const siteOf = (calls: readonly Pick<RecordedCall, "host">[]): Site => {
  const hosts = Map.groupBy(calls, ({ host }) => host);
  const weighed = sites.map((site) => ({
    site,
    calls: [...hosts].reduce((sum, [host, of]) => sum + (prefixOfHost(site, host) === undefined ? 0 : of.length), 0),
  }));
  return weighed.toSorted((one, other) => other.calls - one.calls)[0]?.site ?? "datadoghq.com";
};

export const hostsOfSite = (site: Site): readonly string[] => hostsOf(site);

/** Of every site: what a changed agent asks of another one is not recorded either, and must not reach it. */
export const everyHost = (): readonly string[] => [...new Set(sites.flatMap((site) => hostsOf(site)))];
