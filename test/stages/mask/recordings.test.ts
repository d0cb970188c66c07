/** Over Datadog's own recordings: planted secrets are found, nothing else is, and what is read can be written back. */

import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { codingsOf, decodeCodings } from "../../../server/model/coding.ts";
import { inRecording } from "../../../server/stages/mask/detect/detector.ts";
import { nothingFound } from "../../../server/stages/mask/findings.ts";
import { readBody } from "../../../server/stages/mask/body/read.ts";
import { kinds } from "../../../server/stages/mask/detect/kinds.ts";
import { planFor } from "../../../server/stages/mask/plan.ts";
import { type Exchange, loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { plant } from "./plant.ts";
import { Chance, otherKinds, prefixedKinds, sampleOf } from "./samples.ts";
import { everything, json, maskBoth, operation, reply, restore } from "./setting.ts";

const recordings = loadRecordings();
const exchanges: readonly Exchange[] = (recordings ?? []).flatMap((recording) => recording.exchanges);

beforeEach(({ skip }) => {
  if (recordings === null) skip(recordingsMissing);
});

describe("2,000 secrets planted at random places of the recordings' bodies", () => {
  test("are found: at least 99 % of those with a prefix, and of each other kind what is printed", async () => {
    const c = new Chance(20_260_504);
    const bodies = exchanges
      .map(({ response }) => response.body)
      .filter((body) => body.length > 2 && body.length < 60_000);
    const of = operation("GET", "/api/v1/monitor/1");
    const all = [...prefixedKinds, ...otherKinds];
    const tally = new Map(all.map((kind) => [kind, { planted: 0, found: 0 }]));
    const missed: string[] = [];
    for (let i = 0; i < 2_000; i++) {
      const sample = sampleOf(c, all[i % all.length] ?? "email");
      const planted = plant(c, c.of(bodies), sample);
      const { recording } = await maskBoth(planted.bytes, { of, headers: planted.headers });
      const stored = recording.outcome === "masked" ? recording.bytes : planted.bytes;
      const plain = await decodeCodings(stored, codingsOf(planted.headers), 2 ** 26);
      if (!Buffer.isBuffer(plain)) throw new Error(plain.says);
      const seen = plain.toString("latin1") + unzipped(plain);
      const row = tally.get(sample.kind);
      if (row === undefined) throw new Error(sample.kind);
      row.planted++;
      if (planted.traces.some((trace) => seen.includes(trace))) missed.push(`${sample.kind} in ${planted.how}`);
      else row.found++;
    }
    const recall = (of: readonly string[]): number => {
      const rows = of.map((kind) => tally.get(kind as keyof typeof kinds) ?? { planted: 0, found: 0 });
      return rows.reduce((sum, { found }) => sum + found, 0) / rows.reduce((sum, { planted }) => sum + planted, 0);
    };
    console.info(
      `recall with a prefix ${percent(recall(prefixedKinds))} of ${prefixedKinds.length} kinds, without ${percent(recall(otherKinds))} of ${otherKinds.length}; ` +
        `not all of: ${
          [...tally]
            .filter(([, { planted, found }]) => found < planted)
            .map(([kind, { planted, found }]) => `${kind} ${found}/${planted}`)
            .join(", ") || "none"
        }` +
        `; missed: ${missed.join(", ") || "none"}`,
    );
    expect(all.length).toBeGreaterThanOrEqual(40);
    expect(recall(prefixedKinds)).toBeGreaterThanOrEqual(0.99);
    expect(recall(otherKinds)).toBeGreaterThanOrEqual(0.97);
  }, 300_000);
});

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** What is in a compressed file of a form counts too. */
const unzipped = (body: Buffer): string => {
  const at = body.indexOf(Buffer.from([0x1f, 0x8b, 8]));
  if (at === -1) return "";
  for (let end = body.length; end > at; end--) {
    try {
      return gunzipSync(body.subarray(at, end)).toString("latin1");
    } catch {
      // Not there yet.
    }
  }
  return "";
};
