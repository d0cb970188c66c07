/** What is decided of a replay's calls: nothing that a rule, a claim, a name or a reload says lets one pass to a live connection. */

import { expect, test } from "vitest";
import { parseConfig } from "../../../server/config/load.ts";
import type { Caller } from "../../../server/model/caller.ts";
import type { Decision } from "../../../server/model/decision.ts";
import {
  aboutOf,
  homeOf,
  originOf,
  ownCaller,
  ownIssuer,
  ownIssuerName,
  purposeOf,
} from "../../../server/model/ownCaller.ts";
import { codeOf, decide, needsBody } from "../../../server/stages/decide/decide.ts";
import type { Facts } from "../../../server/stages/decide/facts.ts";
import type { Policy } from "../../../server/stages/decide/policy.ts";
import { env, good } from "../../config/example.ts";
import { deleteMonitor, factsOf, policyOf, rule, unknownOperation } from "./example.ts";

const of = { id: "0199c3a1-5f00-7000-8000-000000000001", caller: factsOf().caller };
const person = { subject: "github:octocat", groups: ["sre"], of } as const;
const replay = ownCaller({ ...person, purpose: "replay" });
const undo = ownCaller({ ...person, purpose: "undo" });

const live = { name: "prod", kind: "live", site: "datadoghq.com" } as const;
const sandbox = { name: "lab", kind: "sandbox", site: "datadoghq.com" } as const;

const everything = policyOf([rule("everything", "allow", "true"), rule("people-too", "allow", "true")]);
const nothing = policyOf([rule("nothing", "deny", "true")]);

const decided = (policy: Policy, facts: Partial<Facts>): Decision => {
  const decision = decide(policy, factsOf({ operation: deleteMonitor, ...facts }));
  if (needsBody(decision)) throw new Error("the body was asked for");
  return decision;
};

test("to a live connection a replay's calls are denied by name, whatever the rules allow", () => {
  for (const policy of [everything, nothing, policyOf([]), { ...everything, observe: true }]) {
    const decision = decided(policy, { caller: replay, connection: live });
    expect(decision.effect).toBe("deny");
    expect(decision.rules.map(({ name }) => name)).toEqual(["dogwatch:no-replay-to-live"]);
    expect(decision.reason).toContain("connection prod is live");
    expect(codeOf(decision, deleteMonitor)).toBe("denied");
  }
});

test("a sandbox that became live under the same name is live", () => {
  expect(decided(everything, { caller: replay, connection: { ...sandbox, kind: "live" } }).effect).toBe("deny");
});

test("to a sandbox they pass, and the decision says why by name and not by a rule", () => {
  for (const policy of [everything, nothing, policyOf([])]) {
    const decision = decided(policy, { caller: replay, connection: sandbox });
    expect(decision.effect).toBe("allow");
    expect(decision.rules).toEqual([
      {
        name: "dogwatch:replay",
        effect: "allow",
        reason: `a replay of session ${of.id} by github:octocat, and connection lab is a sandbox`,
      },
    ]);
    expect(decision.policy).toBe(policy.digest);
  }
});

test("who only claims to be a replay is decided by the rules", () => {
  const claims = { ...replay.claims };
  const impostors: readonly Caller[] = [
    { ...of.caller, claims },
    { ...of.caller, issuer: "https://token.example.com", claims },
    { ...replay, issuer: `${ownIssuer}/` },
    { ...replay, issuer: ownIssuer.toUpperCase() },
    { ...replay, issuer: "dogwatch:people" },
    { ...replay, claims: { ...claims, purpose: "Replay" } },
    { ...replay, claims: { ...claims, purpose: ["replay"] } },
    { ...replay, claims: {} },
  ];
  for (const caller of impostors) {
    expect(decided(nothing, { caller, connection: sandbox }).rules.map(({ name }) => name)).toEqual(["nothing"]);
    expect(purposeOf(caller)).toBeNull();
  }
});

test("every other purpose is decided by the rules, on a sandbox as well", () => {
  for (const connection of [live, sandbox]) {
    expect(decided(nothing, { caller: undo, connection }).rules.map(({ name }) => name)).toEqual(["nothing"]);
    expect(decided(policyOf([]), { caller: undo, connection }).effect).toBe("deny");
    expect(decided(everything, { caller: undo, connection, operation: unknownOperation }).effect).toBe("allow");
  }
});

test.each([
  [`issuer: ${ownIssuer}`, /issuer: https:\S+/, "identity.issuers.0.issuer"],
  [`name: "${ownIssuerName}"`, /name: github/, "identity.issuers.0.name"],
  ['name: "dogwatch:replay"', /name: agents\S*/, "policy.rules.0.name"],
])("no configuration can name its own so: %s", (text, place, path) => {
  const problems = parseConfig(good.replace(place, text), { file: "dogwatch.yaml", env }, () => []);
  expect(Array.isArray(problems) ? problems.map((problem) => problem.path.join(".")) : problems).toEqual([path]);
});

test("what the job's token claimed is beside the person's session, where no rule about jobs looks, and still says whose it is", () => {
  expect(replay.claims).toEqual({ purpose: "replay", replay_of: of.id, origin: of.caller });
  expect(replay.claims).not.toHaveProperty("repository_owner_id");
  expect(aboutOf(replay)).toBe(of.id);
  expect(aboutOf(of.caller)).toBeNull();
  expect(homeOf(replay)).toEqual(of.caller);
  expect(homeOf(of.caller)).toBe(of.caller);
  const again = ownCaller({ ...person, purpose: "replay", of: { id: "another", caller: replay } });
  expect(originOf(again)).toEqual(of.caller);
  expect(aboutOf(again)).toBe("another");
});
