/** A session in five numbers. */

import type { SessionJson } from "../../contract.ts";
import { duration, number } from "./words.ts";

export const Totals = ({
  session,
  calls,
  now,
}: {
  readonly session: SessionJson;
  readonly calls: number;
  readonly now: number;
}) => (
  <dl class="totals">
    <div>
      <dt>calls</dt>
      <dd>{number(Math.max(session.calls, calls))}</dd>
    </div>
    <div>
      <dt>denied</dt>
      <dd class={session.denied > 0 ? "deny" : ""}>{number(session.denied)}</dd>
    </div>
    <div>
      <dt>approved by people</dt>
      <dd>{number(session.approved)}</dd>
    </div>
    <div>
      <dt>values masked</dt>
      <dd>{number(session.masked)}</dd>
    </div>
    <div>
      <dt>{session.state === "open" ? "running for" : "took"}</dt>
      <dd>
        {duration(
          Math.max(
            0,
            (session.closed_at === null ? now : Date.parse(session.closed_at)) - Date.parse(session.opened_at),
          ),
        )}
      </dd>
    </div>
  </dl>
);
