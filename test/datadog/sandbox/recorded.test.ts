/** What Datadog answered to recorded requests, the sandbox answers too, as far as it knows the operations; and it forgets none again. */

import { beforeAll, expect, test } from "vitest";
import { loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { type Differences, differencesOf } from "./agreement.ts";

const recordings = loadRecordings() ?? [];

/**
 * Scenarios of several calls that agree from the first to the last, status and shape, by what they are about. The numbers only rise:
 * `node test/datadog/sandbox/agreementReport.ts` prints them as they are now.
 */
const agreeing: Readonly<Record<string, number>> = {
  "v1 Dashboard Lists": 2,
  "v1 Dashboards": 35,
  "v1 Downtimes": 1,
  "v1 Logs Pipelines": 5,
  "v1 Monitors": 6,
  "v1 Notebooks": 1,
  "v1 Service Level Objective Corrections": 1,
  "v1 Service Level Objectives": 3,
  "v1 Synthetics": 9,
  "v1 Webhooks Integration": 1,
  "v2 AuthN Mappings": 3,
  "v2 Case Management": 9,
  "v2 Case Management Attribute": 2,
  "v2 Case Management Type": 1,
  "v2 Dashboard Lists": 2,
  "v2 Deployment Gates": 5,
  "v2 Downtimes": 1,
  "v2 Incidents": 11,
  "v2 Key Management": 4,
  "v2 Logs Custom Destinations": 6,
  "v2 Logs Metrics": 1,
  "v2 Logs Restriction Queries": 2,
  "v2 Metrics": 3,
  "v2 Monitors": 2,
  "v2 Observability Pipelines": 4,
  "v2 On-Call": 7,
  "v2 Powerpack": 4,
  "v2 Roles": 7,
  "v2 Rum Metrics": 4,
  "v2 Security Monitoring": 14,
  "v2 Service Accounts": 7,
  "v2 Spans Metrics": 1,
  "v2 Synthetics": 1,
  "v2 Teams": 19,
  "v2 Users": 1,
};

/** Where another status is right: these read what Datadog's own test organization had, or ask for what the sandbox says it has not. */
const elsewhere =
  /^v1 Synthetics: Get (?:a browser test|an API test result)|^v1 Users: Create a user returns null access role$|^v2 Metrics: (?:Scalar|Timeseries) cross product query with|^v2 Teams: Delete team connections/;

type Played = {
  readonly about: string;
  readonly name: string;
  readonly calls: number;
  readonly differences: Differences;
};

const play = async (): Promise<readonly Played[]> => {
  const played: Played[] = [];
  for (const recording of recordings) {
    const about = `${recording.version} ${recording.feature}`;
    const differences = await differencesOf(recording);
    const calls = recording.exchanges.length;
    played.push({ about, name: `${about}: ${recording.scenario}`, calls, differences });
  }
  return played;
};

let played: readonly Played[] = [];
beforeAll(async () => {
  played = await play();
}, 900_000);

test("recorded scenarios agree with Datadog from the first call to the last, and never fewer than before", ({
  skip,
}) => {
  if (recordings.length === 0) skip(recordingsMissing);
  const several = played.filter(({ calls }) => calls > 1);
  const lost = Object.entries(agreeing).flatMap(([about, count]) => {
    const own = several.filter((each) => each.about === about);
    const different = own.filter(({ differences }) => differences.length > 0);
    const found = own.length - different.length;
    return found < count ? different.map(({ name, differences }) => `${name}: ${differences[0]}`) : [];
  });
  expect(lost).toEqual([]);
});

test("every operation that the sandbox knows is answered with the recorded status", ({ skip }) => {
  if (recordings.length === 0) skip(recordingsMissing);
  const wrong = played.flatMap(({ name, differences }) => {
    const statuses = differences.filter((each) => /: \d{3}, recorded \d{3}: /.test(each));
    const unknown = statuses.some((each) => each.includes('{"errors":["Not found"]}'));
    return unknown || elsewhere.test(name) ? [] : statuses.map((each) => `${name}: ${each}`);
  });
  expect(wrong).toEqual([]);
});
