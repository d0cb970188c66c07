/** The page of one call: the call, and the way to its neighbours. */

import { useEffect, useState } from "preact/hooks";
import type { CallJson } from "../../contract.ts";
import { CallView } from "./call.tsx";
import { useKeys } from "./keys.ts";

export function CallPage({ first }: { readonly first: CallJson }) {
  const [call] = useState(first);
  const to = (n: number): string => `/sessions/${call.session_id}/calls/${n}`;
  useKeys({
    "[": () => call.n > 1 && location.assign(to(call.n - 1)),
    "]": () => location.assign(to(call.n + 1)),
    u: () => location.assign(`/sessions/${call.session_id}#call-${call.n}`),
  });
  useEffect(() => {
    document.title = `Call ${call.n}: ${call.operation} · Dogwatch`;
  }, [call]);
  return (
    <>
      <p class="crumbs">
        <a href="/sessions">Sessions</a> / <a href={`/sessions/${call.session_id}#call-${call.n}`}>{call.session_id}</a>{" "}
        · {call.n > 1 && <a href={to(call.n - 1)}>previous call</a>}
        {call.n > 1 && " · "} <a href={to(call.n + 1)}>next call</a>
      </p>
      <CallView call={call} heading="page" />
    </>
  );
}
