/** Of a call that nothing lets pass: the rules that would have, but for one clause. */

import type { NearRule } from "../../model/decision.ts";
import type { Scope } from "./facts.ts";
import { limitText } from "./limit.ts";
import type { Policy, Rule } from "./policy.ts";
import type { Sifted } from "./sieve.ts";

/** More would not be read. */
const most = 3;

type Miss = { readonly rule: Rule; readonly held: number; readonly clause: string };

/** Nearest first: the rule of which most else holds. Rules that deny are no help to anybody. */
export const nearRules = (
  { rules, sieve }: Policy,
  { sifted, scope, spent }: { readonly sifted: Sifted; readonly scope: Scope; readonly spent: ReadonlySet<string> },
): NearRule[] => {
  const misses: Miss[] = [];
  for (const [index, rule] of rules.entries()) {
    if (rule.effect === "deny" || sifted.fails(index) > 1) continue;
    // What has nothing else in common with the call is not near it.
    const least = misses.length < most ? 0 : Math.min(...misses.map(({ held }) => held));
    // Even if everything else held, others are nearer.
    if (sifted.holds(index) + sieve.own(index).length <= least) continue;
    const miss = missOf(rule, scope, spent);
    if (miss === null || miss.held <= least) continue;
    misses.push(miss);
    misses.sort((a, b) => b.held - a.held);
    misses.length = Math.min(misses.length, most);
  }
  return misses.map(({ rule, clause }) => ({ name: rule.name, effect: rule.effect, clause }));
};

/** Null when more than one clause fails, or none that is known of. */
const missOf = (rule: Rule, scope: Scope, spent: ReadonlySet<string>): Miss | null => {
  let held = 0;
  let missed: string | null = null;
  for (const clause of rule.clauses) {
    const outcome = clause.evaluate(scope);
    if (outcome === true) held++;
    else if (outcome === false || "error" in outcome) {
      if (missed !== null) return null;
      missed = short(outcome === false ? clause.text : `${clause.text} (${outcome.error})`);
    }
  }
  if (missed === null && rule.limit !== undefined && spent.has(rule.name))
    return { rule, held: held + 1, clause: `limit: ${limitText(rule.limit)} is used up` };
  return missed === null ? null : { rule, held, clause: missed };
};

const short = (text: string): string => (text.length > 240 ? `${text.slice(0, 239)}…` : text);
