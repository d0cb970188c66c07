/** A call to decide about, and rules to decide with, for the tests beside this file. */

import type { RuleSource } from "../../../server/model/config.ts";
import type { Effect } from "../../../server/model/decision.ts";
import type { Facts } from "../../../server/stages/decide/facts.ts";
import { isPolicy, compilePolicy, type Policy, type PolicySource } from "../../../server/stages/decide/policy.ts";

export const rule = (name: string, effect: Effect, when: string, more: Partial<RuleSource> = {}): RuleSource => ({
  name,
  effect,
  when,
  phase: "request",
  observe: false,
  ...more,
});

export const policyOf = (rules: readonly RuleSource[], more: Partial<PolicySource> = {}): Policy => {
  const policy = compilePolicy({ rules, observe: false, ...more });
  if (!isPolicy(policy)) throw new Error(policy.map(({ message }) => message).join("; "));
  return policy;
};

export const deleteMonitor: Facts["operation"] = {
  id: "v1.MonitorsApi.DeleteMonitor",
  name: "DeleteMonitor",
  api: "MonitorsApi",
  version: "v1",
  access: "destructive",
  method: "DELETE",
  path: "/api/v1/monitor/{monitor_id}",
  known: true,
  params: { monitor_id: "17" },
};

export const updateMonitor: Facts["operation"] = {
  ...deleteMonitor,
  id: "v1.MonitorsApi.UpdateMonitor",
  name: "UpdateMonitor",
  access: "write",
  method: "PUT",
};

export const unknownOperation: Facts["operation"] = {
  id: "unknown",
  name: "unknown",
  api: "unknown",
  version: "",
  access: "unknown",
  method: "POST",
  path: "/api/v9/new",
  known: false,
  params: {},
};

export const factsOf = (more: Partial<Facts> = {}): Facts => ({
  caller: {
    issuer: "https://token.actions.githubusercontent.com",
    issuer_name: "github",
    subject: "repo:acme/app:ref:refs/heads/main",
    groups: ["agents"],
    claims: { repository_owner_id: "1234", run_attempt: 2 },
  },
  connection: { name: "prod", kind: "live", site: "datadoghq.com" },
  operation: updateMonitor,
  request: { method: "PUT", path: "/api/v1/monitor/17", query: "", headers: [["Content-Type", "application/json"]] },
  now: new Date("2026-05-04T10:30:00Z"),
  ...more,
});
