/** What is settled once and what is answered without the interpreter, against CEL itself asked about the whole rule, call after call. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { effects } from "../../../server/model/decision.ts";
import { decide, needsBody } from "../../../server/stages/decide/decide.ts";
import { type Facts, scopeOf } from "../../../server/stages/decide/facts.ts";
import { languageFor } from "../../../server/stages/decide/language.ts";
import type { PolicySource } from "../../../server/stages/decide/policy.ts";
import { celOf } from "../../../server/stages/decide/shorthand.ts";
import { deleteMonitor, factsOf, policyOf, rule, unknownOperation, updateMonitor } from "./example.ts";

const clause = fc.constantFrom(
  "true",
  'operation.name == "UpdateMonitor"',
  'operation.name != "DeleteMonitor"',
  'operation.access in ["write", "submit"]',
  "operation.known",
  'operation.path.re("monitor")',
  'caller.team == "sre"',
  'caller.team in ["sre", "web"]',
  '"agents" in caller.groups',
  '"agents" in caller.team',
  "caller.attempt > 1",
  "caller.attempt == 2",
  "has(caller.team)",
  'connection.name == "prod" && caller.team != "x"',
  "caller.team == connection.kind",
  'request.params.monitor_id == "17"',
  'request.params.nope == "17"',
  'request.query.twice == "1"',
  'request.headers["x-a"] == "1"',
  'request.method in ["PUT", "POST"]',
  "request.body.n > 5",
  "request.body.n == 5",
  "request.body.n != 5",
  'request.body.n == "5"',
  'request.body.deep.er == "x"',
  "has(request.body.deep)",
  '"a" in request.body.tags',
  "request.body.tags.size() == 2",
  'now.weekday("Europe/Berlin") in ["mon", "tue"]',
  'now.time("Asia/Tokyo") < "18:00" || request.body.n == 5',
  '(operation.access == "write" || caller.team == "web") && !(request.body.n < 5)',
);

const shorthands = fc.record(
  {
    callers: fc.constantFrom(
      [{ repository: ["acme/*"] }],
      [{ groups: ["agents"] }, { owner: ["1234"], ref: ["refs/heads/**"] }],
    ),
    operations: fc.constantFrom(
      [{ access: ["write"] }],
      [{ name: ["*Monitor"] }, { id: ["v1.**"], access: ["destructive" as const] }],
    ),
    during: fc.constant([{ days: ["mon"] as const, hours: { from: "09:00", until: "17:00" }, zone: "UTC" }]),
    outside: fc.constant([{ from: "2026-05-05", zone: "Europe/Berlin" }]),
  },
  { requiredKeys: [] },
);

const rules = fc
  .array(fc.tuple(fc.array(clause, { minLength: 1, maxLength: 4 }), shorthands, fc.constantFrom(...effects)), {
    maxLength: 8,
  })
  .map((list) =>
    list.map(([clauses, short, effect], index) =>
      rule(`r${index}`, effect, clauses.map((one) => `(${one})`).join(" && "), short),
    ),
  );

const callers = [
  {
    ...factsOf().caller,
    claims: { team: "sre", attempt: 2, repository: "acme/app", repository_owner_id: "1234", ref: "refs/heads/main" },
  },
  { ...factsOf().caller, claims: { team: ["sre"], attempt: "2", repository: "evil/acme/app" }, groups: [] },
  { ...factsOf().caller, claims: {} },
];

const bodies: readonly (Facts["body"] | undefined)[] = [
  undefined,
  { value: null },
  {
    value: new Map<string, unknown>([
      ["n", 5n],
      ["tags", ["a", "b"]],
      ["deep", new Map([["er", "x"]])],
    ]),
  },
  {
    value: new Map<string, unknown>([
      ["n", 5.5],
      ["tags", ["b", 1n]],
      ["deep", "no map"],
    ]),
  },
  {
    value: new Map<string, unknown>([
      ["n", "5"],
      ["tags", "a"],
      ["deep", null],
    ]),
  },
  { unevaluable: "it is broken" },
];

const facts = fc
  .record({
    caller: fc.constantFrom(...callers),
    operation: fc.constantFrom(updateMonitor, deleteMonitor, unknownOperation, {
      ...unknownOperation,
      path: "/monitor",
    }),
    connection: fc.constantFrom(
      { name: "prod", kind: "live" as const, site: "datadoghq.com" },
      { name: "lab", kind: "sandbox" as const, site: "datadoghq.eu" },
    ),
    body: fc.constantFrom(...bodies),
    now: fc.constantFrom(
      ...["2026-05-04T10:00:00Z", "2026-05-05T23:00:00Z", "2026-01-01T03:00:00Z"].map((text) => new Date(text)),
    ),
    query: fc.constantFrom("", "twice=1", "twice=1&twice=2"),
  })
  .map(({ body, query, ...rest }) =>
    factsOf({ ...rest, request: { ...factsOf().request, query }, ...(body !== undefined && { body }) }),
  );

/** CEL about the whole rule, nothing remembered and nothing answered for it. */
const plainly = (source: PolicySource["rules"][number], at: Facts): boolean | "error" | "needs" => {
  const parsed = languageFor("call").environment.parse(celOf(source));
  const scope = scopeOf(at, new WeakMap());
  try {
    const value: unknown = parsed(scope.variables);
    return typeof value === "boolean" ? value : "error";
  } catch {
    return scope.watch.missed ? "needs" : "error";
  }
};

test("every decision is CEL's, whatever was decided before", () => {
  fc.assert(
    fc.property(rules, fc.array(facts, { minLength: 1, maxLength: 6 }), (sources, calls) => {
      const policy = policyOf(sources);
      for (const at of calls) {
        const plain = sources.map((source) => ({ source, outcome: plainly(source, at) }));
        const decided = decide(policy, at);
        if (plain.some(({ outcome }) => outcome === "needs")) {
          expect(needsBody(decided)).toBe(true);
          continue;
        }
        if (needsBody(decided)) throw new Error("a body was asked for that nobody needs");
        const counted = plain.filter(({ source, outcome }) =>
          source.effect === "allow" ? outcome === true : outcome !== false,
        );
        expect(decided.rules.map(({ name }) => name).toSorted()).toEqual(
          counted.map(({ source }) => source.name).toSorted(),
        );
      }
    }),
    { numRuns: 400 },
  );
}, 60_000);

test("a rule that is near fails in one clause, and would have let the call pass without it", () => {
  fc.assert(
    fc.property(rules, facts, (sources, at) => {
      const decided = decide(policyOf(sources), at);
      if (needsBody(decided)) return;
      if (decided.rules.length > 0) expect(decided.near).toBeUndefined();
      for (const { name, clause: failed } of decided.near ?? []) {
        const source = sources.find((one) => one.name === name);
        expect(source?.effect).not.toBe("deny");
        expect(failed).not.toBe("");
      }
    }),
    { numRuns: 300 },
  );
});
