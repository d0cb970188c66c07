/** Over Datadog's own recordings: planted secrets are found, nothing else is, and what is read can be written back. */

import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { codingsOf, decodeCodings } from "../../../server/model/coding.ts";
import { type Finding, nothingFound } from "../../../server/stages/mask/findings.ts";
import { compileFields } from "../../../server/stages/mask/json/fields.ts";
import { readBody } from "../../../server/stages/mask/body/read.ts";
import type { kinds } from "../../../server/stages/mask/detect/kinds.ts";
import { type Masks, planFor } from "../../../server/stages/mask/plan.ts";
import { type Exchange, loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { plant } from "./plant.ts";
import { Chance, otherKinds, prefixedKinds, sampleOf } from "./samples.ts";
import { everything, maskBoth, masksOf, operation, reply, restore, tokensIn } from "./setting.ts";

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

describe("the recordings as they are", () => {
  test("hold hardly anything that is taken for something else: precision at least 98 %", () => {
    let all = 0;
    const wrong: string[] = [];
    for (const { request, response } of exchanges) {
      const of = operation(request.method, request.path);
      const plan = planFor(everything, of);
      for (const [search, bytes] of [
        [plan.request, request.body],
        [plan.response, response.body],
      ] as const) {
        // Known secret fields are known; what the detectors say by themselves is what can be wrong.
        const found = nothingFound();
        readBody({ ...search, fields: compileFields([]) }, { bytes, contentType: "" }, found);
        for (const finding of found.findings) {
          all++;
          if (!isWhatItSays(finding)) wrong.push(`${finding.kind} ${of.id} ${finding.path.join(".")}`);
        }
      }
    }
    console.info(
      `precision ${percent(1 - wrong.length / all)}: ${all} values detected, wrong: ${wrong.join(", ") || "none"}`,
    );
    expect(all).toBeGreaterThan(1_000);
    expect(wrong.length / all).toBeLessThanOrEqual(0.02);
  });

  test("come out of a mask as the same documents, all but what is masked", async () => {
    let masked = 0;
    for (const { request, response } of exchanges.filter(({ response: { body } }) => isJson(body))) {
      const of = operation(request.method, request.path);
      const text = await reply(response.body, { of });
      if (text === response.body.toString()) continue;
      masked++;
      expect(skeleton(text), of.id).toBe(skeleton(response.body.toString()));
      const before = leaves(JSON.parse(response.body.toString()));
      const after = leaves(JSON.parse(text));
      expect(after.length).toBe(before.length);
      for (const [i, value] of after.entries())
        if (typeof value !== "string" || !value.includes("dwm_")) expect(value).toBe(before[i]);
    }
    expect(masked).toBeGreaterThan(100);
  }, 60_000);
});

/**
 * An opinion of its own, from what stands around the value: by it and by eye, every value that was detected in these recordings was looked at. The
 * only ones that are no addresses are numbers of compliance controls (3.6.1.2).
 */
const isWhatItSays = ({ kind, text, path }: Finding): boolean => {
  const around = path.join(" ").toLowerCase();
  switch (kind) {
    case "email":
      return /^[^\s@<>]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/i.test(text);
    case "ipv4":
    case "ipv6":
      return !/compliance|framework|control|version/.test(around) && !/^3\.6\.1\.\d$/.test(text);
    case "mac":
      return /mac|interface/.test(around);
    case "aws-access-key-id":
      return /^AKIA[A-Z2-7]{16}$|EXAMPLE$/.test(text);
    case "datadog-client-token":
      return /client_token|hash/.test(around);
    case "secret-field":
      return /token|password|secret|api_?key|private_?key/.test(around);
    default:
      return false;
  }
};

const isJson = (body: Buffer): boolean => {
  try {
    return body.length > 0 && JSON.parse(body.toString()) !== undefined;
  } catch {
    return false;
  }
};

/** What is between strings, byte for byte: order, spacing, numbers. */
const skeleton = (text: string): string => text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');

const leaves = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leaves);
  return [value];
};

describe("every recorded update", () => {
  test.for<[string, Masks, number]>([
    [
      "kinds and fields",
      masksOf({
        detect: ["secret", "personal", "network"],
        fields: ["$..name", "$..title", "$..description", "$..tags[*]"],
      }),
      60,
    ],
    // Ids, dates, enumerations and many keys too: whatever has more than lower case letters.
    [
      "a pattern that takes nearly every text",
      masksOf({ detectors: [{ name: "nearly-all", pattern: "(?s).*[ 0-9A-Z:./-].*" }] }),
      80,
    ],
  ])(
    "gets back what was read before it, all of it, wherever it was read: %s",
    { timeout: 60_000 },
    async ([, masks, least]) => {
      const custom = masks.custom;
      const tally = { updates: 0, reads: 0, values: 0, blocked: 0 };
      for (const { exchanges: scenario } of recordings ?? [])
        for (const update of scenario.filter(({ request }) => request.method === "PUT" || request.method === "PATCH")) {
          const to = operation(update.request.method, update.request.path);
          tally.updates++;
          for (const read of scenario.filter((exchange) => shows(exchange, update))) {
            const of = operation(read.request.method, read.request.path);
            const { reply: answer } = await maskBoth(read.response.body, { masks, of });
            if (answer.outcome === "blocked") tally.blocked++;
            if (answer.outcome !== "masked") continue;
            tally.reads++;
            tally.values += answer.values.length;
            const item = itemOf(read, update, answer.bytes.toString());
            const back = restore(item, { of: to, custom });
            const wanted = JSON.parse(itemOf(read, update, read.response.body.toString())) as unknown;
            const label = `${of.id} → ${to.id}: ${back.attempts
              .filter(({ outcome }) => outcome !== "restored")
              .map(({ path, outcome }) => `${path} ${outcome}`)
              .join(", ")}`;
            expect(JSON.parse(back.text), label).toEqual(wanted);
            expect(tokensIn(back.text), label).toEqual([]);
          }
        }
      console.info(
        `${tally.updates} updates, ${tally.reads} reads written back with ${tally.values} values; ${tally.blocked} reads blocked by a field that is no text`,
      );
      expect(tally.updates).toBeGreaterThan(80);
      expect(tally.reads).toBeGreaterThan(least);
    },
  );
});

test("every recorded read can be written back where the catalogue knows an update of the same path", async () => {
  const masks = masksOf({
    detect: ["secret", "personal", "network"],
    detectors: [{ name: "nearly-all", pattern: "(?s).*[ 0-9A-Z:./-].*" }],
  });
  let reads = 0;
  let values = 0;
  for (const { request, response } of exchanges.filter(
    (exchange) => exchange.request.method === "GET" && isJson(exchange.response.body),
  )) {
    const of = operation("GET", request.path);
    for (const to of ["PUT", "PATCH"]
      .map((method) => operation(method, request.path))
      .filter(({ known, path }) => known && path === of.path)) {
      const { reply: answer } = await maskBoth(response.body, { masks, of });
      if (answer.outcome !== "masked") continue;
      const back = restore(answer.bytes, { of: to, custom: masks.custom });
      expect(JSON.parse(back.text), to.id).toEqual(JSON.parse(response.body.toString()));
      reads++;
      values += answer.values.length;
    }
  }
  console.info(`${reads} reads written back with ${values} values`);
  expect(reads).toBeGreaterThan(40);
}, 60_000);

/** An answer that shows what the update changes: a read of it, its creation, an earlier update, or a list with it. */
const shows = ({ request, response }: Exchange, update: Exchange): boolean => {
  if (response.status >= 300 || !isJson(response.body)) return false;
  const path = request.path.replace(/\/$/, "");
  const target = update.request.path.replace(/\/$/, "");
  if (path === target) return request.method !== "DELETE";
  return (
    target.startsWith(`${path}/`) &&
    !target.slice(path.length + 1).includes("/") &&
    idIn(response.body, target.slice(path.length + 1)) !== null
  );
};

/** The item of an answer that has this id: the answer itself, or one of its list. */
const idIn = (body: Buffer, id: string): unknown => {
  const document = JSON.parse(body.toString()) as { data?: unknown };
  const data = document.data ?? document;
  const items = Array.isArray(data) ? data : [data];
  const isIt = (item: unknown): boolean =>
    ["id", "public_id", "name"].some(
      (key) => String((item as Record<string, unknown> | null)?.[key]) === decodeURIComponent(id),
    );
  return items.find(isIt) ?? null;
};

/** As a program writes it back: of a list the one item, wrapped as it was; else what was read. */
const itemOf = (read: Exchange, update: Exchange, text: string): string => {
  const document = JSON.parse(text) as { data?: unknown };
  const original = JSON.parse(read.response.body.toString()) as { data?: unknown };
  const list = Array.isArray(original) ? original : original.data;
  if (!Array.isArray(list)) return text;
  const id = update.request.path.slice(read.request.path.replace(/\/$/, "").length + 1);
  if (id === "" && list.length > 1) return text;
  const at = list.indexOf(
    id === "" ? list[0] : list.find((item) => idIn(Buffer.from(JSON.stringify({ data: item })), id) !== null),
  );
  const item = ((Array.isArray(document) ? document : document.data) as unknown[])[at];
  return JSON.stringify(Array.isArray(original) ? item : { data: item });
};

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
