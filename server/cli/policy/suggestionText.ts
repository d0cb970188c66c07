/** Writes a suggested policy as YAML that people read: every rule and every operation with the number of calls behind it. */

import type { Suggestion, SuggestedOperation, Suggestions } from "../../journeys/policy/suggest.ts";
import { counted, oneLine } from "../words.ts";

/** Entries of one rule: a longer list is cut into several. */
const mostOperations = 400;

/** A `policy:` block that `dogwatch check` takes inside a configuration. `source` says where the calls came from. */
export function writeSuggestion(suggestions: Suggestions, source: string): string {
  const names = new Set<string>();
  const rules = suggestions.rules.flatMap((rule) =>
    portions(rule.operations).map((operations) => writeRule({ ...rule, operations }, names)),
  );
  const body = rules.length === 0 ? "  rules: []\n" : `  rules:\n${rules.join("")}`;
  return [...heading(suggestions, source), "policy:\n", body, ...leftOut(suggestions)].join("");
}

function* heading({ calls, sessions, first, last }: Suggestions, source: string): Generator<string> {
  yield `# The least policy that allows what was recorded: ${counted(calls, "call")} in ${counted(sessions, "session")} (${oneLine(source)})`;
  yield first === null || last === null ? "\n" : `,\n# from ${first.toISOString()} to ${last.toISOString()}.\n`;
  yield "# Read it before you use it: what happened is not always what should be allowed.\n";
}

function writeRule(rule: Suggestion, names: Set<string>): string {
  const calls = rule.operations.reduce((sum, operation) => sum + operation.calls, 0);
  const who = `${oneLine(rule.caller.label)} ${rule.kind === "unknown" ? "calls what the catalogue does not know" : rule.kind} on ${oneLine(rule.connection)}`;
  const asks =
    rule.effect === "approve" && rule.destroys
      ? "    # It destroys, so a person is asked; --include-destructive suggests allow.\n"
      : "";
  return (
    `    # ${who}: ${counted(calls, "call")}, ${counted(rule.operations.length, "operation")}.\n${asks}` +
    `    - name: ${uniqueName(rule, names)}\n      effect: ${rule.effect}\n${conditionOf(rule)}`
  );
}

/** Known operations by their ids, unknown ones by method and path; the caller by claims that nobody else can have. */
function conditionOf({ caller, connection, kind, operations }: Suggestion): string {
  const who = Object.entries(caller.claims).map(([claim, value]) => `caller.${claim} == ${literal(value)}`);
  const scope = [...who, `connection.name == ${literal(connection)}`].join(" && ");
  if (kind !== "unknown")
    return `      when: >-\n        ${scope}\n      operations:\n${operations.map(entry).join("")}`;
  const paths = operations.map(({ unknown, calls }) => {
    const words = unknown === null ? "" : `${unknown.method} ${unknown.path}`;
    return `          ${literal(words)}, // ${counted(calls, "call")}\n`;
  });
  return `      when: |-\n        ${scope} && !operation.known\n        && operation.method + " " + operation.path in [\n${paths.join("")}        ]\n`;
}

const entry = ({ id, calls }: SuggestedOperation): string => `        - ${id} # ${counted(calls, "call")}\n`;

function* leftOut({ refused, unlisted }: Suggestions): Generator<string> {
  if (unlisted > 0)
    yield `# Left out: ${counted(unlisted, "call")} to further paths that the catalogue does not know; write a pattern for them.\n`;
  if (refused.length === 0) return;
  yield "# Left out, because it was refused then:\n";
  for (const { caller, connection, operation, calls } of refused)
    yield `#   ${operation} by ${oneLine(caller)} on ${oneLine(connection)}: ${counted(calls, "call")}\n`;
}

const portions = <T>(items: readonly T[]): (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / mostOperations) }, (_, i) =>
    items.slice(i * mostOperations, (i + 1) * mostOperations),
  );

/** Up to 64 of letters, digits, `.`, `_`, `-`: what a rule may be called. */
function uniqueName({ caller, connection, kind, effect }: Suggestion, taken: Set<string>): string {
  const who = slug(caller.label).slice(0, 30);
  const words = `${who}-on-${slug(connection).slice(0, 14)}-${kind === "unknown" ? "unknown-paths" : kind}`;
  const base = effect === "approve" ? `ask-${words}` : words;
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

const slug = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9._]+/g, "-").replace(/^[-._]+|[-._]+$/g, "") || "caller";

/** A CEL text of visible ASCII alone: claims are chosen by others, and must end neither the text nor the line. */
const literal = (text: string): string =>
  JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
