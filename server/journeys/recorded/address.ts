/** Which call of Datadog a request means: host, path and query as recordings have them, every key taken out, and its operation. */

import { type Catalogue, unknownOperation } from "../../datadog/catalogue.ts";
import { maskPath, takeTokens } from "../../datadog/credentials.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { classify } from "../../stages/classify/classify.ts";

/** As it came. `host`: of Datadog, where the client was led to by its name; null where it was given a base URL. */
export type Arrived = {
  readonly method: string;
  readonly host: string | null;
  /** Path and query. */
  readonly target: string;
  readonly headers: HeaderList;
};

export type Address = {
  readonly method: string;
  /** Null: whichever host of Datadog answers this path. */
  readonly host: string | null;
  readonly path: string;
  readonly query: string;
  readonly operation: Operation;
};

/** As at the gateway: `/proxy/{host}/…` names a host, `/mcp` is Datadog's MCP server, and what else there is belongs to a base URL. */
export const addressOf = (arrived: Arrived, catalogue: Catalogue, site: string): Address => {
  const { method, headers } = arrived;
  const named = arrived.host === null ? /^\/proxy\/([^/?]*)(.*)$/s.exec(arrived.target) : null;
  const host = named?.[1] ?? arrived.host;
  const target = named === null ? withoutBase(arrived) : (named[2] ?? "");
  const mark = target.indexOf("?");
  const written = mark === -1 ? target : target.slice(0, mark);
  const { path, query } = takeTokens({
    headers,
    path: written.startsWith("/") ? written : `/${written}`,
    query: mark === -1 ? "" : target.slice(mark + 1),
  });
  const operation = operationOf({ method, host: host ?? `api.${site}`, path }, catalogue, site);
  return { method, host, path: maskPath(operation, path), query, operation };
};

const withoutBase = ({ host, target }: Arrived): string =>
  host === null && /^\/mcp(?:$|[/?])/.test(target) ? `/api/unstable/mcp-server${target}` : target;

/** A path that could be taken for two calls is no operation here: it is looked for as it stands. */
export const operationOf = (
  call: { readonly method: string; readonly host: string; readonly path: string },
  catalogue: Catalogue,
  site: string,
): Operation => {
  const operation = classify(catalogue, { ...call, site, headers: [] });
  return "code" in operation ? unknownOperation(call) : operation;
};

/** One spelling of a path: what is percent-encoded, and a slash at the end, make no other call of it. */
export const plainPath = (path: string): string => segmentsIn(path).map(encodeURIComponent).join("/");

/** Decoded where that is possible. */
export const segmentsIn = (path: string): string[] => {
  const end = path.length > 1 && path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(1, end).split("/").map(decoded);
};

const decoded = (segment: string): string => {
  if (!segment.includes("%")) return segment.toWellFormed();
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment.toWellFormed();
  }
};
