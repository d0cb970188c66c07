/** Takes the caller's tokens out of a request and puts the connection's real credentials in; the only place that reveals them. */

import { GatewayError } from "../errors.ts";
import type { Connection } from "../model/connection.ts";
import type { Operation } from "../model/operation.ts";
import type { HeaderList } from "../model/receipt.ts";
import { segmentsOf } from "./catalogue.ts";
import { keysOf } from "./hosts.ts";

/** The parts of a request where keys travel. `path` and `query` are raw; `query` is without `?`. */
export type Keyed = { readonly headers: HeaderList; readonly path: string; readonly query: string };

/**
 * A request with its token slots emptied. `tokens` are the distinct values that were in them, in order of appearance; that more
 * than one is too many is for the authenticate stage to say.
 */
export type Stripped = Keyed & { readonly tokens: readonly string[] };

/** Stands in a path where a key was: the path that is classified and recorded. */
export const keyPlaceholder = "{api_key}";

const keyHeaders: ReadonlySet<string> = new Set([
  "dd-api-key",
  "dd-application-key",
  "dd_api_key",
  "dd_application_key",
]);

const keyQueryNames: ReadonlySet<string> = new Set(["api_key", "application_key", "dd-api-key"]);

/** The whole path, so that no other place of a path is ever taken for a slot, or filled like one. */
const inputPath = /^(\/v1\/input\/)([^/]+)(\/?)$/;

/**
 * Empties every slot in which Datadog's clients send keys: `Authorization`, `DD-API-KEY`, `DD-APPLICATION-KEY` (also with
 * underscores), the query parameters `api_key`, `application_key`, `dd-api-key`, and `/v1/input/{key}`. Every other byte and
 * their order stay. An `Authorization` that is not `Bearer` is no token and is dropped all the same: only the connection's
 * credentials ever accompany a call. `path` is the one on the Datadog host.
 */
export function takeTokens({ headers, path, query }: Keyed): Stripped {
  const tokens = new Set<string>();
  const present: Present = (value) => {
    if (value !== undefined && value !== "") tokens.add(value);
  };
  const kept = {
    headers: headers.filter(([name, value]) => !takeHeader(name.toLowerCase(), value, present)),
    path: takePath(path, present),
    query: takeQuery(query, present),
  };
  return { ...kept, tokens: [...tokens] };
}

/**
 * The request as Datadog gets it: both keys for API hosts, the API key alone for intakes, none where a document is public. The
 * names of `keysOf` decide; for a host that is not the connection's this throws `host_not_allowed`, whatever was checked before.
 */
export function putCredentials(connection: Connection, host: string, request: Keyed): Keyed {
  const keys = keysOf(connection.site, host);
  switch (keys) {
    case undefined:
      throw new GatewayError(
        "host_not_allowed",
        `${JSON.stringify(host)} is no host of ${connection.site}: no credentials for it`,
      );
    case "none":
      return { headers: request.headers, path: request.path, query: request.query };
    case "api":
    case "both":
      return withKeys(connection, keys, request);
    default:
      return keys satisfies never;
  }
}

function withKeys(connection: Connection, keys: "api" | "both", request: Keyed): Keyed {
  const apiKey = connection.apiKey.reveal();
  const headers: (readonly [string, string])[] = [...request.headers];
  const [, start, slot, end] = inputPath.exec(request.path) ?? [];
  const inPath = slot === keyPlaceholder;
  if (!inPath) headers.push(["DD-API-KEY", apiKey]);
  if (keys === "both") headers.push(["DD-APPLICATION-KEY", connection.appKey.reveal()]);
  return { headers, path: inPath ? `${start}${encodeURIComponent(apiKey)}${end}` : request.path, query: request.query };
}

type Present = (token: string | undefined) => void;

function takeHeader(name: string, value: string, present: Present): boolean {
  if (name === "authorization") {
    present(/^bearer[ \t]+(.*)$/i.exec(value.trim())?.[1]?.trim());
    return true;
  }
  if (!keyHeaders.has(name)) return false;
  present(value.trim());
  return true;
}

function takePath(path: string, present: Present): string {
  const [, start, key, end] = inputPath.exec(path) ?? [];
  if (start === undefined || key === undefined) return path;
  present(decode(key));
  return `${start}${keyPlaceholder}${end}`;
}

/** Names are compared as the other side decodes them: `api%5Fkey` is `api_key` to Datadog, so it is to us. */
function takeQuery(query: string, present: Present): string {
  if (query === "") return query;
  const kept = query.split("&").filter((pair) => {
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (!keyQueryNames.has(decodeField(name).toLowerCase())) return true;
    if (equals !== -1) present(decodeField(pair.slice(equals + 1)));
    return false;
  });
  return kept.join("&");
}

/** One name or value of a form (WHATWG URL §5.1). */
const decodeField = (text: string): string => decode(text.replaceAll("+", " "));

/** Percent-decoded, or as it stands where that is not possible. */
function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Operations whose path itself holds a key, or a token that opens something to whoever has it: id → name of that parameter. */
export const keyedPathParameters: ReadonlyMap<string, string> = new Map([
  ["v1.KeyManagementApi.GetAPIKey", "key"],
  ["v1.KeyManagementApi.UpdateAPIKey", "key"],
  ["v1.KeyManagementApi.DeleteAPIKey", "key"],
  ["v1.KeyManagementApi.GetApplicationKey", "key"],
  ["v1.KeyManagementApi.UpdateApplicationKey", "key"],
  ["v1.KeyManagementApi.DeleteApplicationKey", "key"],
  ["v1.DashboardsApi.GetPublicDashboard", "token"],
  ["v1.DashboardsApi.UpdatePublicDashboard", "token"],
  ["v1.DashboardsApi.DeletePublicDashboard", "token"],
  ["v1.DashboardsApi.GetPublicDashboardInvitations", "token"],
  ["v1.DashboardsApi.SendPublicDashboardInvitation", "token"],
  ["v1.DashboardsApi.DeletePublicDashboardInvitation", "token"],
  ["v2.DashboardSecureEmbedApi.GetDashboardSecureEmbed", "token"],
  ["v2.DashboardSecureEmbedApi.UpdateDashboardSecureEmbed", "token"],
  ["v2.DashboardSecureEmbedApi.DeleteDashboardSecureEmbed", "token"],
]);

const keyedPlaces =
  /((?:api_key|application_key|dashboard\/public|shared\/secure-embed|v1\/input)(?:\/|\\|%2f|%5c|;)+)[^/\\]+/gi;

/**
 * The path for the recording: `/api/v1/api_key/{key}` in place of the key's value. By position and not by value, so that no
 * spelling of the key (`%61` for `a`) gets past. `path` is the one that was classified. Where classification refused the path or
 * did not know it, whatever follows a place of keys is taken for one.
 */
export function maskPath(operation: Operation, path: string): string {
  if (!operation.known) return path.replace(keyedPlaces, "$1{key}");
  const parameter = keyedPathParameters.get(operation.id);
  if (parameter === undefined) return path;
  const placeholder = `{${parameter}}`;
  const segments = path.split("/");
  segments[segmentsOf(operation.path).indexOf(placeholder) + 1] = placeholder;
  return segments.join("/");
}
