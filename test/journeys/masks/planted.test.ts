/** Secrets of every kind, planted wherever secrets get to in what Datadog recorded: after they have passed the gateway, nothing that it keeps holds one. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { dumpOf, foundIn } from "../../standins/dump.ts";
import { loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { inParallel, send } from "../../standins/send.ts";
import { headerOf, type UpstreamAnswer } from "../../standins/upstream.ts";
import { auditorToken, type World, startWorld } from "../../standins/world.ts";
import { type Planted, plant } from "../../stages/mask/plant.ts";
import { Chance, otherKinds, prefixedKinds, type Sample, sampleOf } from "../../stages/mask/samples.ts";

/** `npm run soak -- planted` has more. */
const count = Number(process.env["DOGWATCH_PLANTED"] ?? 800);
const recordings = loadRecordings();
const kinds = [...prefixedKinds, ...otherKinds];

/** Where a secret travels: in one of the bodies, or beside them. */
const wheres = ["request", "response", "request", "response", "query", "path", "header", "answer's header"] as const;
type Case = {
  readonly sample: Sample;
  readonly where: (typeof wheres)[number];
  readonly planted: Planted;
  readonly traces: readonly string[];
};

let world: World;
let cases: readonly Case[] = [];
let kept: readonly string[] = [];

beforeEach(({ skip }) => {
  if (recordings === null) skip(recordingsMissing);
});

beforeAll(async () => {
  if (recordings === null) return;
  cases = planned();
  world = await startWorld((request) => answerTo(cases[Number(headerOf(request, "x-case"))]), {
    more: "  masks: [{ name: all, detect: [secret, personal, network], where: [recording] }]",
  });
  const { access_token, session_id } = await world.openSession();
  await inParallel(cases, 8, async ({ planted, where, sample }, index) => {
    const text = encodeURIComponent(sample.text.replaceAll(/\s/g, " "));
    const body = where === "request" ? planted.bytes : undefined;
    const target =
      where === "path" ? `/api/v1/monitor/${text}` : `/api/v1/monitor${where === "query" ? `?q=${text}` : ""}`;
    await send(world.url, {
      method: body === undefined ? "GET" : "POST",
      target,
      headers: [
        ["X-Case", String(index)],
        ["DD-API-KEY", access_token],
        ...(where === "header" && isField(sample.text) ? [["X-Note", sample.text] as const] : []),
        ...(body === undefined ? [] : planted.headers),
      ],
      ...(body !== undefined && { body }),
    });
  });
  await world.endedCalls(session_id);
  const exported = await fetch(`${world.url}/v1/sessions/${session_id}/calls?limit=200`, {
    headers: { authorization: `Bearer ${auditorToken}` },
  });
  kept = [...(await dumpOf(world.database)), await exported.text(), world.log.join("\n")];
}, 240_000);
afterAll(() => world?.close());

const planned = (): Case[] => {
  const c = new Chance(20_261_125);
  const bodies = (recordings ?? [])
    .flatMap(({ exchanges }) => exchanges.map(({ response }) => response.body))
    .filter(({ length }) => length > 100 && length < 4_000);
  return Array.from({ length: count }, (_, index): Case => {
    const kind = kinds[index % kinds.length] ?? "email";
    const sample = sampleOf(c, kind);
    const planted = plant(c, c.of(bodies), sample);
    const where = c.of(wheres);
    const traces = where === "request" || where === "response" ? planted.traces : [sample.secret];
    return { sample, where, planted, traces: traces.map((trace) => Buffer.from(trace).toString("latin1")) };
  });
};

const answerTo = (of: Case | undefined): UpstreamAnswer => {
  if (of?.where === "response")
    return {
      status: of.planted.how === "an error page" ? 502 : 200,
      headers: [...of.planted.headers, ["Content-Length", String(of.planted.bytes.length)]],
      body: of.planted.bytes,
    };
  const field = of?.where === "answer's header" && isField(of.sample.text) ? [["X-Note", of.sample.text] as const] : [];
  return { status: 200, headers: [["Content-Type", "application/json"], ...field], body: "{}" };
};

/** Private keys have lines. */
const isField = (text: string): boolean => /^[\x20-\x7e]+$/.test(text);

const leaked = (of: readonly Case[]): Case[] => {
  const found = new Set(foundIn(kept, [...new Set(of.flatMap(({ traces }) => traces))]));
  return of.filter(({ traces }) => traces.some((trace) => found.has(trace)));
};

test("none whose kind is known by its beginning, or by the name of its field", () => {
  const known = cases.filter(({ sample }) => prefixedKinds.includes(sample.kind));
  expect(new Set(known.map(({ sample }) => sample.kind)).size).toBe(prefixedKinds.length);
  expect(leaked(known).map(({ sample, where, planted }) => [sample.kind, where, planted.how])).toEqual([]);
}, 120_000);

test("and hardly one in a hundred of the others", () => {
  const others = cases.filter(({ sample }) => otherKinds.includes(sample.kind));
  expect(leaked(others).length / others.length).toBeLessThan(0.01);
}, 120_000);

test("the search would find one", () => {
  expect(foundIn(["xx secret-0001 yy"], ["secret-0001", "secret-0002"])).toEqual(["secret-0001"]);
  expect(kept.join("").includes("dwm_")).toBe(true);
});
