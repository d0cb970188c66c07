/** Takes the caller's tokens out of a request and puts the connection's real credentials in; the only place that reveals them. */

import { GatewayError } from "../errors.ts";
import type { Connection } from "../model/connection.ts";
import type { Operation } from "../model/operation.ts";
import type { HeaderList } from "../model/receipt.ts";
import { segmentsOf } from "./catalogue.ts";
import { keysOf } from "./hosts.ts";

/** The parts of a request where keys travel. `path` and `query` are raw; `query` is without `?`. */
export type Keyed = { readonly headers: HeaderList; readonly path: string; readonly query: string };

/** A request without its token slots. `tokens`: the distinct values that were in them, in order; more than one is for the caller of this to refuse. */
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

const inputPath = /^(\/v1\/input\/)([^/]+)(\/?)$/;

/**
 * Empties every slot in which Datadog's clients send keys: `Authorization`, `DD-API-KEY`, `DD-APPLICATION-KEY` (also with
 * underscores), the query parameters `api_key`, `application_key`, `dd-api-key`, and `/v1/input/{key}`. Every other byte and
 * their order stay. An `Authorization` that is not `Bearer` is no token and is dropped all the same: only the connection's
 * credentials ever accompany a call.
 */
export function takeTokens({ headers, path, query }: Keyed): Stripped {
  const tokens = new Set<string>();
  const present = (value: string | undefined) => {
    if (value !== undefined && value !== "") tokens.add(value);
  };
  const keptHeaders = headers.filter(([name, value]) => !takeHeader(name.toLowerCase(), value, present));
  const keptPath = path.replace(inputPath, (_, start: string, key: string, end: string) => {
    present(decode(key));
    return `${start}${keyPlaceholder}${end}`;
  });
  return { tokens: [...tokens], headers: keptHeaders, path: keptPath, query: takeQuery(query, present) };
}

/**
 * The request as Datadog gets it: both keys for API hosts, the API key alone for intakes, none where a document is public. The
 * names of `keysOf` decide; for a host that is not the connection's this throws `host_not_allowed`, whatever was checked before.
 */
export function putCredentials(connection: Connection, host: string, stripped: Keyed): Keyed {
  const keys = keysOf(connection.site, host);
  switch (keys) {
    case undefined:
      throw new GatewayError(
        "host_not_allowed",
        `${JSON.stringify(host)} is no host of ${connection.site}: no credentials for it`,
      );
    case "none":
      return { headers: stripped.headers, path: stripped.path, query: stripped.query };
    case "api":
    case "both":
      return withKeys(connection, keys, stripped);
    default:
      return keys satisfies never;
  }
}

function withKeys(connection: Connection, keys: "api" | "both", stripped: Keyed): Keyed {
  const apiKey = connection.apiKey.reveal();
  const headers: (readonly [string, string])[] = [...stripped.headers];
  const path = stripped.path.replace(`/v1/input/${keyPlaceholder}`, () => `/v1/input/${encodeURIComponent(apiKey)}`);
  if (path === stripped.path) headers.push(["DD-API-KEY", apiKey]);
  if (keys === "both") headers.push(["DD-APPLICATION-KEY", connection.appKey.reveal()]);
  return { headers, path, query: stripped.query };
}

function takeHeader(name: string, value: string, present: (token: string | undefined) => void): boolean {
  if (name === "authorization") {
    present(/^bearer[ \t]+(.*)$/i.exec(value.trim())?.[1]?.trim());
    return true;
  }
  if (!keyHeaders.has(name)) return false;
  present(value.trim());
  return true;
}

/** Names are compared as the other side decodes them: `api%5Fkey` is `api_key` to Datadog, so it is to us. */
function takeQuery(query: string, present: (token: string | undefined) => void): string {
  if (query === "") return query;
  const kept = query.split("&").filter((pair) => {
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (!keyQueryNames.has(decode(name).toLowerCase())) return true;
    if (equals !== -1) present(decode(pair.slice(equals + 1)));
    return false;
  });
  return kept.join("&");
}

/** Form decoding (WHATWG URL §5.1) of one name or value; as it stands where that is not possible. */
function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return text;
  }
}

/** Operations whose path itself holds a key or a token that opens something: id → name of that parameter. */
export const keyedPathParameters: ReadonlyMap<string, string> = new Map([
  ...["GetAPIKey", "UpdateAPIKey", "DeleteAPIKey"].map((name) => [`v1.KeyManagementApi.${name}`, "key"] as const),
  ...["GetApplicationKey", "UpdateApplicationKey", "DeleteApplicationKey"].map(
    (name) => [`v1.KeyManagementApi.${name}`, "key"] as const,
  ),
  ...[
    "GetPublicDashboard",
    "UpdatePublicDashboard",
    "DeletePublicDashboard",
    "GetPublicDashboardInvitations",
    "SendPublicDashboardInvitation",
    "DeletePublicDashboardInvitation",
  ].map((name) => [`v1.DashboardsApi.${name}`, "token"] as const),
  ...["GetDashboardSecureEmbed", "UpdateDashboardSecureEmbed", "DeleteDashboardSecureEmbed"].map(
    (name) => [`v2.DashboardSecureEmbedApi.${name}`, "token"] as const,
  ),
]);

/** The path for the recording: `/api/v1/api_key/{key}` in place of the key's value. `path` is the stripped one. */
export function maskPath(operation: Operation, path: string): string {
  const parameter = keyedPathParameters.get(operation.id);
  if (parameter === undefined) return path;
  const placeholder = `{${parameter}}`;
  const position = segmentsOf(operation.path).indexOf(placeholder) + 1;
  return path
    .split("/")
    .map((segment, index) => (index === position ? placeholder : segment))
    .join("/");
}
