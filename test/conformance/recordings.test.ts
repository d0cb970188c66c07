/** Every exchange that Datadog recorded of its own API passes the gateway unchanged, is named, and is recorded once. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CallJson } from "../../server/contract.ts";
import { type Exchange, loadRecordings, recordingsMissing } from "../standins/recordings.ts";
import { revealer } from "../standins/reveal.ts";
import { type Received, inParallel, send } from "../standins/send.ts";
import { headerOf } from "../standins/upstream.ts";
import { type World, realKeys, startWorld } from "../standins/world.ts";

const recordings = loadRecordings();
const exchanges: readonly Exchange[] = (recordings ?? []).flatMap((recording) => recording.exchanges);

/** What they take or give are keys, tokens, private keys, passwords. */
const operationsWithSecrets = [
  "CreateAPIKey",
  "CreateAWSAccount",
  "CreateCloudflareAccount",
  "CreateConfluentAccount",
  "CreateCurrentUserApplicationKey",
  "CreateGCPIntegration",
  "CreateLogsCustomDestination",
  "CreateOktaAccount",
  "CreatePersonalAccessToken",
  "CreatePublicDashboard",
  "CreateRUMApplication",
  "CreateServiceAccountAccessToken",
  "CreateServiceAccountApplicationKey",
  "CreateSyntheticsAPITest",
  "CreateSyntheticsBrowserTest",
  "DeletePublicDashboard",
  "GetPublicDashboard",
  "SendPublicDashboardInvitation",
  "UpdateAWSAccount",
  "UpdateCloudflareAccount",
  "UpdateConfluentAccount",
  "UpdateGCPIntegration",
  "UpdateLogsCustomDestination",
  "UpdateOktaAccount",
];

describe("the recorded exchanges", () => {
  let world: World;
  let token: string;
  let session: string;
  const received: Received[] = [];
  let calls: ReadonlyMap<number, CallJson>;

  beforeEach(({ skip }) => {
    if (recordings === null) skip(recordingsMissing);
  });

  beforeAll(async () => {
    if (recordings === null) return;
    world = await startWorld((request) => {
      const { response } = exchangeOf(headerOf(request, "x-exchange"));
      return { ...response, headers: [...response.headers, ["X-RateLimit-Remaining", "99"]] };
    });
    ({ access_token: token, session_id: session } = await world.openSession());
    await inParallel(exchanges, 16, async ({ request }, i) => {
      received[i] = await send(world.url, {
        method: request.method,
        target: surfaceOf(request.path) + targetOf(request),
        headers: [
          ["X-Exchange", String(i)],
          ["X-Unknown-Field", "kept, with its Spelling"],
          ...(request.contentType === null ? [] : [["Content-Type", request.contentType] as const]),
          ["DD-API-KEY", token],
          ["DD-APPLICATION-KEY", token],
        ],
        ...(request.body.length === 0 ? {} : { body: request.body }),
      });
    });
    calls = new Map(
      (await world.calls(session)).map((call) => [Number(fieldOf(call.request.headers, "x-exchange")), call]),
    );
  }, 120_000);

  afterAll(() => world?.close());

  test("come back with the same status and the same bytes", () => {
    for (const [i, { request, response }] of exchanges.entries()) {
      const answer = received[i];
      expect(answer?.status, `${request.method} ${request.path}: ${String(answer?.errors)}`).toBe(response.status);
      if (request.method !== "HEAD")
        expect(answer?.body.equals(response.body), `${request.method} ${request.path}`).toBe(true);
      for (const [name, value] of response.headers) expect(answer?.header(name.toLowerCase())).toBe(value);
      expect(answer?.header("x-ratelimit-remaining")).toBe("99");
    }
  });

  test("reach the upstream with the same method, path, query, fields and bytes, and with the connection's keys in place of the token", () => {
    expect(world.upstream.requests).toHaveLength(exchanges.length);
    for (const got of world.upstream.requests) {
      const { request } = exchangeOf(headerOf(got, "x-exchange"));
      expect(got.method).toBe(request.method);
      expect(got.url).toBe(targetOf(request));
      expect(got.body.equals(request.body)).toBe(true);
      expect(headerOf(got, "content-type") ?? null).toBe(request.contentType);
      expect(got.rawHeaders).toContain("X-Unknown-Field");
      const isPublic = request.path === "/";
      expect(headerOf(got, "host")).toBe(isPublic ? "ip-ranges.datadoghq.com" : "api.datadoghq.com");
      expect(headerOf(got, "dd-api-key")).toBe(isPublic ? undefined : realKeys.api);
      expect(headerOf(got, "dd-application-key")).toBe(isPublic ? undefined : realKeys.app);
      expect(got.rawHeaders.join("\n")).not.toContain(token);
    }
  });

  test("are each named by the catalogue", () => {
    const unnamed = [...calls.values()]
      .filter((call) => call.operation === "unknown")
      .map((call) => `${call.method} ${call.path}`);
    expect(unnamed).toEqual([]);
  });

  test("are each in the database once, complete, and numbered without a gap", async () => {
    expect(calls.size).toBe(exchanges.length);
    expect([...calls.values()].map((call) => call.n).toSorted((a, b) => a - b)).toEqual(exchanges.map((_, i) => i + 1));
    for (const [i, { request, response }] of exchanges.entries()) {
      const call = calls.get(i);
      expect(call).toMatchObject({
        method: request.method,
        path: withoutKey(request.path),
        query: request.query,
        state: "closed",
        status: response.status,
      });
      expect(call?.request.body?.size ?? 0).toBe(request.body.length);
      expect(call?.response?.body?.size ?? 0).toBe(response.body.length);
    }
    expect((await world.session(session)).calls).toBe(exchanges.length);
  });

  test("give their bodies back byte for byte", async () => {
    const sample = exchanges.map((exchange, i) => ({ exchange, call: calls.get(i) })).filter((_, i) => i % 20 === 0);
    await inParallel(sample, 8, async ({ exchange, call }) => {
      for (const [side, body] of [
        ["request", exchange.request.body],
        ["response", exchange.response.body],
      ] as const) {
        const response = await world.read(`/v1/sessions/${session}/calls/${call?.n}/${side}/body`);
        expect(response.status).toBe(body.length === 0 ? 404 : 200);
        if (body.length > 0) expect(revealer(world.file)(await response.text())).toBe(body.toString());
      }
    });
  });

  test("hold what only looks like a secret as it was, and of the known secret fields nothing", async () => {
    const masked = [...calls.values()].filter((call) => JSON.stringify(call).includes("dwm_"));
    const names = new Set(masked.map(({ operation }) => operation.split(".").at(-1) ?? ""));
    expect([...names].toSorted()).toEqual(operationsWithSecrets);
    expect((await world.session(session)).masked).toBeGreaterThanOrEqual(masked.length);
  });

  test("leave the token and the keys nowhere: not in the recording, not in the log", async () => {
    const seen = JSON.stringify([...calls.values()]) + world.log.join("\n");
    for (const secret of [token, realKeys.api, realKeys.app]) expect(seen).not.toContain(secret);
  });
});

const exchangeOf = (index: string | undefined): Exchange => {
  const exchange = exchanges[Number(index)];
  if (exchange === undefined) throw new Error(`no exchange ${index}`);
  return exchange;
};

const targetOf = ({ path, query }: Exchange["request"]): string => (query === "" ? path : `${path}?${query}`);

/** The one recorded exchange that is not of the API host is of the list of Datadog's addresses. */
const surfaceOf = (path: string): string => (path === "/" ? "/proxy/ip-ranges.datadoghq.com" : "");

/** Keys in a path are never recorded. */
const withoutKey = (path: string): string =>
  path
    .replace(/^(\/api\/v1\/dashboard\/public\/)[^/]+/, "$1{token}")
    .replace(/^(\/api\/v1\/(?:api|application)_key\/)[^/]+/, "$1{key}")
    .replace(/^(\/api\/v2\/dashboard\/[^/]+\/shared\/secure-embed\/)[^/]+/, "$1{token}");

const fieldOf = (headers: readonly (readonly [string, string])[], wanted: string): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
