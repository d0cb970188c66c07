/** What Datadog answered to recorded requests, the sandbox answers too, as far as it knows the operations; and it forgets none again. */

import { expect, test } from "vitest";
import { loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { differencesOf } from "./agreement.ts";

const recordings = loadRecordings() ?? [];

/**
 * Scenarios of several calls that agree from the first to the last, status and shape, by what they are about. The numbers only rise:
 * `node test/datadog/sandbox/agreementReport.ts` prints them as they are now.
 */
const agreeing: Readonly<Record<string, number>> = {};

test("whole scenarios agree with Datadog, and never fewer than before", {
  timeout: 120_000,
}, async ({ skip }) => {
  if (recordings.length === 0) skip(recordingsMissing);
  const found: Record<string, number> = {};
  const different: string[] = [];
  for (const recording of recordings.filter(({ exchanges }) => exchanges.length > 1)) {
    const about = `${recording.version} ${recording.feature}`;
    const differences = await differencesOf(recording);
    if (differences.length === 0) found[about] = (found[about] ?? 0) + 1;
    else if (about in agreeing) different.push(`${about}: ${recording.scenario}: ${differences[0]}`);
  }
  const lost = Object.entries(agreeing).filter(([about, count]) => (found[about] ?? 0) < count);
  expect({ lost, different: lost.length === 0 ? [] : different }).toEqual({ lost: [], different: [] });
});

/** Where another status is right: these read what Datadog's own test organization had, or ask for what the sandbox says it has not. */
const elsewhere =
  /^v1 Synthetics: Get (?:a browser test|an API test result)|^v1 Users: Create a user returns null access role$|^v2 Metrics: (?:Scalar|Timeseries) cross product query with|^v2 Teams: Delete team connections/;

test("no operation that it knows is answered with another status", { timeout: 120_000 }, async ({ skip }) => {
  if (recordings.length === 0) skip(recordingsMissing);
  const wrong: string[] = [];
  let known = 0;
  for (const recording of recordings) {
    const name = `${recording.version} ${recording.feature}: ${recording.scenario}`;
    const statuses = (await differencesOf(recording)).filter((each) => /: \d{3}, recorded \d{3}: /.test(each));
    if (statuses.length === 0) known += 1;
    const unknown = statuses.some((each) => each.includes('{"errors":["Not found"]}'));
    if (!unknown && !elsewhere.test(name)) wrong.push(...statuses.map((each) => `${name}: ${each}`));
  }
  expect(known).toBeGreaterThan(250);
  expect(wrong).toEqual([]);
});
