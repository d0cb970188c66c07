/** Names the Datadog operation that a method and a path mean on one host: a tree of path segments, literals before parameters. */

import type { Access, Operation } from "../model/operation.ts";
import { accessOf } from "./access.ts";
import generated from "./catalogue.generated.json" with { type: "json" };
import { intakeRoutes, keyedInput, otherHosts } from "./intake.ts";

/** One operation as scripts/catalogue.ts found it in the official client. */
export type GeneratedOperation = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** Prefix of the host, where it is not `api`. */
  readonly host?: string;
  /** The client sends it with the API key alone. */
  readonly keys?: "api";
};

/** One operation, wherever it is served. */
export type CatalogueEntry = {
  readonly id: string;
  readonly method: string;
  /** `/api/v1/monitor/{monitor_id}` */
  readonly path: string;
  readonly access: Access;
  /** Host prefixes, the one that the official client uses first. */
  readonly hosts: readonly string[];
};

type Route = { readonly operation: Operation; readonly names: readonly string[] };
type Node = { readonly literals: Map<string, Node>; parameter: Node | undefined; route: Route | undefined };
type Tree = Map<string, Node>;

/** Read only once built: looking up changes nothing and allocates only the answer. */
export type Catalogue = {
  readonly entries: readonly CatalogueEntry[];
  /** By host prefix, then by method. */
  readonly trees: ReadonlyMap<string, ReadonlyMap<string, Node>>;
};

/** The part of a request that says what it means. `path` is raw: percent-encoded, without query. */
export type Target = { readonly method: string; readonly path: string };

/**
 * Not a general router (find-my-way and its like decode a path before they match it, end it at `#`, and answer "no route" to a
 * long parameter): what is matched here are the raw bytes that are forwarded, so that both readers see one path.
 * Throws when two operations claim one route, or a route names a host that no entry knows.
 */
export function buildCatalogue(): Catalogue {
  const entries = [...clientEntries(), ...intakeEntries()];
  const trees = new Map<string, Tree>();
  for (const entry of entries) for (const host of entry.hosts) addRoute(trees, host, entry);
  return { entries, trees };
}

/**
 * The operation of a request to the host with this prefix; an unknown one (`known: false`, access `unknown`) where the catalogue
 * has no such route. A slash at the end changes nothing, and HEAD means what GET means. Throws URIError on broken
 * percent-encoding in a parameter: the classify stage refuses such a path before it asks.
 */
export function lookUp(catalogue: Catalogue, prefix: string, target: Target): Operation {
  const segments = segmentsOf(target.path);
  const tree = catalogue.trees.get(prefix);
  const found = match(tree?.get(target.method), segments);
  if (found !== undefined) return answer(found);
  const got = target.method === "HEAD" ? match(tree?.get("GET"), segments) : undefined;
  return got === undefined ? unknownOperation(target) : { ...answer(got), method: target.method };
}

function answer({ route, values }: Found): Operation {
  if (values.length === 0) return route.operation;
  const params: Record<string, string> = {};
  for (let i = 0; i < values.length; i++) params[route.names[i] ?? ""] = decodeSegment(values[i] ?? "");
  return { ...route.operation, params };
}

/** What is known of a request that the catalogue does not know. */
export const unknownOperation = ({ method, path }: Target): Operation => ({
  id: "unknown",
  name: "unknown",
  api: "",
  version: "",
  access: "unknown",
  method,
  path,
  known: false,
  params: {},
});

/** `/a/b/` → `["a", "b"]`; of several slashes at the end only one is dropped. */
export function segmentsOf(path: string): string[] {
  const end = path.length > 1 && path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(1, end).split("/");
}

/** The official client may be told one base URL for everything, so the API host knows its off-host operations as well. */
function clientEntries(): CatalogueEntry[] {
  return (generated.operations as readonly GeneratedOperation[]).map((operation) => {
    const home = operation.host ?? "api";
    const hosts = [home, "api", "app", "", ...(otherHosts.get(operation.id) ?? [])];
    return {
      id: operation.id,
      method: operation.method,
      path: operation.path,
      access: accessOf(operation),
      hosts: [...new Set(hosts)],
    };
  });
}

/** `AgentIntake.SubmitTraces`, or `v2.DatadogCI.UploadJUnitReport` where the path has a version. */
function intakeEntries(): CatalogueEntry[] {
  const routes = intakeRoutes.map(({ host, method, path, api, name, access }) => {
    const version = /^\/api\/(v[12])\//.exec(path)?.[1];
    const id = version === undefined ? `${api}.${name}` : `${version}.${api}.${name}`;
    const hosts = host === "api" || host === "app" ? [host, host === "api" ? "app" : "", ""] : [host];
    return { id, method, path, access, hosts: [...new Set(hosts)] };
  });
  const keyed = keyedInput.map(({ host, id }) => ({
    id,
    method: "POST",
    path: "/v1/input/{api_key}",
    access: "submit" as const,
    hosts: [host],
  }));
  return [...routes, ...keyed];
}

function addRoute(trees: Map<string, Tree>, host: string, entry: CatalogueEntry): void {
  const tree = trees.get(host) ?? new Map<string, Node>();
  trees.set(host, tree);
  let node = tree.get(entry.method) ?? emptyNode();
  tree.set(entry.method, node);
  const names: string[] = [];
  for (const segment of segmentsOf(entry.path)) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name !== undefined) names.push(name);
    node = name === undefined ? childOf(node, segment) : (node.parameter ??= emptyNode());
  }
  if (node.route !== undefined) {
    throw new Error(`${entry.id} and ${node.route.operation.id} both claim ${entry.method} ${entry.path} on ${host}`);
  }
  node.route = { operation: operationOf(entry), names };
}

const emptyNode = (): Node => ({ literals: new Map(), parameter: undefined, route: undefined });

function childOf(node: Node, literal: string): Node {
  const child = node.literals.get(literal) ?? emptyNode();
  node.literals.set(literal, child);
  return child;
}

function operationOf({ id, method, path, access }: CatalogueEntry): Operation {
  const parts = id.split(".");
  const [name = "", api = "", version = ""] = parts.toReversed();
  return Object.freeze({ id, name, api, version, access, method, path, known: true, params: Object.freeze({}) });
}

type Found = { readonly route: Route; readonly values: readonly string[] };

/** `values`: the parameters taken so far; what a dead end took is given back. */
type Walk = { readonly segments: readonly string[]; readonly values: string[] };

function match(root: Node | undefined, segments: readonly string[]): Found | undefined {
  if (root === undefined) return undefined;
  const walk: Walk = { segments, values: [] };
  const route = descend(root, walk, 0);
  return route === undefined ? undefined : { route, values: walk.values };
}

function descend(node: Node, walk: Walk, depth: number): Route | undefined {
  const segment = walk.segments[depth];
  if (segment === undefined) return node.route;
  const literal = node.literals.get(segment);
  const found = literal === undefined ? undefined : descend(literal, walk, depth + 1);
  if (found !== undefined || node.parameter === undefined || segment === "") return found;
  walk.values.push(segment);
  const route = descend(node.parameter, walk, depth + 1);
  if (route === undefined) walk.values.pop();
  return route;
}

const decodeSegment = (segment: string): string => (segment.includes("%") ? decodeURIComponent(segment) : segment);
