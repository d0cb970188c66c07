/** What the gateway would say of a call that nobody sends: the stages of a call as far as its decision, and nothing after it. */

import type { Catalogue } from "../../datadog/catalogue.ts";
import { isRefusal } from "../../errors.ts";
import { type Caller, flattenCaller } from "../../model/caller.ts";
import type { Config } from "../../model/config.ts";
import type { Connection } from "../../model/connection.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { classify } from "../../stages/classify/classify.ts";
import { type BodyNeeded, decide, needsBody } from "../../stages/decide/decide.ts";
import type { Body, Facts } from "../../stages/decide/facts.ts";
import { decodeBody } from "../../stages/decide/inspect.ts";
import { type Allowance, allowanceOf } from "../../stages/decide/limit.ts";
import type { CallerCondition, Policy } from "../../stages/decide/policy.ts";

/** A configuration, compiled: the part of a rulebook that decides. */
export type TrialParts = {
  readonly policy: Policy;
  readonly catalogue: Catalogue;
  readonly config: Pick<Config, "identity" | "limits">;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly issuerAllow: ReadonlyMap<string, CallerCondition>;
  readonly connectionAllow: ReadonlyMap<string, CallerCondition>;
};

/** A request without its body. */
export type TrialCall = {
  readonly caller: Caller;
  /** By name. */
  readonly connection: string;
  /** Null: the API host of the connection's site. */
  readonly host: string | null;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: HeaderList;
  /** When it is decided: `now`. */
  readonly at: Date;
  /** Rules whose limit is used up. */
  readonly spent?: readonly string[];
};

/** Takes one use from a limit, or says false when none is left. */
export type Draw = (allowance: Allowance) => boolean;

export type Outcome = {
  /** `refuse`: the gateway would not even ask the policy. */
  readonly effect: Decision["effect"] | "refuse";
  /** Names of the rules with the effect that won; of everything that matched when it is only observed. */
  readonly rules: readonly string[];
  /** One sentence for people. */
  readonly reason: string;
  /** Null when the request could not be classified. */
  readonly operation: Operation | null;
};

/** The bytes of a body, null for none, or why they cannot be had. */
export type BodyBytes = Buffer | null | { readonly missing: string };

export class Trial {
  readonly #parts: TrialParts;
  /** Whether a caller may open a session is asked once for each, as the gateway does. */
  readonly #admitted = new WeakMap<Caller, Map<string, string | null>>();

  constructor(parts: TrialParts) {
    this.#parts = parts;
  }

  /** Whether what one call is told depends on the calls before it. */
  get counts(): boolean {
    return this.#parts.policy.limits.size > 0;
  }

  /** The outcome, or that a rule has to read the body first. */
  decide(call: TrialCall, draw: Draw = unlimited): Outcome | BodyNeeded {
    const facts = this.#factsOf(call);
    return "effect" in facts ? facts : this.#ask(facts, draw);
  }

  /** Throws when the policy asks for a body again. */
  async decideWithBody(call: TrialCall, bytes: BodyBytes, draw: Draw = unlimited): Promise<Outcome> {
    const facts = this.#factsOf(call);
    if ("effect" in facts) return facts;
    const body = await this.#decode(call, bytes);
    if (isRefusal(body)) return refused(body.message, facts.operation);
    const outcome = this.#ask({ ...facts, body }, draw);
    if ("needs" in outcome) throw new Error("the policy asked for a body it had been given");
    return outcome;
  }

  /** A limit that is used up makes its rule not match: then the others are asked alone. */
  #ask(facts: Facts, draw: Draw): Outcome | BodyNeeded {
    const { policy } = this.#parts;
    const spent = new Set(facts.spent);
    for (;;) {
      const decision = decide(policy, spent.size === 0 ? facts : { ...facts, spent });
      if (needsBody(decision)) return decision;
      const allowance = this.counts ? allowanceOf(policy, decision) : null;
      if (allowance === null || draw(allowance)) return outcomeOf(decision, facts.operation);
      spent.add(allowance.rule);
    }
  }

  #factsOf(call: TrialCall): Facts | Outcome {
    const connection = this.#parts.connections.get(call.connection);
    if (connection === undefined) return refused(`there is no connection ${call.connection}`, null);
    const shutOut = this.#admission(call.caller, call.connection);
    if (shutOut !== null) return refused(shutOut, null);
    const request = { ...call, host: call.host ?? `api.${connection.site}`, site: connection.site };
    const operation = classify(this.#parts.catalogue, request);
    if (isRefusal(operation)) return refused(operation.message, null);
    const { caller, method, path, query, headers, at, spent } = call;
    const facts = { caller, connection, operation, request: { method, path, query, headers }, now: at };
    return spent === undefined ? facts : { ...facts, spent: new Set(spent) };
  }

  async #decode(call: TrialCall, bytes: BodyBytes): Promise<Body | ReturnType<typeof decodeBody>> {
    if (bytes !== null && "missing" in bytes) return { unevaluable: bytes.missing };
    return decodeBody(bytes ?? Buffer.alloc(0), call.headers, this.#parts.config.limits);
  }

  /** Why this caller could not have opened a session; null when it could. */
  #admission(caller: Caller, connection: string): string | null {
    const known = this.#admitted.get(caller) ?? new Map<string, string | null>();
    this.#admitted.set(caller, known);
    const before = known.get(connection);
    if (before !== undefined) return before;
    const found = shutOutOf(this.#parts, caller, connection);
    known.set(connection, found);
    return found;
  }
}

const unlimited: Draw = () => true;

const outcomeOf = ({ effect, rules, reason }: Decision, operation: Operation): Outcome => {
  const winners = effect === "observe" ? rules : rules.filter((rule) => rule.effect === effect);
  return { effect, rules: winners.map(({ name }) => name), reason, operation };
};

const refused = (reason: string, operation: Operation | null): Outcome => ({
  effect: "refuse",
  rules: [],
  reason,
  operation,
});

const shutOutOf = ({ config, ...parts }: TrialParts, caller: Caller, connection: string): string | null => {
  const issuer = config.identity.issuers.find((one) => one.issuer === caller.issuer);
  if (issuer === undefined) return `issuer ${caller.issuer} is not configured`;
  const claims = flattenCaller(caller);
  const doors = [
    [`issuer ${issuer.name}`, parts.issuerAllow.get(issuer.name)],
    [`connection ${connection}`, parts.connectionAllow.get(connection)],
  ] as const;
  for (const [door, allow] of doors) {
    const answer = allow?.evaluate(claims) ?? true;
    if (answer !== true) return `the caller may not open a session: allow of ${door}: ${answer.reason}`;
  }
  return null;
};
