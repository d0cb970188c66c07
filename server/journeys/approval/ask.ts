/** Asks people about a held call: an identical request of the same session joins the question that is open. */

import { v7 as uuidv7 } from "uuid";
import { type Refusal, isRefusal, refuse } from "../../errors.ts";
import { namesRun } from "../../github/oidc.ts";
import type { Approval, Binding, CurrentState, Grant, RunContext, Terms } from "../../model/approval.ts";
import { type Caller, whoIs } from "../../model/caller.ts";
import type { RuleSource } from "../../model/config.ts";
import type { Decision } from "../../model/decision.ts";
import { originOf, starterNames } from "../../model/ownCaller.ts";
import type { Operation } from "../../model/operation.ts";
import { bodyBindingOf, digestOf, requestDigestOf } from "../../stages/escalate/binding.ts";
import { codeOf } from "../../stages/escalate/code.ts";
import { questionOf } from "../../stages/escalate/question.ts";
import { termsOf } from "../../stages/escalate/terms.ts";
import { type ApprovalParts, isUnasked } from "./parts.ts";

/** A call that rules hold for people. */
export type HeldCall = {
  readonly session_id: string;
  readonly caller: Caller;
  readonly connection: string;
  readonly operation: Operation;
  readonly decision: Decision;
  /** Those that hold it. */
  readonly rules: readonly RuleSource[];
  readonly request: {
    readonly method: string;
    readonly host: string;
    /** Token slots taken out, masks applied. */
    readonly path: string;
    readonly query: string;
    /** Keyed digest of both as they are sent. */
    readonly target: string;
    readonly content_type: string | null;
    /** Decoded, whole. */
    readonly body: Buffer;
    /** The same as people may see it. */
    readonly shown: Buffer;
  };
  /** What is there now, fetched for this question and recorded; never rejects. */
  look(approval_id: string): Promise<CurrentState>;
};

/** What may let the call pass. */
export type Asked =
  | { readonly kind: "approval"; readonly approval: Approval }
  | { readonly kind: "grant"; readonly grant: Grant };

/** The questions that are being put together at this gateway, so that many identical requests ask GitHub and Datadog once. */
export class Asking {
  readonly #parts: ApprovalParts;
  readonly #asking = new Map<string, Promise<Asked | Refusal>>();

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
  }

  /** A refusal when nobody can be asked, or could ever answer. Rejects with `GatewayError` when the database does not answer. */
  async ask(held: HeldCall): Promise<Asked | Refusal> {
    const job = this.#jobOf(held.caller);
    const terms = termsOf(held.rules, job === null ? "other" : "github");
    if (isRefusal(terms)) return terms;
    const request = bindingOf(held, job);
    const request_digest = requestDigestOf(request);
    const name = `${held.session_id} ${request_digest}`;
    const asking = this.#asking.get(name);
    if (asking !== undefined) return asking;
    const asked = this.#askOnce(held, { terms, job, request, request_digest }).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asked);
    return asked;
  }

  async #askOnce(held: HeldCall, known: Known): Promise<Asked | Refusal> {
    const { store } = this.#parts;
    const { session_id, decision } = held;
    const sought = { session_id, operation: held.operation.id, rule: known.terms.rule, policy: decision.policy };
    const grant = await store.findGrant(sought);
    if (grant !== null) return { kind: "grant", grant };
    const live = await store.findLive(session_id, known.request_digest);
    if (live !== null) return { kind: "approval", approval: live };

    const run = await this.#whereIs(held.caller, known.job);
    if (isRefusal(run ?? {})) return run as Refusal;
    const unreachable = this.#whyNobody(known.terms, run as RunContext | null);
    if (unreachable !== null) return unreachable;
    const { approval, how } = await store.ask(await this.#compose(held, known, run as RunContext | null));
    if (how === "new") this.#tell(held.caller, approval);
    return { kind: "approval", approval };
  }

  /**
   * The GitHub job whose people are asked; null for callers that are none. Who undoes what a job did asks the people of that job, where GitHub
   * can tell who they are.
   */
  #jobOf(caller: Caller): Caller | null {
    const origin = originOf(caller);
    const job = origin ?? caller;
    return namesRun(job.claims) && (origin === null || this.#parts.directory !== null) ? job : null;
  }

  async #whereIs(caller: Caller, job: Caller | null): Promise<RunContext | Refusal | null> {
    if (job === null) return null;
    const { directory } = this.#parts;
    if (directory === null)
      return refuse(
        "approval_required",
        "a rule asks for a person's approval, and this gateway has no GitHub App to see who may answer for a workflow job (github: in dogwatch.yaml); nothing was sent",
      );
    const run = await (job === caller ? directory.contextOf(job) : directory.contextAfter(job));
    // Nobody answers for what they have undone themselves.
    if (!isUnasked(run))
      return job === caller ? run : { ...run, own_people: [...run.own_people, ...starterNames(caller)] };
    return refuse(
      "approval_required",
      `a rule asks for a person's approval, and nobody could be asked: ${run.unasked}; nothing was sent, and sending it again asks again`,
    );
  }

  /** A comment needs something to comment on. */
  #whyNobody({ rule, via }: Terms, run: RunContext | null): Refusal | null {
    if (run === null || run.pull !== null || this.#parts.issues || via.some((way) => way !== "comment")) return null;
    return refuse(
      "approval_required",
      `rule ${rule} takes answers by comment only, and this run has no pull request to comment on (github.issues opens an issue for such runs); nothing was sent`,
    );
  }

  #tell(caller: Caller, { id, question }: Approval): void {
    this.#parts.audit({
      kind: "approval_asked",
      who: whoIs(caller),
      what: `approval ${id}`,
      reason: `${question.title}: ${question.why.map(({ rule }) => rule).join(", ")}`,
    });
    this.#parts.show(id);
  }

  async #compose(held: HeldCall, { terms, request, request_digest }: Known, run: RunContext | null) {
    const { key, chance } = this.#parts;
    const id = uuidv7();
    const binding: Binding = { ...request, pull_request: run?.pull?.number ?? null, head_sha: run?.head_sha ?? null };
    const digest = digestOf(binding);
    const current = await held.look(id);
    const { connection, caller, operation, decision } = held;
    const { host, path, query, shown, body } = held.request;
    return {
      id,
      code: codeOf({ approval_id: id, nonce: chance(16).toString("hex"), digest }, key),
      session_id: held.session_id,
      connection,
      operation: operation.id,
      terms,
      digest,
      request_digest,
      binding,
      run,
      question: questionOf({
        caller,
        run,
        connection,
        operation,
        request: { host, path, query, body: body.length === 0 ? null : shown },
        decision,
        current,
      }),
    };
  }
}

type Request = Omit<Binding, "pull_request" | "head_sha">;

type Known = {
  readonly terms: Terms;
  readonly job: Caller | null;
  readonly request: Request;
  readonly request_digest: string;
};

const bindingOf = (
  { session_id, caller, connection, decision, rules, request }: HeldCall,
  job: Caller | null,
): Request => ({
  session_id,
  issuer: caller.issuer,
  subject: caller.subject,
  connection,
  repository_id: claim(job ?? caller, "repository_id"),
  run_id: claim(job ?? caller, "run_id"),
  run_attempt: claim(job ?? caller, "run_attempt"),
  rules: rules.map(({ name }) => name).toSorted(),
  policy: decision.policy,
  method: request.method,
  host: request.host,
  path: request.path,
  query: request.query,
  target: request.target,
  ...bodyBindingOf(request.body, request.content_type),
});

const claim = ({ claims }: Caller, name: string): string | null => {
  const value = claims[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
};
