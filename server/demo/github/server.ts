/** The port of the stand-in: tells API, issuer and pages apart, lets faults happen, and keeps what was asked. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { stringify } from "lossless-json";
import type { Ask, Door } from "./api/door.ts";
import { type Reply, refusal } from "./api/reply.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Issuer } from "./issuer.ts";
import type { Asked, Exchange } from "./requests.ts";
import type { Web } from "./web/visit.ts";

export type Surfaces = {
  readonly door: Door;
  readonly web: Web;
  readonly issuer: Issuer;
  readonly faults: Faults;
  readonly clock: () => Date;
  readonly requests: Asked[];
  readonly onExchange: (exchange: Exchange) => void;
};

const api = "/api/v3";

export const createPort = (surfaces: () => Surfaces): Server =>
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    serve(surfaces(), request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });

async function serve(surfaces: Surfaces, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://standin");
  const body = await buffer(request);
  response.setHeader("date", surfaces.clock().toUTCString());
  if (url.pathname === api || url.pathname.startsWith(`${api}/`))
    return serveApi(surfaces, { request, url, body }, response);
  const issued = await surfaces.issuer.answer(url, request.headers.authorization);
  if (issued !== null) return void send(response, { ...issued, headers: { "cache-control": "no-store" } });
  const page = surfaces.web.answer(request.method ?? "GET", url.pathname, {
    query: url.searchParams,
    form: formOf(request, body),
    headers: headersOf(request),
  });
  response.writeHead(page.status, page.headers).end(page.body);
}

type Incoming = { readonly request: IncomingMessage; readonly url: URL; readonly body: Buffer };

async function serveApi(surfaces: Surfaces, { request, url, body }: Incoming, response: ServerResponse): Promise<void> {
  const { door, faults } = surfaces;
  const json = parseJson(body);
  const ask: Ask = {
    method: request.method ?? "GET",
    path: url.pathname.slice(api.length).replace(/(?<=.)\/$/, "") || "/",
    query: Object.fromEntries(url.searchParams),
    headers: headersOf(request),
    body: json.ok ? json.value : undefined,
  };
  const operation = door.operationOf(ask);
  const fault = faults.take(operation);
  const prevented = preventedBy(fault);
  const { by, reply } =
    prevented === null && json.ok ? await door.answer(ask) : { by: await door.who(ask), reply: null };
  const answer = reply ?? prevented ?? refusal(400, "Problems parsing JSON");
  const goesOut = fault === null || fault.kind === "status" || fault.kind === "late";
  const status = goesOut ? answer.status : 0;
  if (fault?.kind === "late") await fault.until;
  const { authorization: _kept, ...headers } = ask.headers;
  surfaces.requests.push({ ...ask, at: surfaces.clock(), operation, by, headers, status });
  if (fault?.kind === "silent") return;
  if (!goesOut) return void response.destroy();
  const text = send(response, answer);
  surfaces.onExchange({
    method: ask.method,
    path: ask.path,
    query: ask.query,
    requestBody: ask.body,
    status: answer.status,
    responseBody: text === "" ? undefined : JSON.parse(text),
  });
}

/** Null: the request is carried out. */
function preventedBy(fault: Fault | null): Reply | null {
  if (fault === null) return null;
  switch (fault.kind) {
    case "status":
      return refusal(fault.status, fault.message ?? "Server Error", fault.headers);
    case "refused":
    case "silent":
      return { status: 503 };
    case "lost":
    case "late":
      return null;
    default:
      return fault satisfies never;
  }
}

/** What was written. */
function send(response: ServerResponse, { status, headers, body }: Reply): string {
  const text = body === undefined ? "" : (stringify(body) ?? "");
  response.writeHead(status, {
    ...(text === "" ? {} : { "content-type": "application/json; charset=utf-8" }),
    ...headers,
  });
  response.end(text);
  return text;
}

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));

/** Of a page or a program; JSON is read as a form of its values. */
function formOf(request: IncomingMessage, body: Buffer): URLSearchParams {
  if (request.headers["content-type"]?.includes("json") !== true) return new URLSearchParams(body.toString());
  const json = parseJson(body);
  const values = json.ok && typeof json.value === "object" && json.value !== null ? Object.entries(json.value) : [];
  return new URLSearchParams(Object.fromEntries(values.map(([name, value]) => [name, String(value)])));
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

function parseJson(body: Buffer): Parsed {
  if (body.length === 0) return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(body.toString()) };
  } catch {
    return { ok: false };
  }
}
