/**
 * Settles once what would be the same for call after call: clauses that look only at the operation, or only at who is calling on
 * which connection. What a call brings itself is evaluated every time. The results are those of evaluating everything.
 */

import type { Caller } from "../../model/caller.ts";
import type { Clause } from "./condition.ts";
import type { Facts, Scope } from "./facts.ts";
import type { Outcome } from "./outcome.ts";

/** What is settled of every rule, by its index. */
type Settled = {
  /** How many of its clauses are false… */
  readonly fails: Uint16Array;
  /** …true… */
  readonly holds: Uint16Array;
  /** …and what came of those that are neither. */
  readonly errors: readonly (Outcome | undefined)[];
};

type Sorted = {
  readonly operation: readonly Clause[];
  readonly caller: readonly Clause[];
  readonly call: readonly Clause[];
};

/** What is known of the rules before a call's own clauses are looked at. Asked for every rule of every call. */
export class Sifted {
  readonly #operation: Settled;
  readonly #caller: Settled;
  constructor(operation: Settled, caller: Settled) {
    this.#operation = operation;
    this.#caller = caller;
  }
  /** How many settled clauses are false: one is enough for the rule not to match, whatever the rest says. */
  fails(rule: number): number {
    return (this.#operation.fails[rule] ?? 0) + (this.#caller.fails[rule] ?? 0);
  }
  holds(rule: number): number {
    return (this.#operation.holds[rule] ?? 0) + (this.#caller.holds[rule] ?? 0);
  }
  error(rule: number): Outcome | undefined {
    return this.#operation.errors[rule] ?? this.#caller.errors[rule];
  }
}

/** More operations than any catalogue has: what is kept stays bounded whoever asks. */
const mostOperations = 8_192;

export class Sieve {
  readonly #rules: readonly Sorted[];
  readonly #byOperation = new Map<string, Settled>();
  readonly #byCaller = new WeakMap<Caller, Map<string, Settled>>();

  constructor(rules: readonly (readonly Clause[])[]) {
    this.#rules = rules.map((clauses) => ({
      operation: clauses.filter(({ reads }) => within(reads, operationOnly)),
      caller: clauses.filter(({ reads }) => !within(reads, operationOnly) && within(reads, callerOnly)),
      call: clauses
        .filter(({ reads }) => !within(reads, operationOnly) && !within(reads, callerOnly))
        .toSorted((a, b) => Number(b.quick) - Number(a.quick)),
    }));
  }

  /** The clauses of a rule that every call has to be asked about. */
  own(rule: number): readonly Clause[] {
    return this.#rules[rule]?.call ?? [];
  }

  sift({ operation, caller, connection }: Pick<Facts, "operation" | "caller" | "connection">, scope: Scope): Sifted {
    return new Sifted(this.#ofOperation(operation, scope), this.#ofCaller(caller, { connection, scope }));
  }

  #ofOperation(operation: Facts["operation"], scope: Scope): Settled {
    const settle = (): Settled =>
      settleAll(
        this.#rules.map((rule) => rule.operation),
        scope,
      );
    // The path of an unknown operation is the caller's own: nothing to keep.
    if (!operation.known) return settle();
    const { id, method, path, access } = operation;
    const key = `${id} ${method} ${path} ${access}`;
    const known = this.#byOperation.get(key);
    if (known !== undefined) return known;
    if (this.#byOperation.size >= mostOperations) this.#byOperation.clear();
    const settled = settle();
    this.#byOperation.set(key, settled);
    return settled;
  }

  #ofCaller(
    caller: Caller,
    { connection, scope }: { readonly connection: Facts["connection"]; readonly scope: Scope },
  ): Settled {
    const connections = this.#byCaller.get(caller) ?? new Map<string, Settled>();
    this.#byCaller.set(caller, connections);
    const key = `${connection.name} ${connection.kind} ${connection.site}`;
    const settled =
      connections.get(key) ??
      settleAll(
        this.#rules.map((rule) => rule.caller),
        scope,
      );
    connections.set(key, settled);
    return settled;
  }
}

const operationOnly = new Set(["operation"]);
const callerOnly = new Set(["caller", "connection"]);

const within = (reads: ReadonlySet<string>, allowed: ReadonlySet<string>): boolean =>
  [...reads].every((name) => allowed.has(name));

const settleAll = (rules: readonly (readonly Clause[])[], scope: Scope): Settled => {
  const settled = {
    fails: new Uint16Array(rules.length),
    holds: new Uint16Array(rules.length),
    errors: Array.from<Outcome | undefined>({ length: rules.length }),
  };
  for (const [index, clauses] of rules.entries())
    for (const clause of clauses) {
      const outcome = clause.evaluate(scope);
      if (outcome === true) settled.holds[index] = (settled.holds[index] ?? 0) + 1;
      else if (outcome === false) settled.fails[index] = (settled.fails[index] ?? 0) + 1;
      else settled.errors[index] ??= outcome;
    }
  return settled;
};
