/**
 * What Datadog answered to recorded requests, the sandbox answers too, as far as it knows the operations. The ids that it gives
 * out replace the recorded ones in later requests of the same scenario.
 */

import { expect, test } from "vitest";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { type Exchange, loadRecordings, type Recording, recordingsMissing } from "../../standins/recordings.ts";
import type { Loose } from "./open.ts";

const recordings = loadRecordings();

type Outcome = { readonly asked: string; readonly recorded: number; readonly answered: number; readonly text: string };

const keys = { "dd-api-key": "an-api-key", "dd-application-key": "an-app-key" };

/** Null for scenarios that the sandbox cannot play: an operation, or a source of data, that it honestly does not have. */
const play = async (recording: Recording): Promise<readonly Outcome[] | null> => {
  const { url, close } = await createSandbox({ clock: () => recording.at }).listen();
  const ids = new Map<string, string>();
  const translate = (text: string): string =>
    [...ids].reduce((so, [theirs, ours]) => so.replaceAll(theirs, ours), text);
  const outcomes: Outcome[] = [];
  for (const { request, response } of recording.exchanges) {
    const target = translate(request.query === "" ? request.path : `${request.path}?${request.query}`);
    const answer = await fetch(`${url}${target}`, {
      method: request.method,
      headers: { ...keys, ...(request.contentType && { "content-type": request.contentType }) },
      ...(request.body.length > 0 && { body: translate(request.body.toString("utf8")) }),
    });
    const text = await answer.text();
    if (text === '{"errors":["Not found"]}' || text.includes("The sandbox has no data source")) {
      await close();
      return null;
    }
    learnIds({ theirs: parse(response), ours: text === "" ? undefined : JSON.parse(text) }, ids);
    outcomes.push({ asked: `${request.method} ${target}`, recorded: response.status, answered: answer.status, text });
  }
  await close();
  return outcomes;
};

const parse = (response: Exchange["response"]): Loose =>
  response.body.length === 0 ? undefined : JSON.parse(response.body.toString("utf8"));

/** Ids stand at the same places in both answers. */
const learnIds = ({ theirs, ours }: { theirs: Loose; ours: Loose }, ids: Map<string, string>): void => {
  if (theirs === null || ours === null || typeof theirs !== "object" || typeof ours !== "object") return;
  for (const [name, value] of Object.entries(theirs)) {
    const isId = /^(id|uuid|token)$/.test(name) && ["string", "number"].includes(typeof value);
    if (isId && String(value).length > 4 && ours[name] != null) ids.set(String(value), String(ours[name]));
    else learnIds({ theirs: value, ours: ours[name] }, ids);
  }
};

test("answers as Datadog did", { timeout: 60_000 }, async ({ skip }) => {
  if (recordings === null) skip(recordingsMissing);
  const outcomes: Outcome[] = [];
  // It reads a role of Datadog's own test organization.
  const elsewhere = 'List permissions for a role returns "OK" response';
  for (const recording of recordings ?? []) {
    if (recording.scenario !== elsewhere) outcomes.push(...((await play(recording)) ?? []));
  }
  expect(outcomes.length).toBeGreaterThan(150);
  expect(outcomes.filter(({ recorded, answered }) => recorded !== answered)).toEqual([]);
});
