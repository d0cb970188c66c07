/** One call whole: what was asked, what the rules said of it, what Datadog answered. */

import { useEffect, useState } from "preact/hooks";
import type { ApprovalJson, CallJson, PolicyJson } from "../../contract.ts";
import { Changes } from "./changes.tsx";
import { curlOf } from "./curl.ts";
import { read, reasonOf } from "./gateway.ts";
import { AccessMark, EffectBadge } from "./marks.tsx";
import { Message } from "./message.tsx";
import { Long, Shown } from "./shown.tsx";
import { CopyButton } from "./copy.tsx";
import { duration, moment, shortName } from "./words.ts";

export function CallView({ call, heading }: { readonly call: CallJson; readonly heading: "page" | "pane" }) {
  const Title = heading === "page" ? "h1" : "h2";
  const here = `/sessions/${call.session_id}/calls/${call.n}`;
  return (
    <div class="call">
      <div class="call-title">
        <AccessMark access={call.access} />
        <Title>
          {heading === "pane" ? <a href={here}>#{call.n}</a> : `#${call.n}`} {shortName(call.operation)}
        </Title>
        <EffectBadge effect={call.decision.effect} />
        <span class="badge">{call.status ?? call.state}</span>
      </div>
      <p class="request-line">
        <code>
          <strong>{call.method}</strong>{" "}
          <Long
            text={`https://${call.host}${call.path}${call.query === "" ? "" : `?${call.query}`}`}
            first={600}
            step={20_000}
          />
        </code>
      </p>
      <div class="buttons">
        <CopyButton what="curl" text={() => curlOf(call)} />
        <CopyButton what="link" text={() => location.origin + here + (heading === "page" ? location.hash : "")} />
      </div>
      <Verdict call={call} />
      <Times call={call} />
      {call.approval_id !== null && <Thread id={call.approval_id} />}
      {call.error !== null && call.error !== call.decision.reason && (
        <p class="notice">
          <code>{call.error_code}</code> <Shown text={call.error} />
        </p>
      )}
      {(call.method === "PUT" || call.method === "PATCH") && (
        <>
          <h2>Before → after</h2>
          <Changes call={call} />
        </>
      )}
      <h2>Request</h2>
      <Message message={call.request} side="request" raw={`${here}/request/body`} />
      <h2>Response</h2>
      {call.response === null ? (
        <p class="soft">No answer was recorded{call.upstream === null ? ": nothing was sent." : "."}</p>
      ) : (
        <Message message={call.response} side="response" raw={`${here}/response/body`} />
      )}
    </div>
  );
}

function Verdict({ call }: { readonly call: CallJson }) {
  const texts = useRules(call.decision.policy);
  return (
    <>
      <Decided decision={call.decision} texts={texts} />
      {call.response_decision !== null && <Decided decision={call.response_decision} texts={texts} />}
    </>
  );
}

const effectVerbs: ReadonlyMap<string, string> = new Map([
  ["allow", "allows it"],
  ["deny", "denies it"],
  ["approve", "asks people"],
]);

type Rules = ReadonlyMap<string, string>;

function Decided({ decision, texts }: { readonly decision: CallJson["decision"]; readonly texts: Rules }) {
  return (
    <section class={`verdict ${decision.effect}`} aria-label="Decision">
      <p>
        <strong>
          <Shown text={decision.reason} />
        </strong>
      </p>
      {decision.rules.length > 0 && (
        <ul>
          {decision.rules.map(({ name, effect, reason }) => (
            <li key={name}>
              <a href={`/policies/${decision.policy}#rule-${name}`}>{name}</a>{" "}
              <span class="soft">{effectVerbs.get(effect) ?? effect}, because</span> <Shown text={reason} />
              {texts.has(name) && (
                <code class="when">
                  <Shown text={texts.get(name) ?? ""} />
                </code>
              )}
            </li>
          ))}
        </ul>
      )}
      {decision.near.map(({ name, effect, clause }) => (
        <p key={name}>
          Nearly <strong>{name}</strong> ({effect}), but for{" "}
          <code>
            <Shown text={clause} />
          </code>
        </p>
      ))}
      {decision.tokens.map(({ kind, path, outcome }, index) => (
        <p key={index}>
          Masked {kind} at{" "}
          <code>
            <Shown text={path} />
          </code>
          : {outcome}
        </p>
      ))}
    </section>
  );
}

/** The conditions of the policy that decided, by the names of its rules; nobody misses them when they cannot be read. */
function useRules(digest: string): Rules {
  const [rules, setRules] = useState<Rules>(new Map());
  useEffect(() => {
    const gone = new AbortController();
    if (!/^0*$/.test(digest))
      read<PolicyJson>(`/v1/policies/${digest}`, gone.signal)
        .then((policy) => setRules(new Map(policy.rules.map(({ name, when }) => [name, when]))))
        .catch(() => undefined);
    return () => gone.abort();
  }, [digest]);
  return rules;
}

const Times = ({ call }: { readonly call: CallJson }) => {
  const from = Date.parse(call.received_at);
  const since = (time: string | null): string => (time === null ? "–" : `+${duration(Date.parse(time) - from)}`);
  return (
    <dl class="times">
      <div>
        <dt>Received</dt>
        <dd>{moment(call.received_at)}</dd>
      </div>
      <div>
        <dt>Decided</dt>
        <dd>{since(call.decided_at)}</dd>
      </div>
      <div>
        <dt>Sent</dt>
        <dd>{since(call.forwarded_at)}</dd>
      </div>
      <div>
        <dt>First byte</dt>
        <dd>{since(call.first_byte_at)}</dd>
      </div>
      <div>
        <dt>Done</dt>
        <dd>{since(call.done_at)}</dd>
      </div>
      <div>
        <dt>Client</dt>
        <dd>
          <Shown text={call.client ?? "unnamed"} />
        </dd>
      </div>
    </dl>
  );
};

function Thread({ id }: { readonly id: string }) {
  const [approval, setApproval] = useState<ApprovalJson | string | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    read<ApprovalJson>(`/v1/approvals/${id}`, gone.signal)
      .then(setApproval)
      .catch((error: unknown) => !gone.signal.aborted && setApproval(reasonOf(error)));
    return () => gone.abort();
  }, [id]);
  return (
    <>
      <h2>Approval</h2>
      {approval === null || typeof approval === "string" ? (
        <p class="soft">
          {approval ?? "Reading…"} <a href={`/approvals/${id}`}>The question</a>
        </p>
      ) : (
        <>
          <p>
            <a href={`/approvals/${id}`}>
              <Shown text={approval.title} />
            </a>{" "}
            <span
              class={`badge ${approval.state === "denied" ? "deny" : approval.state === "pending" ? "approve" : "approved"}`}
            >
              {approval.state}
            </span>
          </p>
          <ul class="thread">
            {approval.answers.length === 0 && (
              <li class="soft">Nobody has answered{approval.state === "pending" ? " yet" : ""}.</li>
            )}
            {approval.answers.map((answer, index) => (
              <li key={index}>
                <strong>
                  <Shown text={answer.by} />
                </strong>{" "}
                {answer.verdict === "approve" ? "approved" : "denied"} by {answer.via}, {moment(answer.at)}
                {!answer.accepted && <span class="soft"> (does not count)</span>}
                {answer.reason !== "" && (
                  <div class="soft">
                    <Shown text={answer.reason} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
