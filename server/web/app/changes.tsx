/** Before and after of an update, as far as the session itself saw both. */

import { useEffect, useState } from "preact/hooks";
import type { CallJson, OutlineJson } from "../../contract.ts";
import { contentOf } from "./bytes.ts";
import { type DiffLine, diffOf } from "./diff.ts";
import { read } from "./gateway.ts";
import { Shown } from "./shown.tsx";

type Compared = { readonly before: number; readonly lines: readonly DiffLine[] | null };

/** Earlier calls that are looked through for the state before. */
const looksBack = 1_000;

export function Changes({ call }: { readonly call: CallJson }) {
  const [compared, setCompared] = useState<Compared | "none" | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    setCompared(null);
    compare(call, gone.signal)
      .then((found) => setCompared(found ?? "none"))
      .catch(() => !gone.signal.aborted && setCompared("none"));
    return () => gone.abort();
  }, [call]);
  if (compared === null) return <p class="soft">Looking for the state before…</p>;
  if (compared === "none")
    return (
      <p class="soft">
        The session did not read <code>{call.path}</code> before this call, so its state before is not in the recording.
        {call.approval_id !== null && (
          <>
            {" "}
            <a href={`/approvals/${call.approval_id}`}>The question to people shows it.</a>
          </>
        )}
      </p>
    );
  const { before, lines } = compared;
  return (
    <>
      <p class="soft">
        From the answer to <a href={`/sessions/${call.session_id}/calls/${before}`}>call {before}</a> to{" "}
        {call.response?.body == null ? "this request" : "the answer to this call"}.
      </p>
      {lines === null ? (
        <p class="soft">Too long or too different to compare here.</p>
      ) : lines.length === 0 ? (
        <p>Nothing is different.</p>
      ) : (
        <pre class="diff" tabIndex={0} role="region" aria-label="What changed">
          {lines.map(({ kind, text }, index) => (
            <span key={index} class={kind}>
              {kind === "add" ? "+ " : kind === "del" ? "- " : "  "}
              <Shown text={text} />
            </span>
          ))}
        </pre>
      )}
    </>
  );
}

async function compare(call: CallJson, signal: AbortSignal): Promise<Compared | null> {
  const after = Math.max(0, call.n - 1 - looksBack);
  const { items } = await read<OutlineJson>(`/v1/sessions/${call.session_id}/outline?after=${after}`, signal);
  const seen = items.findLast(
    (item) =>
      item.n < call.n &&
      item.host === call.host &&
      item.path === call.path &&
      item.status !== null &&
      item.status < 300 &&
      item.method !== "DELETE",
  );
  if (seen === undefined) return null;
  const earlier = await read<CallJson>(`/v1/sessions/${call.session_id}/calls/${seen.n}`, signal);
  const [before, now] = [
    await textOf(earlier.response?.body),
    (await textOf(call.response?.body)) ?? (await textOf(call.request.body)),
  ];
  return before === null || now === null ? null : { before: seen.n, lines: diffOf(before, now) };
}

async function textOf(body: CallJson["request"]["body"] | undefined): Promise<string | null> {
  if (body === null || body === undefined) return null;
  const content = await contentOf(body);
  return content.kind === "text" && content.text !== "" ? content.text : null;
}
