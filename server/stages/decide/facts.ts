/** What a condition may look at: the caller, the connection, the operation and the request, in the shapes CEL sees. */

import { type Caller, flattenCaller } from "../../model/caller.ts";
import type { Connection } from "../../model/connection.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList } from "../../model/receipt.ts";
import type { Outcome } from "./outcome.ts";

/**
 * A body as conditions see it: `value` is made of strings, booleans, null, bigint (JSON integers), number (other
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
  /** When it is decided: what `now` is. */
  readonly now: Date;
  /** Names of rules with a limit that is used up: they do not match. */
  readonly spent?: ReadonlySet<string>;
};

/** A call and the answer that Datadog gave; `response.body` is left out until somebody asks for it. */
export type AnswerFacts = Omit<Facts, "body" | "spent"> & {
  readonly response: { readonly status: number; readonly headers: HeaderList; readonly body?: Body };
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

/** Thrown by `request.body` and `response.body` while the body has not been read. */
export class BodyNotRead extends Error {}

/** It says nothing but that, and it is thrown often: one is enough, and its stack is nobody's business. */
const bodyNotRead = new BodyNotRead("the body has not been read");

/** Thrown by them when the body was read and cannot be understood. */
export class BodyUnevaluable extends Error {}

/** Whether the condition being evaluated looked for a body that has not been read. */
export type BodyWatch = { missed: boolean };

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

/** `request` as the conditions on an answer see it: parts are made when a condition reads them. */
export class AnswerRequestView {
  readonly #facts: Pick<Facts, "request" | "operation">;
  #params: Map<string, string> | undefined;
  #query: Map<string, unknown> | undefined;
  #headers: Map<string, unknown> | undefined;

  constructor(facts: Pick<Facts, "request" | "operation">) {
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
    this.#headers ??= headersByName(this.#facts.request.headers);
    return this.#headers;
  }
}

/** `request` as the conditions on a call see it: with its body, and reading that is noted. */
export class RequestView extends AnswerRequestView {
  readonly #facts: Facts;
  readonly #watch: BodyWatch;

  constructor(facts: Facts, watch: BodyWatch) {
    super(facts);
    this.#facts = facts;
    this.#watch = watch;
  }
  get body(): unknown {
    const value = read("request.body", this.#facts.body, this.#watch);
    // Where one JSON object is expected, this content type would hide it in a list, and has(request.body.x) would be false.
    if (this.#facts.body !== undefined && "ndjson" in this.#facts.body && this.#facts.operation.access !== "submit")
      throw new BodyUnevaluable("request.body: NDJSON outside an intake");
    return value;
  }
}

/** `response` as conditions see it. */
export class ResponseView {
  readonly #response: AnswerFacts["response"];
  readonly #watch: BodyWatch;
  #headers: Map<string, unknown> | undefined;

  constructor(response: AnswerFacts["response"], watch: BodyWatch) {
    this.#response = response;
    this.#watch = watch;
  }
  get status(): bigint {
    return BigInt(this.#response.status);
  }
  /** By lower-case name. */
  get headers(): ReadonlyMap<string, unknown> {
    this.#headers ??= headersByName(this.#response.headers);
    return this.#headers;
  }
  get body(): unknown {
    return read("response.body", this.#response.body, this.#watch);
  }
}

/** The body's value; while it has not been read that is noted in `watch`. */
const read = (name: string, body: Body | undefined, watch: BodyWatch): unknown => {
  if (body === undefined) {
    watch.missed = true;
    throw bodyNotRead;
  }
  if ("unevaluable" in body) throw new BodyUnevaluable(`${name}: ${body.unevaluable}`);
  return body.value;
};

const headersByName = (headers: HeaderList): Map<string, unknown> =>
  once(headers.map(([name, value]) => [name.toLowerCase(), value] as const));

/** The variables of one evaluation, and the note of a body that was missed. */
export type Variables = {
  readonly caller: ReadonlyMap<string, unknown>;
  readonly connection: ConnectionView;
  readonly operation: OperationView;
  readonly request: AnswerRequestView;
  readonly response?: ResponseView;
  readonly now: Date;
};

/** What is evaluated: the variables, whether a body was looked for that has not been read, and what is known already. */
export type Scope = {
  readonly variables: Partial<Variables>;
  readonly watch: BodyWatch;
  /** What came of clauses that look at nothing but the time, by their text. */
  readonly times?: Map<string, Outcome>;
  /** Values at the paths that many rules look at, by their slot. */
  readonly found?: unknown[];
};

/** Views of callers are made once: sessions keep their caller, and callers do not change. */
export type CallerViews = WeakMap<Caller, ReadonlyMap<string, unknown>>;

export const scopeOf = (facts: Facts, views: CallerViews): Scope => {
  const watch = { missed: false };
  const variables = { ...sharedVariables(facts, views), request: new RequestView(facts, watch) };
  return { watch, variables, times: new Map(), found: [] };
};

export const answerScopeOf = (facts: AnswerFacts, views: CallerViews): Scope => {
  const watch = { missed: false };
  const variables = {
    ...sharedVariables(facts, views),
    request: new AnswerRequestView(facts),
    response: new ResponseView(facts.response, watch),
  };
  return { watch, variables, times: new Map(), found: [] };
};

const sharedVariables = (
  { caller, connection, operation, now }: Omit<AnswerFacts, "response">,
  views: CallerViews,
): Pick<Variables, "caller" | "connection" | "operation" | "now"> => {
  const view = views.get(caller) ?? callerView(flattenCaller(caller));
  views.set(caller, view);
  return { caller: view, connection: new ConnectionView(connection), operation: new OperationView(operation), now };
};

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
