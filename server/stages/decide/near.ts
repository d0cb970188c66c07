/** Of a call that nothing lets pass: the rules that would have, but for one clause. */

import type { NearRule } from "../../model/decision.ts";
import type { Clause } from "./condition.ts";
import type { Scope } from "./facts.ts";
import { limitText } from "./limit.ts";
import type { Policy, Rule } from "./policy.ts";
import type { Sifted } from "./sieve.ts";

/** More would not be read. */
const shown = 3;

type Miss = { readonly rule: Rule; readonly held: number; readonly clause: string };

/** Nearest first: the rule of which most else holds. Rules that deny are no help to anybody. */
export const nearRules = (
  { rules, sieve }: Policy,
  { sifted, scope, spent }: { readonly sifted: Sifted; readonly scope: Scope; readonly spent: ReadonlySet<string> },
): NearRule[] => {
  const misses: Miss[] = [];
  // What has nothing else in common with the call is not near it.
  let least = 0;
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index];
    if (rule === undefined || rule.effect === "deny") continue;
    const settled = sifted.fails(index) + (sifted.error(index) === undefined ? 0 : 1);
    const own = sieve.own(index);
    const most = sifted.holds(index) + own.length + (rule.limit === undefined ? 0 : 1);
    if (settled > 1 || most <= least || !mayBeNear(own, scope, settled)) continue;
    const miss = missOf(rule, scope, spent);
    if (miss === null || miss.held <= least) continue;
    misses.push(miss);
    misses.sort((a, b) => b.held - a.held);
    misses.length = Math.min(misses.length, shown);
    least = misses.length < shown ? 0 : (misses.at(-1)?.held ?? 0);
  }
  return misses.map(({ rule, clause }) => ({ name: rule.name, effect: rule.effect, clause }));
};

/** Whether at most one clause fails, with those that are known to fail already. */
const mayBeNear = (clauses: readonly Clause[], scope: Scope, known: number): boolean => {
  let missed = known;
  for (const clause of clauses) {
    const outcome = clause.evaluate(scope);
    if (outcome === false || (typeof outcome === "object" && "error" in outcome)) missed++;
    if (missed > 1) return false;
  }
  return true;
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
