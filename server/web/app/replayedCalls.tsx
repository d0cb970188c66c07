/** What became of each call of a replay: a line each, and opened, why, what differs, and both answers. */

import { useState } from "preact/hooks";
import type { ReplayedCallJson, ReplayJson } from "../../contract.ts";
import { outcomeMarks, valueOf } from "../errands.ts";
import { Long, Shown } from "./shown.tsx";
import { Sides } from "./sideBySide.tsx";
import { plural, shortName } from "./words.ts";

export type ReplayedCallsProps = { readonly replay: ReplayJson; readonly calls: readonly ReplayedCallJson[] };

export const ReplayedCalls = ({ replay, calls }: ReplayedCallsProps) => (
  <ul class="list replayed">
    {calls.map((call) => (
      <Line key={call.n} replay={replay} call={call} />
    ))}
  </ul>
);

export const OutcomeBadge = ({ outcome }: Pick<ReplayedCallJson, "outcome">) => {
  const { badge, sign, word } = outcomeMarks[outcome];
  return (
    <span class={`badge ${badge}`}>
      <span aria-hidden="true">{sign}</span>
      {word}
    </span>
  );
};

/** `#call-3` opens it. */
const isNamed = (n: number): boolean => location.hash === `#call-${n}`;

/** Both answers are read when somebody opens it, and not before: that they were looked at is on record. */
function Line({ replay, call }: { readonly replay: ReplayJson; readonly call: ReplayedCallJson }) {
  const [isOpen, setIsOpen] = useState(isNamed(call.n));
  return (
    <li id={`call-${call.n}`}>
      <details open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary>
          <span class="n">{call.n}</span> <OutcomeBadge outcome={call.outcome} />{" "}
          <strong>
            <Shown text={shortName(call.operation)} />
          </strong>{" "}
          <code>
            <Shown text={`${call.method} ${call.path}`.slice(0, 400)} />
          </code>{" "}
          <span class="soft">{summaryOf(call)}</span>
        </summary>
        {isOpen && <Details replay={replay} call={call} />}
      </details>
    </li>
  );
}

const summaryOf = ({ recorded_status, replayed_status, replay_n, differences }: ReplayedCallJson): string =>
  [
    replay_n === null
      ? "not sent"
      : recorded_status === replayed_status
        ? `status ${recorded_status ?? "none"}`
        : `status ${recorded_status ?? "none"} then, ${replayed_status ?? "none"} here`,
    ...(differences === null || differences.length === 0 ? [] : [plural(differences.length, "difference")]),
  ].join(", ");

const Details = ({ replay, call }: { readonly replay: ReplayJson; readonly call: ReplayedCallJson }) => (
  <div class="inside">
    {call.reason !== "" && (
      <p>
        <Shown text={call.reason} />
      </p>
    )}
    {call.differences === null ? (
      <p class="soft">What differed is not kept any more: it went with the bodies.</p>
    ) : (
      call.differences.length > 0 && <Differences n={call.n} differences={call.differences} />
    )}
    <Sides call={call} recorded={replay.session_id} replayed={replay.replay_session_id} />
  </div>
);

type Differences = NonNullable<ReplayedCallJson["differences"]>;

const Differences = ({ n, differences }: { readonly n: number; readonly differences: Differences }) => (
  <div class="scroll" tabIndex={0} role="region" aria-label={`What differs in call ${n}`}>
    <table class="words plain-table">
      <thead>
        <tr>
          {["Field", "Recorded", "Replayed"].map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {differences.map(({ path, recorded, replayed }, index) => (
          <tr key={index}>
            <td>
              <code>
                <Shown text={path} />
              </code>
            </td>
            <td>
              <code class="del">
                <Long text={valueOf(recorded)} first={400} step={2_000} />
              </code>
            </td>
            <td>
              <code class="add">
                <Long text={valueOf(replayed)} first={400} step={2_000} />
              </code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
