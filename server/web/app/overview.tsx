/** What agents did lately, in a few charts. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { OverTime, Ranked } from "./charts.tsx";
import { searchAddress } from "../searching.ts";
import { type Gathered, gatherCalls } from "./gather.ts";
import { reasonOf } from "./gateway.ts";
import { countBy, overTime, repositoryOf, slowest } from "./tallies.ts";
import { effectWords } from "./marks.tsx";
import { duration, plural, shortName } from "./words.ts";

export function OverviewPage() {
  const { gathered, trouble } = useGathered();
  return (
    <>
      <h1>Overview</h1>
      {trouble !== null && (
        <p class="notice" role="status">
          {trouble}
        </p>
      )}
      {gathered === null ? (
        trouble === null && (
          <p class="soft" role="status">
            Reading the latest sessions…
          </p>
        )
      ) : gathered.calls.length === 0 ? (
        <div class="empty">
          <strong>No call yet</strong>
          When agents have called Datadog through this gateway, this page says what they did.
        </div>
      ) : (
        <Charts gathered={gathered} />
      )}
    </>
  );
}

export function useGathered(): { readonly gathered: Gathered | null; readonly trouble: string | null } {
  const [gathered, setGathered] = useState<Gathered | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    gatherCalls(gone.signal)
      .then(setGathered)
      .catch((error: unknown) => !gone.signal.aborted && setTrouble(reasonOf(error)));
    return () => gone.abort();
  }, []);
  return { gathered, trouble };
}

const search = (key: string) => (name: string) => searchAddress(`${key}:${/[\s()"]/.test(name) ? `"${name}"` : name}`);

function Charts({ gathered: { calls, sessions, more } }: { readonly gathered: Gathered }) {
  const time = useMemo(() => overTime(calls, 48), [calls]);
  const denied = useMemo(() => calls.filter(({ call }) => call.decision.effect === "deny"), [calls]);
  return (
    <>
      <p class="soft">
        {plural(calls.length, "call")} of the latest {plural(sessions.length, "session")}
        {more ? "; there are older ones that are not counted here." : "."}
      </p>
      <div class="grid">
        <section class="card full" aria-labelledby="over-time">
          <h2 id="over-time">Calls over time, by decision</h2>
          <OverTime slots={time.slots} step={time.step} />
        </section>
        <section class="card" aria-labelledby="by-operation">
          <h2 id="by-operation">By operation</h2>
          <Ranked
            items={countBy(calls, ({ call }) => [shortName(call.operation)])}
            most={8}
            href={search("operation")}
          />
        </section>
        <section class="card" aria-labelledby="by-repository">
          <h2 id="by-repository">By repository</h2>
          <Ranked items={countBy(calls, (call) => [repositoryOf(call)])} most={8} />
        </section>
        <section class="card" aria-labelledby="by-access">
          <h2 id="by-access">By access</h2>
          <Ranked items={countBy(calls, ({ call }) => [call.access])} most={8} href={search("access")} />
        </section>
        <section class="card" aria-labelledby="by-decision">
          <h2 id="by-decision">By decision</h2>
          <Ranked items={countBy(calls, ({ call }) => [effectWords[call.decision.effect]])} most={8} />
        </section>
        <section class="card" aria-labelledby="most-denied">
          <h2 id="most-denied">Most denied</h2>
          <Ranked
            items={countBy(denied, ({ call }) => [shortName(call.operation)])}
            most={8}
            href={(name) => search("operation")(name) + encodeURIComponent(" decision:deny")}
          />
        </section>
        <section class="card" aria-labelledby="slowest">
          <h2 id="slowest">Slowest at Datadog</h2>
          <Slowest calls={calls} />
        </section>
      </div>
    </>
  );
}

const Slowest = ({ calls }: Pick<Gathered, "calls">) => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Slowest operations">
    <table class="plain-table">
      <thead>
        <tr>
          <th scope="col">Operation</th>
          <th scope="col" class="n">
            Median
          </th>
          <th scope="col" class="n">
            Longest
          </th>
        </tr>
      </thead>
      <tbody>
        {slowest(calls, 8).map(({ operation, median, longest, example }) => (
          <tr key={operation}>
            <td>{shortName(operation)}</td>
            <td class="n">{duration(median)}</td>
            <td class="n">
              <a href={`/sessions/${example.session.id}/calls/${example.call.n}`}>{duration(longest)}</a>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
