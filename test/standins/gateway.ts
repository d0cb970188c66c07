/** A small gateway for tests of the job's side: it keeps what it was asked, exchanges tokens, and answers the data plane as it is told. */

import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { CallJson } from "../../server/contract.ts";
import { createDesk, type StandinApprovals } from "./gatewayApprovals.ts";

export type Received = {
  readonly method: string;
  /** Exactly as it was sent. */
  readonly url: string;
  /** `[name, value, …]` */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
};

/** What the data plane answers: `headers` are raw pairs. */
export type Told = { readonly status: number; readonly headers?: readonly string[]; readonly body?: Buffer | string };

export type StandinGateway = {
  readonly url: string;
  /** Everything on the data plane, in order. */
  readonly received: Received[];
  /** The forms sent to /v1/token. */
  readonly exchanges: URLSearchParams[];
  /** Every session token it gave out. */
  readonly tokens: string[];
  readonly closed: string[];
  /** What `GET …/calls` gives. */
  readonly calls: CallJson[];
  readonly approvals: StandinApprovals;
  denied: number;
  /** Every answer ends its connection from now on. */
  closesConnections: boolean;
  /** Seconds. */
  expiresIn: number;
  /** Refuses exchanges from now on; null takes it back. */
  refuse: { readonly status: number; readonly body: unknown } | null;
  close(): Promise<void>;
};

/** Of one site: the API, where datadog-ci uploads, and where logs go. */
export const hostsOfSite = [
  "api.datadoghq.com",
  "app.datadoghq.com",
  "http-intake.logs.datadoghq.com",
  "ci-intake.datadoghq.com",
  "cireport-intake.datadoghq.com",
  "instrumentation-telemetry-intake.datadoghq.com",
  "sourcemap-intake.datadoghq.com",
];

export const startGateway = async (
  answer: (call: Received, request: IncomingMessage, response: ServerResponse) => Told | null = () => ({
    status: 200,
    body: "{}",
  }),
): Promise<StandinGateway> => {
  const server = createServer(
    { maxHeaderSize: 256 * 1024, keepAliveTimeout: 65_000 },
    (request, response) => void take(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tokens: string[] = [];
  const desk = createDesk(() => url, tokens);
  const gateway: StandinGateway = {
    url,
    received: [],
    exchanges: [],
    tokens,
    approvals: desk,
    closed: [],
    calls: [],
    denied: 0,
    closesConnections: false,
    expiresIn: 900,
    refuse: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? "";
    response.shouldKeepAlive &&= !gateway.closesConnections;
    const call = { method: request.method ?? "", url: path, rawHeaders: request.rawHeaders };
    if (path === "/v1/token") return exchange(new URLSearchParams((await buffer(request)).toString()), response);
    const own = /^\/v1\/sessions\/([^/?]+)\/(close|calls)/.exec(path);
    if (own) return serveSession(own[1] as string, own[2] as string, { request, response });
    if (path.startsWith("/v1/approvals/")) return desk.answerPoll(path, { request, response });
    const received = { ...call, body: await buffer(request).catch(() => Buffer.alloc(0)) };
    gateway.received.push(received);
    if (desk.take(received, response)) return;
    const told = answer(received, request, response);
    if (told)
      response.writeHead(told.status, [...(told.headers ?? ["content-type", "application/json"])]).end(told.body);
  };

  const exchange = (form: URLSearchParams, response: ServerResponse): void => {
    gateway.exchanges.push(form);
    if (gateway.refuse) return json(response, gateway.refuse.status, gateway.refuse.body);
    const token = `dws_${randomBytes(32).toString("base64url")}`;
    gateway.tokens.push(token);
    const id = form.get("session") ?? randomUUID();
    json(response, 200, {
      access_token: token,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: gateway.expiresIn,
      session_id: id,
      session_url: `${url}/sessions/${id}`,
      connection: form.get("connection") ?? "prod",
      hosts: hostsOfSite,
    });
  };

  const serveSession = (
    id: string,
    what: string,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
  ): void => {
    request.resume();
    const bearer = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!gateway.tokens.includes(bearer)) return json(response, 401, { errors: ["dogwatch: token_invalid"] });
    if (what === "calls") return json(response, 200, { items: gateway.calls, next_cursor: null });
    gateway.closed.push(id);
    desk.cancel();
    json(response, 200, {
      calls: gateway.calls.length,
      denied: gateway.denied,
      approved: 0,
      masked: 0,
      seal: null,
      url: `${url}/sessions/${id}`,
    });
  };
  return gateway;
};

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

/** A call as the gateway lists it. */
export const callJson = (session: string, n: number, more: Partial<CallJson> = {}): CallJson => ({
  id: `${session}/${n}`,
  session_id: session,
  n,
  url: `https://dogwatch.example.com/sessions/${session}/calls/${n}`,
  operation: "v1.MonitorsApi.ListMonitors",
  access: "read",
  method: "GET",
  host: "api.datadoghq.com",
  path: "/api/v1/monitor",
  query: "",
  state: "closed",
  decision: {
    effect: "allow",
    rules: [{ name: "agents-may-read", effect: "allow", reason: "matched" }],
    near: [],
    tokens: [],
    reason: "allowed",
    policy: "p1",
  },
  response_decision: null,
  approval_id: null,
  status: 200,
  error_code: null,
  error: null,
  upstream: "api.datadoghq.com",
  client: null,
  received_at: "2026-01-01T00:00:00.000Z",
  decided_at: "2026-01-01T00:00:00.001Z",
  forwarded_at: "2026-01-01T00:00:00.002Z",
  first_byte_at: "2026-01-01T00:00:00.040Z",
  done_at: "2026-01-01T00:00:00.050Z",
  request: { headers: [], body: null },
  response: { headers: [], body: null },
  ...more,
});
