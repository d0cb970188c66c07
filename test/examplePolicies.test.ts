/** The policies in docs/examples/policies do what their first lines say. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { formatProblem } from "../server/config/load.ts";
import { buildCatalogue } from "../server/datadog/catalogue.ts";
import type { Operation } from "../server/model/operation.ts";
import { readRulebook } from "../server/rulebook.ts";
import { decide, needsBody } from "../server/stages/decide/decide.ts";
import type { Facts } from "../server/stages/decide/facts.ts";
import { readJson } from "../server/model/json.ts";
import { allowanceOf } from "../server/stages/decide/limit.ts";
import type { Policy } from "../server/stages/decide/policy.ts";

const folder = new URL("../docs/examples/policies/", import.meta.url);
const catalogue = buildCatalogue();

const rest = {
  identity: { issuers: [{ name: "github", issuer: "https://issuer.example", allow: "true" }] },
  connections: [{ name: "prod", kind: "live", site: "datadoghq.com", apiKey: "a", appKey: "b" }],
  publicUrl: "https://dogwatch.example.com",
};

const policyIn = (name: string): Policy => {
  const directory = mkdtempSync(join(tmpdir(), "dogwatch-example-"));
  try {
    const file = join(directory, "dogwatch.yaml");
    writeFileSync(file, stringify({ ...rest, ...(parse(readFileSync(new URL(name, folder), "utf8")) as object) }));
    const rulebook = readRulebook(file, {}, catalogue);
    if (Array.isArray(rulebook)) throw new Error(rulebook.map(formatProblem).join("\n"));
    return rulebook.policy;
  } finally {
    rmSync(directory, { recursive: true });
  }
};

const operationNamed = (name: string, params: Record<string, string> = {}): Operation => {
  const entry = catalogue.entries.find(({ id }) => id.endsWith(`.${name}`) || id === name);
  if (entry === undefined) throw new Error(`there is no ${name}`);
  const [last = "", api = "", version = ""] = entry.id.split(".").toReversed();
  return { ...entry, name: last, api, version, known: true, params };
};

type Asked = {
  readonly operation: Operation | string;
  readonly body?: string;
  readonly claims?: Record<string, unknown>;
  readonly groups?: readonly string[];
  readonly now?: string;
  readonly kind?: "live" | "sandbox";
};

const ask = (
  policy: Policy,
  { operation, body = "null", claims = {}, groups = [], now, kind = "live" }: Asked,
): string => {
  const known = typeof operation === "string" ? operationNamed(operation) : operation;
  const facts: Facts = {
    caller: { issuer: "https://issuer.example", issuer_name: "github", subject: "s", groups, claims },
    connection: { name: "prod", kind, site: "datadoghq.com" },
    operation: known,
    request: { method: known.method, path: known.path, query: "", headers: [] },
    body: { value: readJson(body) },
    now: new Date(now ?? "2026-05-04T10:00:00Z"),
  };
  const decided = decide(policy, facts);
  if (needsBody(decided)) throw new Error("the body is there");
  return decided.effect;
};

const unknown: Operation = {
  id: "unknown",
  name: "unknown",
  api: "unknown",
  version: "",
  access: "unknown",
  method: "POST",
  path: "/api/v9/x",
  known: false,
  params: {},
};

test("every example is tested here", () => {
  expect(readdirSync(folder).toSorted()).toEqual([
    "ci-may-submit.yaml",
    "humans-for-writes.yaml",
    "one-teams-monitors.yaml",
    "production-freeze.yaml",
    "read-only-agents.yaml",
  ]);
});

test("read-only agents: everything may be looked at but keys, nothing may be changed", () => {
  const policy = policyIn("read-only-agents.yaml");
  const effects = Map.groupBy(catalogue.entries, ({ id }) => ask(policy, { operation: operationNamed(id) }));
  const allowed = effects.get("allow") ?? [];
  expect(allowed.length).toBeGreaterThan(800);
  expect(allowed.filter(({ access }) => access !== "read")).toEqual([]);
  expect(allowed.filter(({ id }) => id.includes("KeyManagement"))).toEqual([]);
  expect(ask(policy, { operation: "v2.LogsApi.ListLogs" })).toBe("allow");
  expect(ask(policy, { operation: unknown })).toBe("deny");
});

test("CI may submit, and never change", () => {
  const policy = policyIn("ci-may-submit.yaml");
  for (const { id, access } of catalogue.entries) {
    const effect = ask(policy, { operation: operationNamed(id) });
    if (access === "submit") expect([id, effect]).toEqual([id, "allow"]);
    if (access === "destructive") expect([id, effect]).toEqual([id, "deny"]);
    if (access === "write") expect([id, effect]).toEqual([id, id.endsWith("EvaluateQualityGates") ? "allow" : "deny"]);
  }
  expect(ask(policy, { operation: unknown })).toBe("deny");
  expect(policy.limits.get("ci-may-submit")).toEqual({ count: 2000, per: "hour" });
});

test("humans for writes: reading goes, writing asks, mass deletion does not even ask", () => {
  const policy = policyIn("humans-for-writes.yaml");
  expect(ask(policy, { operation: "ListMonitors" })).toBe("allow");
  expect(ask(policy, { operation: "v1.MonitorsApi.CreateMonitor" })).toBe("approve");
  expect(ask(policy, { operation: "DeleteMonitor" })).toBe("approve");
  const ids = (count: number) => JSON.stringify({ public_ids: Array.from({ length: count }, (_, i) => `abc-${i}`) });
  expect(ask(policy, { operation: "v1.SyntheticsApi.DeleteTests", body: ids(10) })).toBe("approve");
  expect(ask(policy, { operation: "v1.SyntheticsApi.DeleteTests", body: ids(11) })).toBe("deny");
  expect(ask(policy, { operation: "v1.SyntheticsApi.DeleteTests", body: "[]" })).toBe("deny");
  expect(ask(policy, { operation: unknown })).toBe("deny");
});

test("one team's monitors: tagged when created, known when changed, and never deaf", () => {
  const policy = policyIn("one-teams-monitors.yaml");
  const checkout = { repository: "acme/checkout" };
  const create = (body: string, claims: Record<string, unknown> = checkout) =>
    ask(policy, { operation: "v1.MonitorsApi.CreateMonitor", body, claims });
  expect(create('{"tags":["team:checkout"]}')).toBe("allow");
  expect(create('{"tags":["team:checkout"]}', { repository: "acme/checkout-web" })).toBe("allow");
  expect(create('{"tags":["team:checkout"]}', { repository: "evil/checkout" })).toBe("deny");
  expect(create('{"tags":["team:checkout"]}', {})).toBe("deny");
  expect(create('{"tags":["team:checkouts"]}')).toBe("deny");
  expect(create("{}")).toBe("deny");
  expect(create('{"tags":["team:checkout"],"options":{"thresholds":{"critical":50}}}')).toBe("deny");
  expect(create('{"tags":["team:checkout"],"options":{"thresholds":{"critical":"9"}}}')).toBe("deny");
  const update = (id: string, body: string) =>
    ask(policy, {
      operation: operationNamed("v1.MonitorsApi.UpdateMonitor", { monitor_id: id }),
      body,
      claims: checkout,
    });
  expect(update("4212", '{"name":"x"}')).toBe("allow");
  expect(update("4212", '{"tags":[]}')).toBe("deny");
  expect(update("1", '{"tags":["team:checkout"]}')).toBe("deny");
  expect(ask(policy, { operation: "ListMonitors" })).toBe("allow");
  expect(ask(policy, { operation: "DeleteMonitor", claims: checkout })).toBe("deny");
  expect(policy.limits.has("checkout-creates-its-own")).toBe(true);
  expect(allowanceOf(policy, { effect: "deny", rules: [], reason: "", policy: "" })).toBeNull();
});

test("production freeze: changes in working hours only, none over the holidays, but for those on call", () => {
  const policy = policyIn("production-freeze.yaml");
  const change = (now: string, more: Partial<Asked> = {}) =>
    ask(policy, { operation: "v1.MonitorsApi.UpdateMonitor", now, ...more });
  expect(change("2026-05-04T10:00:00Z")).toBe("allow");
  expect(change("2026-05-04T15:00:00Z")).toBe("deny");
  expect(change("2026-05-03T10:00:00Z")).toBe("deny");
  expect(change("2026-12-18T10:00:00Z")).toBe("allow");
  expect(change("2026-12-21T10:00:00Z")).toBe("deny");
  expect(change("2027-01-05T15:59:00Z")).toBe("deny");
  expect(change("2027-01-06T10:00:00Z")).toBe("allow");
  expect(change("2026-12-21T10:00:00Z", { groups: ["oncall"] })).toBe("allow");
  expect(change("2026-12-21T10:00:00Z", { kind: "sandbox" })).toBe("allow");
  expect(change("2026-12-21T10:00:00Z", { operation: "ListMonitors" })).toBe("allow");
  expect(change("2026-05-04T10:00:00Z", { operation: unknown })).toBe("deny");
});
