/**
 * Settles once what would be the same for call after call: clauses that look only at the operation, or only at who is calling on
 * which connection. What a call brings itself is evaluated every time. The results are those of evaluating everything.
 */

import type { Caller } from "../../model/caller.ts";
import type { Clause, Outcome } from "./condition.ts";
import type { Facts, Scope } from "./facts.ts";

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

/** What is known of the rules before a call's own clauses are looked at. */
export type Sifted = {
  /** A settled clause of the rule is false: it does not match, whatever the rest says. */
  readonly out: (rule: number) => boolean;
  readonly fails: (rule: number) => number;
  readonly holds: (rule: number) => number;
  readonly error: (rule: number) => Outcome | undefined;
};

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
      call: clauses.filter(({ reads }) => !within(reads, operationOnly) && !within(reads, callerOnly)),
    }));
  }

  /** The clauses of a rule that every call has to be asked about. */
  own(rule: number): readonly Clause[] {
    return this.#rules[rule]?.call ?? [];
  }

  sift({ operation, caller, connection }: Pick<Facts, "operation" | "caller" | "connection">, scope: Scope): Sifted {
    const one = this.#ofOperation(operation, scope);
    const other = this.#ofCaller(caller, { connection, scope });
    return {
      out: (rule) => one.fails[rule] !== 0 || other.fails[rule] !== 0,
      fails: (rule) => (one.fails[rule] ?? 0) + (other.fails[rule] ?? 0),
      holds: (rule) => (one.holds[rule] ?? 0) + (other.holds[rule] ?? 0),
      error: (rule) => one.errors[rule] ?? other.errors[rule],
    };
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
