/** Datadog's sites and the exact names of the hosts that belong to each; nothing else is ever served. */

/** https://docs.datadoghq.com/getting_started/site/; the same nine as datadog-ci's `DATADOG_SITES`. */
export const sites = [
  "datadoghq.com",
  "us3.datadoghq.com",
  "us5.datadoghq.com",
  "ap1.datadoghq.com",
  "ap2.datadoghq.com",
  "uk1.datadoghq.com",
  "datadoghq.eu",
  "ddog-gov.com",
  "us2.ddog-gov.com",
] as const;

export type Site = (typeof sites)[number];

/** Which credentials of the connection a host is given: both keys, the API key alone, or nothing. */
export type Keys = "both" | "api" | "none";

/**
 * Every host prefix that is served, and the keys it gets. Intakes get the API key alone, also where a client would send both:
 * an application key can do what its owner can do, and an intake has no use for it.
 */
const keysOfPrefix: ReadonlyMap<string, Keys> = new Map<string, Keys>([
  ["api", "both"],
  ["app", "both"],
  // The bare site, where the web application of a three-label site answers (datadog-ci's flares go there).
  ["", "both"],
  ["navy.oncall", "both"],
  ["quality-gates", "both"],
  ["intake.synthetics", "both"],
  // A public document.
  ["ip-ranges", "none"],
  ["agent-http-intake.logs", "api"],
  ["browser-intake", "api"],
  ["ci-intake", "api"],
  ["cicodescan-intake", "api"],
  ["cireport-intake", "api"],
  ["citestcov-intake", "api"],
  ["citestcycle-intake", "api"],
  ["contimage-intake", "api"],
  ["contlcycle-intake", "api"],
  ["dbm-metrics-intake", "api"],
  ["dbquery-intake", "api"],
  ["event-management-intake", "api"],
  ["gcp-intake.logs", "api"],
  ["http-intake.logs", "api"],
  ["instrumentation-telemetry-intake", "api"],
  ["intake.profile", "api"],
  ["lambda-http-intake.logs", "api"],
  ["llmobs-intake", "api"],
  ["ndm-intake", "api"],
  ["ndmflow-intake", "api"],
  ["netpath-intake", "api"],
  ["orchestrator", "api"],
  ["process", "api"],
  ["sbom-intake", "api"],
  ["snmp-traps-intake", "api"],
  ["sourcemap-intake", "api"],
  ["trace.agent", "api"],
]);

/** On-Call pages live on one host a region, named by colour: https://docs.datadoghq.com/api/latest/on-call-paging/. */
const onCallHosts: Partial<Record<Site, string>> = {
  "us3.datadoghq.com": "teal.oncall.datadoghq.com",
  "us5.datadoghq.com": "coral.oncall.datadoghq.com",
  "ap1.datadoghq.com": "saffron.oncall.datadoghq.com",
  "ap2.datadoghq.com": "lava.oncall.datadoghq.com",
  "datadoghq.eu": "beige.oncall.datadoghq.eu",
};

const prefixesOfSite: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  sites.map((site) => {
    const named = [...keysOfPrefix.keys()].map((prefix) => [nameHost(site, prefix), prefix] as const);
    return [site, new Map(named.filter((entry): entry is [string, string] => entry[0] !== undefined))];
  }),
);

export const isSite = (name: string): name is Site => prefixesOfSite.has(name);

/** Exact names of all hosts of a site; empty for a name that is no site. */
export const hostsOf = (site: string): readonly string[] => [...(prefixesOfSite.get(site)?.keys() ?? [])];

/** `http-intake.logs` on `datadoghq.eu` → `http-intake.logs.datadoghq.eu`; undefined when the site has no such host. */
export const hostOfPrefix = (site: string, prefix: string): string | undefined =>
  isSite(site) && keysOfPrefix.has(prefix) ? nameHost(site, prefix) : undefined;

/** The other way round. The whole name must be one of the site's, byte for byte: no case folding, port or trailing dot. */
export const prefixOfHost = (site: string, host: string): string | undefined => prefixesOfSite.get(site)?.get(host);

/** Which keys a host of this site is given; undefined (and so: none, ever) for any other host. */
export const keysOf = (site: string, host: string): Keys | undefined => {
  const prefix = prefixOfHost(site, host);
  return prefix === undefined ? undefined : keysOfPrefix.get(prefix);
};

function nameHost(site: Site, prefix: string): string | undefined {
  const labels = site.split(".");
  if (prefix === "") return labels.length > 2 ? site : undefined;
  if (prefix === "navy.oncall") return onCallHosts[site] ?? `${prefix}.${site}`;
  // `browser-intake-us3-datadoghq.com`: the Browser SDK turns the dots of the site into dashes, so that no cookie reaches the intake.
  if (prefix === "browser-intake") return `${prefix}-${labels.slice(0, -1).join("-")}.${labels.at(-1)}`;
  return `${prefix}.${site}`;
}
