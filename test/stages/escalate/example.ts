/** A held call, its question and its approval, for the tests beside this file. */

import { buildCatalogue, lookUp } from "../../../server/datadog/catalogue.ts";
import type { Approval, CurrentState, RunContext } from "../../../server/model/approval.ts";
import type { Caller } from "../../../server/model/caller.ts";
import { prefixOfHost } from "../../../server/datadog/hosts.ts";
import { bodyBindingOf, digestOf, requestDigestOf } from "../../../server/stages/escalate/binding.ts";
import { stateOf } from "../../../server/stages/escalate/look.ts";
import { questionOf } from "../../../server/stages/escalate/question.ts";

export const catalogue = buildCatalogue();

export const id = "0199f0a0-1111-7000-8000-000000000001";
export const asked = new Date("2026-11-23T03:00:00.000Z");
export const head = "5f2c6c1e0b7d4a9f8e3d2c1b0a9f8e7d6c5b4a39";

export const job: Caller = {
  issuer: "https://token.actions.githubusercontent.com",
  issuer_name: "github",
  subject: "repo:acme/shop:pull_request",
  groups: [],
  claims: {
    repository: "acme/shop",
    repository_id: "4711",
    run_id: "900",
    run_attempt: "1",
    workflow: "clean up monitors",
    actor: "mona",
    head_ref: "fix/noisy-monitors",
  },
};

export const run: RunContext = {
  repository: "acme/shop",
  repository_id: "4711",
  run_id: "900",
  run_attempt: "1",
  pull: { number: 12, head_sha: head, url: "https://github.com/acme/shop/pull/12" },
  own_people: ["mona"],
  head_sha: head,
  job: "tidy (eu)",
};

export const monitor = {
  id: 4212,
  org_id: 197728,
  type: "query alert",
  name: "Checkout latency p99",
  message: "Checkout is slow.\n\nSee the runbook: https://wiki.example.com/checkout\n@slack-checkout\n\nThank you!",
  tags: ["service:checkout", "team:shop"],
  query: "avg(last_5m):p99:trace.http.request{service:checkout} > 1",
  options: { thresholds: { critical: 1 }, notify_no_data: false, renotify_interval: 60, include_tags: true },
  overall_state: "OK",
  overall_state_modified: "2026-11-20T09:00:00.000000+00:00",
  created: "2026-01-02T09:00:00.000000+00:00",
  modified: "2026-10-02T09:00:00.000000+00:00",
  creator: { name: "Ana", handle: "ana@acme.com" },
};

export type Ask = {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: string | Buffer;
  readonly content_type?: string;
  /** What Datadog shows now; left out: nothing is shown. */
  readonly current?: unknown;
  readonly caller?: Caller;
  readonly run?: RunContext | null;
  readonly more?: Partial<Approval>;
};

export const operationOf = (method: string, path: string) =>
  lookUp(catalogue, prefixOfHost("datadoghq.com", "api.datadoghq.com") ?? "api", { method, path });

/** A pending approval, whole as the journey would have made it. */
export function ask({
  method,
  path,
  query = "",
  current,
  caller = job,
  run: where = run,
  more = {},
  ...sent
}: Ask): Approval {
  const operation = operationOf(method, path);
  const body = sent.body === undefined ? null : Buffer.from(sent.body);
  const bound = bodyBindingOf(
    body ?? Buffer.alloc(0),
    sent.content_type ?? (body === null ? null : "application/json"),
  );
  const request = {
    session_id: "0199f0a0-0000-7000-8000-000000000001",
    issuer: caller.issuer,
    subject: caller.subject,
    connection: "prod",
    repository_id: where?.repository_id ?? null,
    run_id: where?.run_id ?? null,
    run_attempt: where?.run_attempt ?? null,
    rules: ["writes-need-a-human"],
    policy: "p".repeat(64),
    method,
    host: "api.datadoghq.com",
    path,
    query,
    target: `${path}?${query}`,
    ...bound,
  };
  const binding = { ...request, pull_request: where?.pull?.number ?? null, head_sha: where?.head_sha ?? null };
  return {
    id,
    state: "pending",
    code: "K7M2Q9XZ",
    session_id: request.session_id,
    connection: "prod",
    call: { session_id: request.session_id, n: 3 },
    consumed_by: null,
    operation: operation.id,
    terms: {
      rule: "writes-need-a-human",
      approvers: { permission: "write", roles: [], teams: ["sre"], groups: [], count: 1, self: false },
      via: ["comment", "check", "page"],
      grants: { session: false, longest: null },
      expires: 30 * 60_000,
    },
    digest: digestOf(binding),
    request_digest: requestDigestOf(request),
    binding,
    run: where,
    question: questionOf({
      caller,
      run: where,
      connection: "prod",
      operation,
      request: { host: "api.datadoghq.com", path, query, body },
      decision: {
        effect: "approve",
        rules: [
          {
            name: "writes-need-a-human",
            effect: "approve",
            reason: 'operation.access in ["write", "destructive"]',
          },
        ],
        reason: `${operation.name} needs an approval`,
        policy: "p".repeat(64),
      },
      current: stateFor(operation.id, current),
    }),
    asked_at: asked,
    expires_at: new Date(asked.getTime() + 30 * 60_000),
    decided_at: null,
    reason: "",
    where: [
      { kind: "review_comment", url: "https://github.com/acme/shop/pull/12#discussion_r50", id: 50, number: 12 },
      { kind: "check_run", url: "https://github.com/acme/shop/runs/70", id: 70, number: null },
    ],
    answers: [],
    ...more,
  };
}

const stateFor = (operation: string, current: unknown): CurrentState =>
  current === undefined
    ? { kind: "unavailable", why: "Datadog has no operation that shows it" }
    : {
        kind: "known",
        call: null,
        ...stateOf(
          operation.replace(/\.(?:Delete|Update)(\w+)$/, ".Get$1"),
          Buffer.from(typeof current === "string" ? current : JSON.stringify(current)),
        ),
      };

export const deletion = (more: Partial<Approval> = {}): Approval =>
  ask({ method: "DELETE", path: "/api/v1/monitor/4212", current: monitor, more });

export const links = {
  page: `https://dogwatch.example.com/approvals/${id}`,
  call: "https://dogwatch.example.com/sessions/0199f0a0-0000-7000-8000-000000000001/calls/5",
  seal: null,
};
