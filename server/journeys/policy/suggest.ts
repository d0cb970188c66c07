/** Finds the least policy that allows what was recorded: who called which operations on what, and how often. */

import type { RecordedCall } from "../../store/replayCalls.ts";
import { type CallerIdentity, identityOf } from "./callerLabel.ts";

/** An operation as a suggested rule names it; an unknown one is known by its method and path alone. */
export type SuggestedOperation = {
  readonly id: string;
  readonly access: string;
  /** Set for operations that the catalogue does not know. */
  readonly unknown: { readonly method: string; readonly path: string } | null;
  readonly calls: number;
};

export type Suggestion = {
  readonly caller: CallerIdentity;
  readonly connection: string;
  /** Why these operations are one rule. */
  readonly kind: "reads" | "writes" | "submits" | "destroys" | "unknown";
  readonly effect: "allow" | "approve";
  readonly destroys: boolean;
  /** The most called first. */
  readonly operations: readonly SuggestedOperation[];
};

export type Suggestions = {
  readonly rules: readonly Suggestion[];
  /** What was refused then is not suggested. */
  readonly refused: readonly {
    readonly caller: string;
    readonly connection: string;
    readonly operation: string;
    readonly calls: number;
  }[];
  readonly calls: number;
  readonly sessions: number;
  /** Null without calls. */
  readonly first: Date | null;
  readonly last: Date | null;
  /** Calls of paths that the catalogue does not know, beyond those that are listed. */
  readonly unlisted: number;
};

export type SuggestOptions = {
  /** Suggests `allow` for what destroys, too; otherwise `approve`. */
  readonly includeDestructive: boolean;
};

/** Different unknown paths of one caller that are suggested: more of them is no list that anybody reads. */
const mostUnknown = 50;

/** Memory grows with the distinct operations of distinct callers, not with the calls. */
export async function suggest(
  pages: AsyncIterable<readonly RecordedCall[]>,
  { includeDestructive }: SuggestOptions,
): Promise<Suggestions> {
  const census = new Census();
  for await (const page of pages) for (const call of page) census.count(call);
  return census.result(includeDestructive ? "allow" : "approve");
}

type Group = Omit<Suggestion, "operations" | "effect"> & {
  /** Somebody was asked then: somebody is to be asked. */
  readonly asked: boolean;
  readonly operations: Map<string, { operation: Omit<SuggestedOperation, "calls">; calls: number }>;
};

class Census {
  readonly #groups = new Map<string, Group>();
  readonly #refused = new Map<string, { caller: string; connection: string; operation: string; calls: number }>();
  #session: string | null = null;
  #sessions = 0;
  #calls = 0;
  #unlisted = 0;
  #first: Date | null = null;
  #last: Date | null = null;

  count(call: RecordedCall): void {
    this.#calls++;
    // Calls come in the order of their sessions.
    if (call.session.id !== this.#session) this.#sessions++;
    this.#session = call.session.id;
    if (this.#first === null || call.received_at < this.#first) this.#first = call.received_at;
    if (this.#last === null || call.received_at > this.#last) this.#last = call.received_at;
    if (call.effect === "deny") this.#refuse(call);
    else this.#allow(call);
  }

  result(forDestruction: Suggestion["effect"]): Suggestions {
    const rules = [...this.#groups.values()].map(
      ({ asked, operations, ...group }): Suggestion => ({
        ...group,
        effect: asked ? "approve" : group.destroys ? forDestruction : "allow",
        operations: [...operations.values()]
          .map(({ operation, calls }) => ({ ...operation, calls }))
          .toSorted((a, b) => b.calls - a.calls || (a.id < b.id ? -1 : 1)),
      }),
    );
    return {
      rules: rules.toSorted(inOrder),
      refused: [...this.#refused.values()],
      calls: this.#calls,
      sessions: this.#sessions,
      first: this.#first,
      last: this.#last,
      unlisted: this.#unlisted,
    };
  }

  #allow(call: RecordedCall): void {
    const caller = identityOf(call.session.caller);
    const kind = kindOf(call);
    const asked = call.effect === "approve";
    const { connection } = call.session;
    const destroys = destroysSomething(call);
    const key = JSON.stringify([caller.claims, connection, kind, asked, destroys]);
    const group: Group = this.#groups.get(key) ?? { caller, connection, kind, asked, destroys, operations: new Map() };
    this.#groups.set(key, group);
    const operation = operationOf(call);
    const name = operation.unknown === null ? operation.id : `${operation.unknown.method} ${operation.unknown.path}`;
    const counted = group.operations.get(name);
    if (counted !== undefined) counted.calls++;
    else if (operation.unknown !== null && group.operations.size >= mostUnknown) this.#unlisted++;
    else group.operations.set(name, { operation, calls: 1 });
  }

  #refuse({ session, operation }: RecordedCall): void {
    const caller = identityOf(session.caller).label;
    const key = JSON.stringify([caller, session.connection, operation]);
    const refused = this.#refused.get(key) ?? { caller, connection: session.connection, operation, calls: 0 };
    refused.calls++;
    this.#refused.set(key, refused);
  }
}

const operationOf = ({ operation, access, method, path }: RecordedCall): Omit<SuggestedOperation, "calls"> => ({
  id: operation,
  access,
  unknown: operation === "unknown" ? { method, path } : null,
});

/** A DELETE that the catalogue does not know destroys something too. */
const destroysSomething = ({ access, method }: RecordedCall): boolean =>
  access === "destructive" || (access === "unknown" && method === "DELETE");

const kindOf = ({ access }: RecordedCall): Suggestion["kind"] => {
  switch (access) {
    case "read":
      return "reads";
    case "write":
      return "writes";
    case "submit":
      return "submits";
    case "destructive":
      return "destroys";
    default:
      return "unknown";
  }
};

const kinds: readonly Suggestion["kind"][] = ["reads", "submits", "writes", "destroys", "unknown"];

const inOrder = (a: Suggestion, b: Suggestion): number =>
  compare(a.caller.label, b.caller.label) ||
  compare(a.connection, b.connection) ||
  kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
  compare(a.effect, b.effect);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
