/** One step of an undo: what it takes back and how, the request as it is sent, and how it stands. */

import { useState } from "preact/hooks";
import type { UndoStepJson } from "../../contract.ts";
import { aboutWords, actionWords, callWords, resourceWords, stepMarks } from "../errands.ts";
import { readJson } from "./json.ts";
import { Long, Shown } from "./shown.tsx";
import { Tree } from "./tree.tsx";

export function UndoStep({ step, all }: { readonly step: UndoStepJson; readonly all: readonly UndoStepJson[] }) {
  const { action, why, from, needs, n, operation } = step;
  return (
    <li>
      <h3>
        <Shown text={resourceWords(step)} /> <StepBadge state={step.state} />
      </h3>
      <p>
        <strong class={action === "impossible" || action === "look" ? "deny" : undefined}>{actionWords[action]}</strong>
        : <Shown text={why} />
      </p>
      <p class="soft">
        {aboutWords(step)} <CallLink call_id={step.call_id} words={`call ${n}`} /> (<Shown text={operation} />)
        {from !== null && (
          <>
            , to what <CallLink call_id={from.call_id} words={`call ${from.call_id.split("/")[1]}`} /> showed
          </>
        )}
        {needs.length > 0 &&
          `, after the step for call ${needs.map((key) => all.find((one) => one.key === key)?.n ?? key).join(", ")}`}
        .
      </p>
      {step.request !== null && <Request n={n} request={step.request} />}
      <Outcome step={step} />
    </li>
  );
}

const StepBadge = ({ state }: Pick<UndoStepJson, "state">) => {
  const { word, sign, badge } = stepMarks[state];
  return word === "" ? null : (
    <span class={`badge ${badge}`}>
      <span aria-hidden="true">{sign}</span>
      {word}
    </span>
  );
};

/** Links are ours, whatever name the gateway has outside. */
const CallLink = ({ call_id, words }: { readonly call_id: string; readonly words: string }) => {
  const [session = "", n = ""] = call_id.split("/");
  return <a href={`/sessions/${session}/calls/${n}`}>{words}</a>;
};

function Request({ n, request }: { readonly n: number; readonly request: NonNullable<UndoStepJson["request"]> }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        Request:{" "}
        <code>
          <Shown text={`${request.method} ${request.path}`} />
        </code>
      </summary>
      {isOpen && <RequestBody n={n} body={request.body} />}
    </details>
  );
}

function RequestBody({ n, body }: { readonly n: number; readonly body: string | null }) {
  if (body === null) return <p class="soft">It has no body.</p>;
  const root = readJson(body);
  return root === null ? (
    <pre tabIndex={0} role="region" aria-label={`Body of the request for call ${n}`}>
      <Long text={body} first={8_000} step={100_000} />
    </pre>
  ) : (
    <Tree text={body} root={root} side={`request-${n}`} />
  );
}

const Outcome = ({ step: { state, result, done_by, new_id, approval, differs } }: { readonly step: UndoStepJson }) => (
  <>
    {result !== "" && (
      <p>
        <Shown text={result} />
      </p>
    )}
    {approval !== null && (
      <p>
        <a href={`/approvals/${approval.id}`}>The question to people</a>
      </p>
    )}
    {done_by !== null && (
      <p>
        <CallLink call_id={done_by.call_id} words={callWords(state)} />
        {new_id !== null && (
          <>
            . It has another id now:{" "}
            <code>
              <Shown text={new_id} />
            </code>
          </>
        )}
      </p>
    )}
    {differs.length > 0 && (
      <p>
        Not as it was:{" "}
        {differs.map((field, index) => (
          <>
            {index > 0 && ", "}
            <code key={field}>
              <Shown text={field} />
            </code>
          </>
        ))}
      </p>
    )}
  </>
);
