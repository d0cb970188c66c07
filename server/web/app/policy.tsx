/** How often each rule decided lately, beside the rules that the server wrote. */

import { Ranked } from "./charts.tsx";
import { useGathered } from "./overview.tsx";
import { countBy } from "./tallies.ts";
import { plural } from "./words.ts";

export function RuleCounts({ rules }: { readonly rules: readonly string[] }) {
  const { gathered, trouble } = useGathered();
  if (trouble !== null)
    return (
      <p class="soft" role="status">
        {trouble}
      </p>
    );
  if (gathered === null)
    return (
      <p class="soft" role="status">
        Counting how often each rule decided…
      </p>
    );
  const counted = countBy(gathered.calls, ({ call }) => call.decision.rules).filter(({ name }) => rules.includes(name));
  const silent = rules.filter((rule) => !counted.some(({ name }) => name === rule));
  return (
    <section class="card" aria-labelledby="counts">
      <h2 id="counts">How often each rule decided</h2>
      <p class="soft">
        In {plural(gathered.calls.length, "call")} of the latest {plural(gathered.sessions.length, "session")}, under
        any policy that had a rule of this name.
      </p>
      <Ranked
        items={[...counted, ...silent.map((name) => ({ name, count: 0 }))]}
        most={100}
        href={(name) => `#rule-${name}`}
      />
    </section>
  );
}
