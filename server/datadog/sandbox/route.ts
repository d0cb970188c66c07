/** The routes of the sandbox: which host and path, which keys it takes, and the function that answers. */

import type { IncomingHttpHeaders } from "node:http";
import createRouter from "find-my-way";
import type { z } from "zod";
import { type Answer, refused } from "./answer.ts";
import type { Json } from "./json.ts";

/** A request once it is known where it goes and its body is decoded. */
export type Asked = {
  /** As it was asked for, encoded. */
  readonly path: string;
  /** Path parameters by the template's names, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body as JSON; undefined when there was none or it is something else. */
  readonly json: Json | undefined;
  /** The body's bytes, after `Content-Encoding`. */
  readonly bytes: Buffer;
};

export type Handler = (asked: Asked) => Answer;

export type Keys = "both" | "api" | "none";

export type Route = {
  /** Prefix of the Datadog host: `api`, `http-intake.logs`. */
  readonly host: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/api/v1/monitor/{monitor_id}` */
  readonly path: string;
  readonly keys: Keys;
  readonly handle: Handler;
};

const on =
  (method: Route["method"]) =>
  (path: string, handle: Handler): Route => ({ host: "api", method, path, keys: "both", handle });

export const get = on("GET");
export const post = on("POST");
export const put = on("PUT");
export const patch = on("PATCH");
export const del = on("DELETE");

/** For routes that ask for the API key alone, as submissions and `validate` do. */
export const withApiKeyAlone = (route: Route): Route => ({ ...route, keys: "api" });

/** For routes on another host than `api.<site>`; intakes take the API key alone. */
export const onIntake = (host: string, route: Route): Route => ({ ...route, host, keys: "api" });

/** Parses the body at the door: what does not fit is answered with 400 and the place that is wrong. */
export const accept = <T>(asked: Asked, schema: z.ZodType<T>, handle: (body: T) => Answer): Answer => {
  const parsed = schema.safeParse(asked.json);
  if (parsed.success) return handle(parsed.data);
  return refused(
    400,
    ...parsed.error.issues.map(({ path, message }) =>
      path.length === 0
        ? `Invalid request body: ${message}`
        : `The value provided for parameter '${path.join(".")}' is invalid: ${message}`,
    ),
  );
};

/** For routes under one resource: looks it up, or answers 404. */
export const looking =
  <T>(find: (asked: Asked) => T | undefined, missing: (asked: Asked) => string) =>
  (handle: (found: T, asked: Asked) => Answer): Handler =>
  (asked) => {
    const found = find(asked);
    return found === undefined ? refused(404, missing(asked)) : handle(found, asked);
  };

/** A decimal path parameter; NaN (which no shelf holds) for anything else. */
export const numeric = (param: string | undefined): number =>
  param !== undefined && /^\d{1,15}$/.test(param) ? Number(param) : Number.NaN;

/** A non-negative whole number from the query; `otherwise` when absent or not one. */
export const count = (asked: Asked, name: string, otherwise: number): number => {
  const value = asked.query.get(name);
  return value !== null && /^\d{1,12}$/.test(value) ? Number(value) : otherwise;
};

/** The part of a list that `offset` and `limit` name. */
export const slice = <T>(items: readonly T[], page: { offset: number; limit: number }): readonly T[] =>
  items.slice(page.offset, page.offset + page.limit);

type Found = { readonly route: Route; readonly params: Readonly<Record<string, string>> };

/** Finds routes by host prefix; `null` is a host that is not Datadog's, which serves the routes of all. */
export type Directory = { find(host: string | null, method: string, path: string): Found | undefined };

export const createDirectory = (routes: readonly Route[]): Directory => {
  const byHost = Map.groupBy(routes, (route) => route.host);
  // A table is made when its host is first asked for: most callers know one.
  const tables = new Map<string | null, ReturnType<typeof createTable>>();
  const tableOf = (host: string | null): ReturnType<typeof createTable> | undefined => {
    const own = host === null ? routes : byHost.get(host);
    if (own === undefined) return undefined;
    const table = tables.get(host) ?? createTable(own);
    tables.set(host, table);
    return table;
  };
  return { find: (host, method, path) => tableOf(host)?.(method, path) };
};

const createTable = (routes: readonly Route[]): ((method: string, path: string) => Found | undefined) => {
  const router = createRouter({ ignoreTrailingSlash: true, maxParamLength: 2000 });
  for (const route of routes) {
    const pattern = route.path.replace(/\{(\w+)\}/g, ":$1");
    // Two hosts may have the same path (`/v1/input`); where all are served together the first one answers.
    if (!router.hasRoute(route.method, pattern)) router.on(route.method, pattern, () => {}, route);
  }
  return (method, path) => {
    const found = router.find(method as Route["method"], path);
    return found === null ? undefined : { route: found.store as Route, params: found.params as Record<string, string> };
  };
};
