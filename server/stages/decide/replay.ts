/** What is decided of the calls of a replay: on a sandbox they pass, and say so by name; on a live connection none does, whatever rules say. */

import type { Decision, MatchedRule } from "../../model/decision.ts";
import { aboutOf, purposeOf } from "../../model/ownCaller.ts";
import type { Facts } from "./facts.ts";

/** No rule of dogwatch.yaml can be called so: their names have no colon. */
export const replayRules = { allow: "dogwatch:replay", deny: "dogwatch:no-replay-to-live" } as const;

/**
 * Null for calls of which rules decide. The connection is the one that this call goes to, as it is configured now: one that was a sandbox when
 * the replay began and is live by now gets nothing.
 */
export const decideReplay = (policy: string, { caller, connection, operation }: Facts): Decision | null => {
  if (purposeOf(caller) !== "replay") return null;
  switch (connection.kind) {
    case "sandbox":
      return decided(policy, operation.name, {
        name: replayRules.allow,
        effect: "allow",
        reason: `a replay of session ${aboutOf(caller)} by ${caller.subject}, and connection ${connection.name} is a sandbox`,
      });
    case "live":
      return decided(policy, operation.name, {
        name: replayRules.deny,
        effect: "deny",
        reason: `connection ${connection.name} is live, and replays go to sandboxes only`,
      });
    default:
      return connection.kind satisfies never;
  }
};

const decided = (policy: string, operation: string, rule: MatchedRule & { effect: "allow" | "deny" }): Decision => ({
  effect: rule.effect,
  rules: [rule],
  reason: `${operation} is ${rule.effect === "allow" ? "allowed" : "denied"} by ${rule.name}: ${rule.reason}`,
  policy,
});
