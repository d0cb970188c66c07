/** Trying an edited policy on what was recorded: the text with its problems at their lines, and what would be decided otherwise. */

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PolicyBacktestJson } from "../../contract.ts";
import { Editor, placeCaret } from "./editor.tsx";
import { reasonOf, send } from "./gateway.ts";
import { Shown } from "./shown.tsx";
import { TrialReport } from "./trialReport.tsx";
import { plural } from "./words.ts";

/** The form works without this: what somebody has typed already stays. */
export function takeOverTrial(): void {
  const form = document.querySelector<HTMLFormElement>("form.try");
  const text = form?.querySelector("textarea");
  if (!form || !text) return;
  const place = document.createElement("div");
  form.replaceWith(place);
  const days = Number(form.querySelector("select")?.value ?? 7);
  const token = form.querySelector<HTMLInputElement>("input[name=form]")?.value ?? "";
  render(<TryPolicy form={token} text={text.value} inForce={text.defaultValue} days={days} />, place);
}

type Given = { readonly form: string; readonly text: string; readonly inForce: string; readonly days: number };

function TryPolicy({ form, text: first, inForce, days: firstDays }: Given) {
  const [text, setText] = useState(first);
  const [days, setDays] = useState(firstDays);
  const { found, trouble, running, run, stop } = useTrial(form);
  const area = useRef<HTMLTextAreaElement>(null);
  const start = (event: Event): void => {
    event.preventDefault();
    document.querySelector("#try-result")?.remove();
    void run({ text, days });
  };
  const problems = found?.problems ?? [];
  return (
    <>
      <form class="try" onSubmit={start}>
        <Editor
          text={text}
          area={area}
          wrong={problems.map(({ line }) => line)}
          change={setText}
          submit={start}
          describedBy={problems.length > 0 ? "trial-problems" : null}
        />
        <div class="buttons">
          <label>
            Calls of the last{" "}
            <select value={String(days)} onChange={(event) => setDays(Number(event.currentTarget.value))}>
              {[1, 7, 14, 30].map((one) => (
                <option key={one} value={String(one)}>
                  {one === 1 ? "day" : `${one} days`}
                </option>
              ))}
            </select>
          </label>
          <button disabled={running || text.trim() === ""}>Try it</button>
          {running && (
            <button type="button" class="quiet" onClick={stop}>
              Stop
            </button>
          )}
          {text !== inForce && !running && (
            <button type="button" class="quiet" onClick={() => setText(inForce)}>
              Back to the text as it was
            </button>
          )}
        </div>
      </form>
      <div aria-live="polite">
        {running && <p class="soft">Deciding again what was recorded…</p>}
        {trouble !== null && <p class="notice">It was not tried: {trouble}</p>}
        {found !== null && !running && problems.length > 0 && (
          <Problems problems={problems} go={(problem) => placeCaret(area.current, problem)} />
        )}
        {found?.report != null && !running && <TrialReport report={found.report} />}
      </div>
    </>
  );
}

type Problem = PolicyBacktestJson["problems"][number];

const Problems = ({
  problems,
  go,
}: {
  readonly problems: readonly Problem[];
  readonly go: (problem: Problem) => void;
}) => (
  <div class="notice" id="trial-problems">
    <strong>This text cannot be used</strong>: {plural(problems.length, "problem")}.
    <ul class="problems">
      {problems.map((problem) => (
        <li key={`${problem.line}:${problem.column}:${problem.message}`}>
          <button type="button" class="plain" onClick={() => go(problem)}>
            Line {problem.line}, column {problem.column}
          </button>
          : {problem.path !== "" && <code>{<Shown text={problem.path} />}</code>} <Shown text={problem.message} />
        </li>
      ))}
    </ul>
  </div>
);

type Asked = { readonly text: string; readonly days: number };

/** One trial at a time; the gateway ends it when this page goes away, and so does Stop. */
function useTrial(form: string) {
  const [found, setFound] = useState<PolicyBacktestJson | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [going, setGoing] = useState<AbortController | null>(null);
  useEffect(() => () => going?.abort(), [going]);
  const run = async (asked: Asked): Promise<void> => {
    if (going !== null) return;
    const gone = new AbortController();
    setGoing(gone);
    setTrouble(null);
    try {
      setFound(await send<PolicyBacktestJson>("/v1/policies/backtest", { form, content: asked }, gone.signal));
    } catch (error) {
      setFound(null);
      setTrouble(gone.signal.aborted ? "it was stopped." : reasonOf(error));
    }
    setGoing(null);
  };
  return { found, trouble, running: going !== null, run, stop: () => going?.abort() };
}
