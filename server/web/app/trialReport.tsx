/** What another policy would have decided otherwise: by rule, and by kind of change with links to calls. */

import type { PolicyBacktestJson } from "../../contract.ts";
import { Shown } from "./shown.tsx";
import { moment, number, plural } from "./words.ts";

type Report = NonNullable<PolicyBacktestJson["report"]>;
type Group = Report["groups"][number];

export const TrialReport = ({ report }: { readonly report: Report }) => (
  <>
    <p role="status">
      <strong>{verdictOf(report)}</strong>
      {report.calls > 0 && `: ${plural(report.calls, "call")} since ${moment(report.since)}, decided again.`}
    </p>
    {notesOf(report).map((note) => (
      <p key={note}>{note}</p>
    ))}
    {report.unsettled.count > 0 && (
      <p>
        {plural(report.unsettled.count, "call")} cannot be decided again, because a rule reads a body that was not
        recorded whole: <Calls calls={report.unsettled.examples} />
      </p>
    )}
    {report.groups.length > 0 && <Changes groups={report.groups} />}
    {report.rules.length > 0 && <ByRule rules={report.rules} />}
  </>
);

const verdictOf = ({ calls, changed }: Report): string =>
  calls === 0
    ? "No call was recorded in that time"
    : changed === 0
      ? "No decision changes"
      : `${plural(changed, "decision")} ${changed === 1 ? "changes" : "change"}`;

function notesOf({ complete, looked_until, ungrouped, undecided, rules_on_answers }: Report): readonly string[] {
  const notes: string[] = [];
  if (!complete)
    notes.push(
      looked_until === null
        ? "The time for it was over before anything was looked at: try fewer days."
        : `The time for it was over: sessions that began after ${moment(looked_until)} were not looked at. Try fewer days.`,
    );
  if (ungrouped > 0) notes.push(`${plural(ungrouped, "changed call")} of further kinds are not listed.`);
  if (undecided > 0) notes.push(`${plural(undecided, "call")} never came to a decision (malformed, or broken off).`);
  if (rules_on_answers > 0)
    notes.push(`${plural(rules_on_answers, "rule")} on answers (phase: response) cannot be tried on recordings.`);
  return notes;
}

const Changes = ({ groups }: { readonly groups: readonly Group[] }) => (
  <>
    <h3 id="trial-changes">What changes</h3>
    <div class="scroll" tabIndex={0} role="region" aria-labelledby="trial-changes">
      <table class="words">
        <thead>
          <tr>
            {["Operation", "Who", "Calls", "Then", "Now", "Like"].map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group, index) => (
            <Change key={index} group={group} />
          ))}
        </tbody>
      </table>
    </div>
  </>
);

const Change = ({ group }: { readonly group: Group }) => (
  <tr>
    <td>
      <Shown text={group.operation} /> <span class="soft">{group.access}</span>
    </td>
    <td>
      <Shown text={group.caller} /> <span class="soft">on {group.connection}</span>
    </td>
    <td class="n">{number(group.count)}</td>
    <td>
      <Effect effect={group.before} rules={group.rules_before} />
    </td>
    <td>
      <Effect effect={group.after} rules={group.rules} />
      <br />
      <span class="soft">
        <Shown text={group.reason} />
      </span>
    </td>
    <td class="like">
      <Calls calls={group.examples} />
    </td>
  </tr>
);

const Effect = ({ effect, rules }: { readonly effect: Group["after"]; readonly rules: readonly string[] }) => (
  <>
    <strong class={effect === "refuse" ? "deny" : effect}>{effect}</strong>
    {rules.length > 0 && (
      <>
        {" by "}
        <code>
          <Shown text={rules.join(", ")} />
        </code>
      </>
    )}
  </>
);

const Calls = ({ calls }: { readonly calls: Group["examples"] }) => (
  <>
    {calls.map(({ id }) => {
      const [session = "", n = ""] = id.split("/");
      return (
        <>
          <a key={id} href={`/sessions/${session}/calls/${n}`}>
            call {n}
            <span class="unseen"> of session {session}</span>
          </a>{" "}
        </>
      );
    })}
  </>
);

const ByRule = ({ rules }: { readonly rules: Report["rules"] }) => (
  <>
    <h3 id="trial-rules">How often each rule decides</h3>
    <div class="scroll" tabIndex={0} role="region" aria-labelledby="trial-rules">
      <table>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Decided then</th>
            <th scope="col">Would decide</th>
          </tr>
        </thead>
        <tbody>
          {rules.map(({ name, before, after }) => (
            <tr key={name}>
              <td>
                <code>
                  <Shown text={name} />
                </code>
              </td>
              <td class="n">{number(before)}</td>
              <td class="n">
                {number(after)}
                {after !== before && (
                  <span class="soft"> ({`${after > before ? "+" : "−"}${number(Math.abs(after - before))}`})</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </>
);
