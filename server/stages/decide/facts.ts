/** What a condition may look at: the caller, the connection, the operation and the request, in the shapes CEL sees. */

import { type Caller, flattenCaller } from "../../model/caller.ts";
import type { Connection } from "../../model/connection.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList } from "../../model/receipt.ts";

/**
 * A request body as conditions see it: `value` is made of strings, booleans, null, bigint (JSON integers), number (other
 * JSON numbers), arrays and Maps, and `ndjson` when it is a list because the content type said so; `unevaluable` says why nothing can be said about it.
 */
export type Body = { readonly value: unknown; readonly ndjson?: true } | { readonly unevaluable: string };

/** Everything known about one call when it is decided; `body` is left out until somebody asks for it. */
export type Facts = {
  readonly caller: Caller;
  readonly connection: Pick<Connection, "name" | "kind" | "site">;
  readonly operation: Operation;
  readonly request: {
    readonly method: string;
    /** Token slots removed, otherwise as sent. */
    readonly path: string;
    /** As sent, without `?`. */
    readonly query: string;
    readonly headers: HeaderList;
  };
  readonly body?: Body;
};

/**
 * A value that CEL refuses to look at, so that the rule ends in an error instead of a wrong answer: a query parameter
 * that was sent twice, a number that JavaScript could not keep. CEL knows no type for this class, which is the point.
 */
export class Unevaluable {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** Thrown by `request.body` while the body has not been read. */
export class BodyNotRead extends Error {}

/** Thrown by `request.body` when the body was read and cannot be understood. */
export class BodyUnevaluable extends Error {}

/** `operation` as conditions see it. */
export class OperationView {
  readonly id: string;
  readonly name: string;
  readonly api: string;
  readonly version: string;
  readonly access: string;
  readonly method: string;
  readonly path: string;
  readonly known: boolean;
  constructor(operation: Operation) {
    this.id = operation.id;
    this.name = operation.name;
    this.api = operation.api;
    this.version = operation.version;
    this.access = operation.access;
    this.method = operation.method;
    this.path = operation.path;
    this.known = operation.known;
  }
}

/** `connection` as conditions see it: never its credentials. */
export class ConnectionView {
  readonly name: string;
  readonly kind: string;
  readonly site: string;
  constructor(connection: Facts["connection"]) {
    this.name = connection.name;
    this.kind = connection.kind;
    this.site = connection.site;
  }
}

/** `request` as conditions see it: parts are made when a condition reads them, and reading the body is noted. */
export class RequestView {
  readonly #facts: Facts;
  /** Whether the condition being evaluated looked for a body that has not been read. */
  bodyMissed = false;
  #params: Map<string, string> | undefined;
  #query: Map<string, unknown> | undefined;
  #headers: Map<string, unknown> | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
  }
  get method(): string {
    return this.#facts.request.method;
  }
  get path(): string {
    return this.#facts.request.path;
  }
  get params(): ReadonlyMap<string, string> {
    this.#params ??= new Map(Object.entries(this.#facts.operation.params));
    return this.#params;
  }
  get query(): ReadonlyMap<string, unknown> {
    this.#query ??= once(new URLSearchParams(this.#facts.request.query));
    return this.#query;
  }
  /** By lower-case name. */
  get headers(): ReadonlyMap<string, unknown> {
    this.#headers ??= once(this.#facts.request.headers.map(([name, value]) => [name.toLowerCase(), value] as const));
    return this.#headers;
  }
  get body(): unknown {
    const { body } = this.#facts;
    if (body === undefined) {
      this.bodyMissed = true;
      throw new BodyNotRead("the body has not been read");
    }
    if ("unevaluable" in body) throw new BodyUnevaluable(body.unevaluable);
    // Where one JSON object is expected, this content type would hide it in a list, and has(request.body.x) would be false.
    if (body.ndjson && this.#facts.operation.access !== "submit") throw new BodyUnevaluable("NDJSON outside an intake");
    return body.value;
  }
}

/** The variables of one evaluation. */
export type Variables = {
  readonly caller: ReadonlyMap<string, unknown>;
  readonly connection: ConnectionView;
  readonly operation: OperationView;
  readonly request: RequestView;
};

export const variablesOf = (facts: Facts): Variables => ({
  caller: callerView(flattenCaller(facts.caller)),
  connection: new ConnectionView(facts.connection),
  operation: new OperationView(facts.operation),
  request: new RequestView(facts),
});

/** `caller` as conditions see it: claims by name, whatever the names are (`constructor`, `__proto__`). */
export const callerView = (caller: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(caller).map(([name, claim]) => [name, celValue(claim)]));

/** Parsed JSON of the usual kind as CEL wants it: objects become Maps, whole numbers bigint. */
const celValue = (value: unknown): unknown => {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return BigInt(value);
    return Number.isInteger(value) ? new Unevaluable("a whole number over 2^53 has lost digits") : value;
  }
  if (Array.isArray(value)) return value.map(celValue);
  if (value !== null && typeof value === "object")
    return new Map(Object.entries(value).map(([name, member]) => [name, celValue(member)]));
  return value;
};

/**
 * One value a name. Which of two values Datadog would believe is unknown, so a name that comes twice has none: a rule that
 * reads it ends in an error, and nobody passes a rule by adding a second `force=false`.
 */
export const once = (pairs: Iterable<readonly [string, string]>): Map<string, unknown> => {
  const values = new Map<string, unknown>();
  for (const [name, value] of pairs)
    values.set(name, values.has(name) ? new Unevaluable("sent more than once") : value);
  return values;
};
