/** The question as people see it: everything they need to answer, in plain words. */

import { maskPath } from "../../datadog/credentials.ts";
import type { CurrentState, Question, RunContext } from "../../model/approval.ts";
import type { Caller } from "../../model/caller.ts";
import type { Decision } from "../../model/decision.ts";
import { aboutOf, originOf, purposeOf } from "../../model/ownCaller.ts";
import type { Operation } from "../../model/operation.ts";
import { titleOf } from "./title.ts";
import { short } from "./visible.ts";

/** One held call; `body` decoded and masked, `current` masked. */
export type Held = {
  readonly caller: Caller;
  readonly run: RunContext | null;
  readonly connection: string;
  readonly operation: Operation;
  readonly request: {
    readonly host: string;
    readonly path: string;
    readonly query: string;
    readonly body: Buffer | null;
  };
  readonly decision: Decision;
  readonly current: CurrentState;
};

export function questionOf({ caller, run, connection, operation, request, decision, current }: Held): Question {
  const { host, query, body } = request;
  const path = maskPath(operation, request.path);
  const text = body === null ? null : textOf(body);
  const texts = [current.kind === "known" ? current.text : null, text];
  return {
    title: titleOf(operation, { texts, isSecret: path !== request.path }),
    operation: operation.id,
    access: operation.access,
    connection,
    method: operation.method,
    host,
    path,
    query,
    why: decision.rules
      .filter(({ effect }) => effect === "approve")
      .map(({ name, reason }) => ({ rule: name, reason })),
    who: whoAsks(caller, run),
    body: text,
    body_size: body?.length ?? 0,
    current,
  };
}

/** What is not UTF-8 is no text: replacing what cannot be read would show something else. */
const textOf = (body: Buffer): string | null => {
  const text = body.toString("utf8");
  return Buffer.from(text).equals(body) ? text : null;
};

function whoAsks(caller: Caller, run: RunContext | null): Question["who"] {
  const about = aboutOf(caller);
  const origin = originOf(caller);
  if (about === null || origin === null) return run === null ? otherCaller(caller) : job(caller, run);
  const own = { ...otherCaller(caller), [`${purposeOf(caller)}_of`]: about };
  return run === null ? own : { ...own, repository: run.repository, run_url: runUrl(origin, run) };
}

const otherCaller = ({ subject, issuer }: Caller): Question["who"] => ({
  subject: short(subject),
  issuer: short(issuer),
});

/** The repository as GitHub's API named it; the rest is what GitHub signed. */
function job(caller: Caller, run: RunContext): Question["who"] {
  const { claims } = caller;
  const claimed = (name: string): string => (typeof claims[name] === "string" ? short(claims[name]) : "");
  const known: Record<string, string> = {
    repository: run.repository,
    workflow: claimed("workflow") || claimed("workflow_ref"),
    job: run.job === undefined ? claimed("environment") : short(run.job),
    actor: claimed("actor"),
    ref: claimed("head_ref") || claimed("ref"),
    run_url: runUrl(caller, run),
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== ""));
}

const runUrl = ({ issuer }: Caller, { repository, run_id, run_attempt }: RunContext): string =>
  `${webOf(issuer)}/${repository}/actions/runs/${run_id}/attempts/${run_attempt}`;

/** github.com, a ghe.com subdomain, or the server whose issuer this is: https://docs.github.com/en/actions/concepts/security/openid-connect */
function webOf(issuer: string): string {
  const { protocol, host } = new URL(issuer);
  if (host === "token.actions.githubusercontent.com") return "https://github.com";
  const [, subdomain] = /^token\.actions\.([\w-]+\.ghe\.com)$/.exec(host) ?? [];
  return subdomain === undefined ? `${protocol}//${host}` : `https://${subdomain}`;
}
