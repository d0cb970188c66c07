/**
 * Scenarios that Datadog recorded of its own API and that stay inside what the sandbox knows: each is recorded through the gateway and replayed to
 * a fresh sandbox, where everything has another id and another time. Nothing differs; and one field that is changed on the way is found.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReplayedCallJson, ReplayJson } from "../../../server/contract.ts";
import { buildCatalogue, lookUp } from "../../../server/datadog/catalogue.ts";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { scalarsOf } from "../../../server/journeys/replay/places.ts";
import { volatileFields } from "../../../server/journeys/replay/volatile.ts";
import { readTree, withReplaced } from "../../../server/model/jsonTree.ts";
import { loadRecordings, type Recording, recordingsMissing } from "../../standins/recordings.ts";
import { type ReplayScene, startReplayScene } from "./scene.ts";
import { startSwitch, type Switch, type Tamper } from "./switch.ts";

const all = (loadRecordings() ?? []).filter(({ exchanges }) => exchanges.length > 1);

const everyOne = process.env["DOGWATCH_ALL_REPLAYS"] === "1";
/** Of each thing that Datadog knows one scenario is enough, unless somebody has the time (`npm run soak -- replays`). */
const recordings = everyOne
  ? all
  : [...Map.groupBy(all, ({ version, feature }) => `${version} ${feature}`).values()].map(
      ([first]) => first as Recording,
    );

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

/** The first answer with a value that no clock, chance or id decides says something else. */
const planted = (): { readonly tamper: Tamper; readonly where: () => string | null } => {
  let done: string | null = null;
  const tamper: Tamper = (_n, answer, request) => {
    const tree = done === null ? readTree(answer.body.toString("utf8")) : null;
    if (tree === null) return answer;
    const operation = lookUp(catalogue, "api", request).id;
    for (const [node, place] of scalarsOf(tree)) {
      if (idName.test(place.name) || volatile.get(operation)?.has(place.pattern)) continue;
      done = `${operation} ${place.pattern}`;
      const changed =
        node.kind === "string" ? JSON.stringify(`${node.value} planted`) : node.text === "0" ? "7" : `${node.text}7`;
      return { ...answer, body: Buffer.from(withReplaced(answer.body.toString("utf8"), [{ ...node, text: changed }])) };
    }
    return answer;
  };
  return { tamper, where: () => done };
};

const idName = /^(?:id|uuid|public_id|token|key)$|_(?:id|uuid|ids)$|^(?:links|first|last|next|prev|self|url)$/;
const volatile = volatileFields({}, []);
const catalogue = buildCatalogue();

const said = ({ operation, outcome, reason, differences }: ReplayedCallJson): string =>
  `${operation} ${outcome} ${reason} ${(differences ?? []).map(({ path, recorded, replayed }) => `${path}: ${recorded} | ${replayed}`).join("; ")}`;

/** What wrote to something that was not created in it, and did nothing then: nothing of the sandbox is touched in its place. */
const didNothing = ({ outcome, reason, recorded_status }: ReplayedCallJson): boolean =>
  outcome === "skipped" && (recorded_status ?? 0) >= 400 && /was not created in this session/.test(reason);

test("nothing differs in a fresh sandbox, and one field that is changed on the way is found", {
  timeout: 900_000,
}, async ({ skip }) => {
  if (recordings.length === 0) skip(recordingsMissing);
  let [played, found] = [0, 0];
  const missed: string[] = [];
  const wrong: string[] = [];
  for (const recording of recordings) {
    const session = await record(recording);
    if (session === null) continue;
    played++;
    const { replay: clean, calls } = await replay(recording, session);
    expect(clean.state, clean.reason).toBe("done");
    const odd = calls.filter((call) => call.outcome !== "same" && !didNothing(call));
    wrong.push(...odd.map((call) => `${recording.scenario}: ${said(call)}`));
    const plant = planted();
    const { calls: again } = await replay(recording, session, plant.tamper);
    if (plant.where() === null) continue;
    const differences = again.flatMap((call) =>
      (call.differences ?? []).map(({ path }) => `${call.operation} ${path}`),
    );
    const wanted = plant.where()?.replace(" ", " body.").replace("body.[]", "body[]") ?? "";
    if (differences.some((path) => path.replaceAll(/\[\d+\]/g, "[]") === wanted)) found++;
    else missed.push(`${recording.scenario}: ${wanted} is not among ${differences.join(", ")}`);
  }
  expect(wrong).toEqual([]);
  expect(missed).toEqual([]);
  expect(played).toBeGreaterThan(everyOne ? 150 : 30);
  // Few scenarios have no answer in which anything could be changed.
  expect(found).toBeGreaterThan(played * 0.8);
});
