/** What would take a session back, and doing it: each step as it stands, asked again while people are asked. */

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { UndoJson } from "../../contract.ts";
import { isBegun, leftOf, undoVerdict } from "../errands.ts";
import { read } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { Shown } from "./shown.tsx";
import { UndoStep } from "./undoStep.tsx";
import { useUndo } from "./watchUndo.ts";
import { plural } from "./words.ts";

/** What the server wrote says who may do it, and why not. */
export async function takeUndo(id: string): Promise<ComponentChild> {
  const form = document.querySelector<HTMLInputElement>("form.undo input[name=form]")?.value ?? null;
  const refusal = document.querySelector("main > p.notice")?.textContent ?? null;
  return <UndoPage first={await read<UndoJson>(`/v1/sessions/${id}/undo`)} form={form} refusal={refusal} />;
}

type UndoPageProps = { readonly first: UndoJson; readonly form: string | null; readonly refusal: string | null };

function UndoPage({ first, form, refusal }: UndoPageProps) {
  const { shown, trouble, doing, act } = useUndo(first, form);
  useKeys({ u: () => location.assign(`/sessions/${first.session_id}`) });
  const { label, said, box } = undoVerdict(shown);
  return (
    <>
      <p class="crumbs">
        <a href="/sessions">Sessions</a> / <a href={`/sessions/${shown.session_id}`}>{shown.session_id}</a> / undo
      </p>
      <h1>Undo</h1>
      <p>
        On connection <code>{shown.connection}</code>.
      </p>
      <div class={`state ${box}`} role="status">
        <p>
          <strong>{label}</strong> {said}
        </p>
        {shown.session !== null && (
          <p>
            What it sends is recorded in <a href={`/sessions/${shown.session.id}`}>session {shown.session.id}</a>, like
            any other call.
          </p>
        )}
        {doing === "waiting" && <p>It goes on by itself as soon as somebody has answered, while this page is open.</p>}
        {doing === "sending" && <p>Looking, and sending…</p>}
      </div>
      {trouble !== null && (
        <p class="notice" role="alert">
          <Shown text={trouble} />
        </p>
      )}
      {shown.steps.length > 0 && <h2>Steps, in the order in which they are done</h2>}
      <ol class="steps">
        {shown.steps.map((step) => (
          <UndoStep key={step.key} step={step} all={shown.steps} />
        ))}
      </ol>
      {form === null
        ? refusal !== null && <p class="notice">{refusal}</p>
        : doing === null && leftOf(shown) > 0 && <DoIt undo={shown} act={act} />}
    </>
  );
}

/** Never by one key or one press alone. */
function DoIt({ undo, act }: { readonly undo: UndoJson; act(): void }) {
  const [confirmed, setConfirmed] = useState(false);
  const words = isBegun(undo) ? "Go on" : "Do it";
  return (
    <>
      <h2 id="do">{words}</h2>
      <p>
        Each step first looks whether everything is still as the session left it, and sends nothing where it is not.
        Rules decide, and people are asked where a rule says so.
      </p>
      <form
        class="undo"
        aria-labelledby="do"
        onSubmit={(event) => {
          event.preventDefault();
          act();
        }}
      >
        <label>
          <input
            type="checkbox"
            required
            checked={confirmed}
            onChange={(event) => setConfirmed(event.currentTarget.checked)}
          />
          I have read the plan: {plural(leftOf(undo), "step")} on connection {undo.connection}
        </label>
        <button class="no">{words}</button>
      </form>
    </>
  );
}
