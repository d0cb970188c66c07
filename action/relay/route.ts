/** Which path of the gateway a request to the relay means. */

export type Target =
  /** Datadog's API, a named Datadog host, or MCP: sent to the gateway. */
  | { readonly kind: "gateway"; readonly path: string; readonly host: string }
  /** The relay's own questions: is it alive, and the session of this job. */
  | { readonly kind: "own"; readonly path: string }
  | { readonly kind: "refused"; readonly reason: string };

export const ownPrefix = "/dogwatch";

/** `api.<site>`: where a base URL without a host leads. */
export const apiHostOf = (hosts: readonly string[]): string => {
  const host = hosts.find((name) => name.startsWith("api."));
  if (host === undefined) throw new Error("the gateway's answer names no api host for this session");
  return host;
};

const below = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}/`) || path.startsWith(`${prefix}?`);

/**
 * A request that was addressed to the relay itself. The gateway's own API (`/v1`) is not reachable this way: what is
 * not `/api`, `/proxy` or `/mcp` belongs to Datadog's API host, as the Agent's `/intake/` does.
 */
export const routeOfRelay = (path: string, hosts: readonly string[]): Target => {
  if (!path.startsWith("/")) return { kind: "refused", reason: "the request names no path" };
  if (below(path, ownPrefix)) return { kind: "own", path: path.slice(ownPrefix.length) };
  const named = /^\/proxy\/([^/?]*)/.exec(path);
  if (named) return { kind: "gateway", path, host: named[1] as string };
  if (below(path, "/api") || below(path, "/mcp")) return { kind: "gateway", path, host: apiHostOf(hosts) };
  return routeOfHost(apiHostOf(hosts), path);
};

/** A request that was meant for a Datadog host and came to the relay by proxy or by name. */
export const routeOfHost = (host: string, path: string): Target =>
  path.startsWith("/")
    ? { kind: "gateway", path: `/proxy/${host}${path}`, host }
    : { kind: "refused", reason: "the request names no path" };
