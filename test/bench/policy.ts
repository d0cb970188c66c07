/**
 * What one decision costs: 1,000 rules against a request with a body of 2 KiB, on one core (`npm run bench`).
 * Prints one line for each kind of policy: the mean time of its core that a call takes, and what the clock on the wall says.
 */

import type { RuleSource } from "../../server/model/config.ts";
import { decide, needsBody } from "../../server/stages/decide/decide.ts";
import type { Facts } from "../../server/stages/decide/facts.ts";
import { decodeBody } from "../../server/stages/decide/inspect.ts";
import { compilePolicy, isPolicy, type Policy } from "../../server/stages/decide/policy.ts";

const rulesInAll = 1_000;
const calls = 4_000;

const rule = (index: number, more: Partial<RuleSource>): RuleSource => ({
  name: `r${index}`,
  effect: index % 10 === 0 ? "deny" : "allow",
  when: "true",
  phase: "request",
  observe: false,
  ...more,
});

/** Kinds of policy, from what people write to what a policy can do at worst. */
const kinds: readonly (readonly [name: string, rule: (index: number) => RuleSource, facts?: Partial<Facts>])[] = [
  [
    "a rule for every repository and operation",
    (i) => rule(i, { callers: [{ repository: [String(i)] }], operations: [{ name: [`Operation${i % 97}`] }] }),
  ],
  [
    "shorthands with patterns, and a condition on the body",
    (i) =>
      rule(i, {
        callers: [{ repository: [`acme/app-${i % 50}*`] }],
        operations: [{ name: ["*Monitor"] }],
        when: `request.body.options.thresholds.critical < ${50 + i}`,
      }),
  ],
  [
    "everything at hand: no rule can be put aside before the call",
    (i) =>
      rule(i, {
        when: `request.method == "PUT" && request.params.monitor_id == "${i}" && request.body.priority == ${i}`,
      }),
  ],
  [
    "every rule reads the body, none matches",
    (i) =>
      rule(i, {
        when: `request.body.options.thresholds.critical > ${1_000 + i} && "team:team-${i}" in request.body.tags && request.body.name == "n${i}"`,
      }),
  ],
  [
    "working hours in five time zones",
    (i) =>
      rule(i, {
        during: [{ hours: { from: "09:00", until: "17:00" }, zone: zones[i % 5] ?? "UTC" }],
        when: `request.params.monitor_id == "${i}"`,
      }),
  ],
  ["every rule ends in an error", (i) => rule(i, { effect: "allow", when: `request.body.nothing${i} == 1` })],
  [
    "nothing matches, and the nearest rules are looked for",
    (i) =>
      rule(i, {
        effect: "allow",
        callers: [{ repository: ["5678"] }],
        operations: [{ access: ["write"] }],
        when: `request.params.monitor_id == "${i}"`,
      }),
  ],
];

const zones = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Australia/Sydney"];

const monitor = {
  name: "checkout: error rate",
  type: "query alert",
  query: "avg(last_5m):sum:trace.http.request.errors{service:checkout,env:prod} > 42",
  message: "x".repeat(1_500),
  tags: ["service:checkout", "env:prod", "team:payments"],
  priority: 3,
  options: { thresholds: { critical: 42, warning: 30 }, notify_no_data: true, renotify_interval: 60 },
};

const factsWith = async (more: Partial<Facts>): Promise<Facts> => {
  const headers = [["content-type", "application/json"]] as const;
  const decoded = await decodeBody(Buffer.from(JSON.stringify(monitor)), headers, { inspect: 8 * 2 ** 20 });
  if ("code" in decoded) throw new Error(decoded.message);
  return {
    caller: {
      issuer: "https://token.actions.githubusercontent.com",
      issuer_name: "github",
      subject: "repo:acme/app-7:ref:refs/heads/main",
      groups: ["agents"],
      claims: { repository: "acme/app-7", repository_id: "5678", repository_owner_id: "1234", ref: "refs/heads/main" },
    },
    connection: { name: "prod", kind: "live", site: "datadoghq.com" },
    operation: {
      id: "v1.MonitorsApi.UpdateMonitor",
      name: "UpdateMonitor",
      api: "MonitorsApi",
      version: "v1",
      access: "write",
      method: "PUT",
      path: "/api/v1/monitor/{monitor_id}",
      known: true,
      params: { monitor_id: "17" },
    },
    request: { method: "PUT", path: "/api/v1/monitor/17", query: "", headers },
    now: new Date("2026-05-04T10:30:00Z"),
    body: decoded,
    ...more,
  };
};

const policyOf = (make: (index: number) => RuleSource): Policy => {
  const policy = compilePolicy({ rules: Array.from({ length: rulesInAll }, (_, i) => make(i)), observe: false });
  if (!isPolicy(policy)) throw new Error(policy[0]?.message);
  return policy;
};

/** As a gateway does it: without the body first; a clock of its own for every call. */
const decideOnce = (policy: Policy, { body, ...facts }: Facts): void => {
  const now = new Date(facts.now.getTime());
  const decided = decide(policy, { ...facts, now });
  if (needsBody(decided) && body !== undefined) decide(policy, { ...facts, now, body });
};

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(3);

for (const [name, make, more = {}] of kinds) {
  const compiling = performance.now();
  const policy = policyOf(make);
  const compiled = performance.now() - compiling;
  const facts = await factsWith(more);
  for (let i = 0; i < calls / 4; i++) decideOnce(policy, facts);
  const before = process.threadCpuUsage();
  const times = Array.from({ length: calls }, () => {
    const start = performance.now();
    decideOnce(policy, facts);
    return performance.now() - start;
  }).toSorted((a, b) => a - b);
  const { user, system } = process.threadCpuUsage(before);
  const cpu = ((user + system) / 1_000 / calls).toFixed(3);
  console.log(
    `${name}: CPU ${cpu} ms a call (clock: median ${at(times, 0.5)}, p99 ${at(times, 0.99)}); compiled in ${compiled.toFixed(0)} ms`,
  );
}
