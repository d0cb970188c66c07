/**
 * Scenarios that Datadog recorded of its own API and that stay inside what the sandbox knows: each is recorded through the gateway and replayed to
 * a fresh sandbox, where everything has another id and another time. Nothing differs; and one field that is changed on the way is found.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReplayedCallJson, ReplayJson } from "../../../server/contract.ts";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { loadRecordings, type Recording, recordingsMissing } from "../../standins/recordings.ts";
import { type ReplayScene, startReplayScene } from "./scene.ts";
import { startSwitch, type Switch, type Tamper } from "./switch.ts";

const recordings = (loadRecordings() ?? []).filter(({ exchanges }) => exchanges.length > 1);

let scene: ReplayScene;
let [live, lab]: (Switch | undefined)[] = [];
beforeAll(async () => {
  [live, lab] = await Promise.all([startSwitch(), startSwitch()]);
  scene = await startReplayScene({ endpoints: { live: live.url, lab: lab.url } });
});
afterAll(async () => {
  await scene.close();
  await Promise.all([live?.close(), lab?.close()]);
});

/** Null for scenarios that leave what the sandbox knows. */
async function record(recording: Recording): Promise<string | null> {
  const sandbox = await createSandbox({ clock: () => recording.at }).listen();
  live?.to(sandbox.url);
  const session = await scene.open();
  const ids = new Map<string, string>();
  const translated = (text: string): string =>
    [...ids].reduce((so, [theirs, ours]) => so.replaceAll(theirs, ours), text);
  try {
    for (const { request, response } of recording.exchanges) {
      const target = translated(request.query === "" ? request.path : `${request.path}?${request.query}`);
      const answer = await scene.call(session, {
        method: request.method,
        path: target,
        ...(request.body.length > 0 && { body: translated(request.body.toString("utf8")) }),
      });
      const text = answer.body.toString("utf8");
      if (text === '{"errors":["Not found"]}' || text.includes("The sandbox has no data source")) return null;
      if (response.body.length > 0 && text !== "") learn(JSON.parse(response.body.toString()), JSON.parse(text), ids);
    }
  } finally {
    await sandbox.close();
  }
  return session.session_id;
}

type Loose = ReturnType<typeof JSON.parse>;

/** Ids stand at the same places in both answers. */
const learn = (theirs: Loose, ours: Loose, ids: Map<string, string>): void => {
  if (theirs === null || ours === null || typeof theirs !== "object" || typeof ours !== "object") return;
  for (const [name, value] of Object.entries(theirs)) {
    const isId = /^(id|uuid|token|public_id)$/.test(name) && ["string", "number"].includes(typeof value);
    if (isId && String(value).length > 4 && ours[name] != null) ids.set(String(value), String(ours[name]));
    else learn(value, ours[name], ids);
  }
};

type Outcome = { readonly replay: ReplayJson; readonly calls: readonly ReplayedCallJson[] };

async function replay(recording: Recording, session: string, tamper?: Tamper): Promise<Outcome> {
  // A little later than the recording: what tells the time is not the same.
  const sandbox = await createSandbox({ clock: () => new Date(recording.at.getTime() + 1_234) }).listen();
  lab?.to(sandbox.url, tamper);
  try {
    const replay = await scene.replay(session);
    return { replay, calls: await scene.replayed(replay.id) };
  } finally {
    await sandbox.close();
  }
}

test("replayed to a fresh sandbox, nothing differs", { timeout: 300_000 }, async ({ skip }) => {
  if (recordings.length === 0) skip(recordingsMissing);
  const seen = new Map<string, Set<string>>();
  let played = 0;
  for (const recording of recordings) {
    const session = await record(recording);
    if (session === null) continue;
    played++;
    const { calls } = await replay(recording, session);
    for (const call of calls) {
      if (call.outcome === "same") continue;
      if (call.outcome !== "different")
        console.log(recording.scenario, call.n, call.operation, call.path, call.outcome, call.reason);
      for (const { path, recorded, replayed } of call.differences ?? []) {
        const key = `${call.operation} ${path.replaceAll(/\[\d+\]/g, "[]")}`;
        seen.set(key, (seen.get(key) ?? new Set()).add(`${recorded?.slice(0, 60)} | ${replayed?.slice(0, 60)}`));
      }
    }
  }
  console.log(
    played,
    [...seen]
      .map(([k, v]) => `${k}   ${[...v][0]}`)
      .sort()
      .join("\n"),
  );
});
