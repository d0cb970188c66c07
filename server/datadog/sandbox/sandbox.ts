/**
 * A Datadog to try things on: one organization in memory behind the API and the intakes, answering in Datadog's shapes. It keeps
 * what it is told, and says 404 to what it does not know.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostsOf, prefixOfHost, sites } from "../hosts.ts";
import { type Answer, refused } from "./answer.ts";
import { readBody } from "./body.ts";
import type { Chance } from "./ids.ts";
import { writeJson } from "./json.ts";
import { createOrganization, type Organization } from "./organization.ts";
import { createDirectory, type Directory, type Keys } from "./route.ts";
import { routesOf } from "./routes.ts";
import { NoRoom } from "./shelf.ts";

export type SandboxKeys = { readonly apiKey: string; readonly appKey: string };

export type SandboxOptions = {
  readonly clock: () => Date;
  /** Where ids come from; `Math.random` when left out. */
  readonly chance?: Chance;
  /** The only keys that are let in, beside those that the sandbox itself gives out; left out: any key is. */
  readonly keys?: SandboxKeys;
  /** Bytes of documents that fit in; 256 MB when left out, which a job of a few thousand calls never comes near. */
  readonly room?: number;
};

export type ListeningSandbox = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Stops at once; everything it was told is gone. */
  close(): Promise<void>;
};

export type Sandbox = {
  /** On `host` (127.0.0.1) and `port` (0: any free one). */
  listen(port?: number, host?: string): Promise<ListeningSandbox>;
};

/**
 * An empty organization. The Host header of a request says which Datadog host is meant; one that is not Datadog's serves the
 * routes of all of them, for clients that are given this address.
 */
export const createSandbox = ({ clock, chance = Math.random, keys, room = 2 ** 28 }: SandboxOptions): Sandbox => {
  const org = createOrganization({ clock, chance, room });
  const directory = createDirectory(routesOf(org));
  const admits = createGate(org, keys);

  const server = createServer((request, response) => {
    answer({ directory, admits }, request)
      .then((given) => send(request, response, given))
      .catch((error: unknown) => complain(request, response, error));
  });
  return {
    listen: async (port = 0, host = "127.0.0.1") => ({
      url: await listen(server, port, host),
      close: () => close(server),
    }),
  };
};

type Presented = { readonly apiKey: string | undefined; readonly appKey: string | undefined };
type Gate = (needed: Keys, presented: Presented) => boolean;

const createGate =
  (org: Organization, keys: SandboxKeys | undefined): Gate =>
  (needed, { apiKey, appKey }) => {
    const known = (shelf: Organization["apiKeys"], key: string | undefined, given: string | undefined): boolean => {
      if (key === undefined || key === "") return false;
      return given === undefined || key === given || [...shelf.values()].some((made) => made.key === key);
    };
    switch (needed) {
      case "none":
        return true;
      case "api":
        return known(org.apiKeys, apiKey, keys?.apiKey);
      case "both":
        return known(org.apiKeys, apiKey, keys?.apiKey) && known(org.appKeys, appKey, keys?.appKey);
      default:
        return needed satisfies never;
    }
  };

type Door = { readonly directory: Directory; readonly admits: Gate };

const answer = async ({ directory, admits }: Door, request: IncomingMessage): Promise<Answer> => {
  const url = parseTarget(request.url ?? "/");
  const found = url && directory.find(meantHost(request.headers.host ?? ""), request.method ?? "", url.pathname);
  if (url === null || found == null) return refused(404, "Not found");
  const { route, params } = found;
  if (!admits(route.keys, presentedKeys(request, url.searchParams, params))) return refused(403, "Forbidden");
  const body = await readBody(request);
  if ("status" in body) return body;
  return route.handle({ path: url.pathname, params, query: url.searchParams, headers: request.headers, ...body });
};

const parseTarget = (target: string): URL | null => {
  if (!target.startsWith("/")) return null;
  // A second slash would make the first segment a host.
  return URL.parse(`http://sandbox${target.startsWith("//") ? `/.${target}` : target}`);
};

const datadogHosts = new Set(sites.flatMap(hostsOf));

/** The prefix of the Datadog host that is meant; null when the request was simply sent to this address. */
const meantHost = (header: string): string | null => {
  const name = header.replace(/:\d+$/, "").toLowerCase();
  if (!datadogHosts.has(name)) return /\.(?:datadoghq\.com|datadoghq\.eu|ddog-gov\.com)$/.test(name) ? "" : null;
  return sites.map((site) => prefixOfHost(site, name)).find((prefix) => prefix !== undefined) ?? "";
};

/** Every place in which Datadog takes a key. */
const presentedKeys = (
  { headers }: IncomingMessage,
  query: URLSearchParams,
  params: Readonly<Record<string, string>>,
): Presented => {
  const header = (name: string): string | undefined => headers[name]?.toString();
  return {
    apiKey: header("dd-api-key") ?? query.get("api_key") ?? query.get("dd-api-key") ?? params["api_key"] ?? undefined,
    appKey: header("dd-application-key") ?? query.get("application_key") ?? undefined,
  };
};

const send = (request: IncomingMessage, response: ServerResponse, { status, body, contentType }: Answer): void => {
  // What was refused before its body was read: the connection cannot be used again, and Node would read the rest for nothing.
  if (!request.complete) response.setHeader("connection", "close");
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  const bytes = Buffer.from(writeJson(body));
  response.writeHead(status, { "content-type": contentType ?? "application/json", "content-length": bytes.length });
  response.end(bytes);
};

/** A client that went away in the middle of its request hears nothing; a broken route says so. */
const complain = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
  if (!request.complete || response.headersSent) response.destroy();
  else if (error instanceof NoRoom) send(request, response, refused(413, error.message));
  else send(request, response, { status: 500, body: { errors: [`The sandbox broke: ${String(error)}`] } });
};

const listen = async (server: Server, port: number, host: string): Promise<string> => {
  // Longer than the idle time of common clients' pools, so that they never write to a connection that is just being closed.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
};

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
