/** Tells the data plane's requests from all others, by raw request target and Host, before anything decodes them. */

import type { Incoming } from "../journeys/call/parts.ts";

export type DataPlaneTarget = Pick<Incoming, "route" | "target">;

/**
 * `/api/**`, `/proxy/{host}/**`, `/mcp`, and every path of a host under `dataHosts` (`*.dd.example.com`).
 * Null: not the data plane. Nothing is normalized here: what is ambiguous reaches `classify`, which refuses it.
 */
export function dataPlaneTarget(
  url: string,
  host: string | undefined,
  dataHosts: string | undefined,
): DataPlaneTarget | null {
  const prefix = prefixOf(host, dataHosts);
  if (prefix !== null) return { route: { kind: "prefix", prefix }, target: url };
  if (url.startsWith("/api/")) return { route: { kind: "api" }, target: url };
  if (/^\/mcp(?:$|[/?])/.test(url))
    return { route: { kind: "prefix", prefix: "mcp" }, target: `/api/unstable/mcp-server${url}` };
  const named = /^\/proxy\/([^/?]*)(.*)$/s.exec(url);
  if (named === null) return null;
  const [, name = "", rest = ""] = named;
  return { route: { kind: "host", host: name }, target: rest.startsWith("/") ? rest : `/${rest}` };
}

function prefixOf(host: string | undefined, dataHosts: string | undefined): string | null {
  if (host === undefined || dataHosts === undefined) return null;
  const suffix = dataHosts.slice(1);
  // Names of hosts have no case (RFC 9110 §4.2.3).
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name.endsWith(suffix) && name.length > suffix.length ? name.slice(0, -suffix.length) : null;
}
