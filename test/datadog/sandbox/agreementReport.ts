/** Says which recorded scenarios of several calls the sandbox plays as Datadog did, by what they are about: `node test/datadog/sandbox/agreementReport.ts [PART OF A NAME]`. */

import { loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { differencesOf } from "./agreement.ts";

const recordings = loadRecordings();
if (recordings === null) throw new Error(recordingsMissing);
const wanted = process.argv[2];
const counts = new Map<string, { agreeing: number; all: number }>();
for (const recording of recordings.filter(({ exchanges }) => exchanges.length > 1)) {
  const about = `${recording.version} ${recording.feature}`;
  if (wanted !== undefined && !about.includes(wanted)) continue;
  const differences = await differencesOf(recording);
  const { agreeing, all } = counts.get(about) ?? { agreeing: 0, all: 0 };
  counts.set(about, { agreeing: agreeing + (differences.length === 0 ? 1 : 0), all: all + 1 });
  if (wanted !== undefined)
    console.log([recording.scenario, ...differences].join("\n    "), differences.length === 0 ? "agrees" : "");
}
for (const [about, { agreeing, all }] of counts) console.log(`${about}: ${agreeing} of ${all}`);
const total = (name: "agreeing" | "all"): number => [...counts.values()].reduce((so, each) => so + each[name], 0);
console.log(`in all: ${total("agreeing")} of ${total("all")}`);
