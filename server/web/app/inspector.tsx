/** The call that is looked at, beside the list. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { CallJson } from "../../contract.ts";
import { CallView } from "./call.tsx";
import { read, reasonOf } from "./gateway.ts";

/** While a playback hurries, only where it rests is read. */
export function Inspector({
  session,
  n,
  state,
  quick,
}: {
  readonly session: string;
  readonly n: number;
  readonly state: string;
  readonly quick: boolean;
}) {
  const [call, setCall] = useState<CallJson | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const path = useMemo(() => `/v1/sessions/${session}/calls/${n}`, [session, n]);
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(
      () =>
        read<CallJson>(path, gone.signal)
          .then((found) => {
            setCall(found);
            setTrouble(null);
          })
          .catch((error: unknown) => !gone.signal.aborted && setTrouble(reasonOf(error))),
      quick ? 250 : 60,
    );
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [path, state, quick]);
  return (
    <aside class="panel inspector" aria-label="The selected call" tabIndex={0}>
      {trouble !== null && <p class="notice">{trouble}</p>}
      {call === null ? <p class="soft">Reading…</p> : <CallView key={call.id} call={call} heading="pane" />}
    </aside>
  );
}
