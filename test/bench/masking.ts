/**
 * What masking costs: replies of 1 MB and of 2 KB under 25 rules, on one core, next to @secretlint and redact-pii over the same text
 * (`npm run bench`), and what each finds of the secrets planted in the recordings. Peers are looked for in the folder that
 * DOGWATCH_BENCH_PEERS names (`npm install @secretlint/core @secretlint/secretlint-rule-preset-recommend redact-pii` in it); those that are
 * not there are named and left out.
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { everything, maskBoth, masksOf, operation } from "../stages/mask/setting.ts";
import { plant } from "../stages/mask/plant.ts";
import { Chance, otherKinds, prefixedKinds, sampleOf } from "../stages/mask/samples.ts";
import { loadRecordings } from "../standins/recordings.ts";

type Peer = { readonly name: string; find(text: string): Promise<string> };

/** What people write, 17 kinds and 8 fields: what is found is what every twentieth object holds. */
const commonSource = {
  detect: [
    "email",
    "credit-card",
    "iban",
    "phone",
    "ssn",
    "jwt",
    "private-key",
    "url-password",
    "aws-access-key-id",

    "gcp-api-key",
    "github-token",
    "gitlab-token",
    "slack-token",
    "stripe-key",
    "npm-token",
    "openai-key",
    "pagerduty-token",
  ],
  fields: [
    "$..email",
    "$..attributes.phone",
    "$..user.address",
    "$..contact",
    "$..attributes.ssn",
    "$..headers.authorization",
    "$.included[*].attributes.token",
    "$..attributes.private_note",
  ],
};
const common = masksOf(commonSource);
/** Somebody's own patterns have no sign by which a text can be put aside before the search. */
const withOwn = masksOf(commonSource, {
  detectors: Array.from({ length: 8 }, (_, i) => ({
    name: `own-${i}`,
    pattern: String.raw`\bACME-${i}-[0-9A-F]{12}\b`,
  })),
});
/** Three values of every object: what it costs to seal. */
const dense = masksOf({
  detect: ["secret", "personal", "network"],
  fields: ["$..attributes.handle", "$..attributes.name", "$..attributes.note"],
});
const of = operation("GET", "/api/v2/users");

const c = new Chance(7);
const user = (i: number): object => ({
  id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
  type: "users",
  attributes: {
    name: `Person ${i} of the team that watches the checkout`,
    handle: `person-${i}`,
    title: i % 3 === 0 ? "SRE" : null,
    created_at: "2026-05-04T03:02:01.000000+00:00",
    verified: true,
    disabled: false,
    note: i % 20 === 0 ? `reach me at ${sampleOf(c, "email").text}` : "",
    status: "Active",
    mfa_enabled: i % 2 === 0,
    service_account: false,
  },
  relationships: { roles: { data: [{ type: "roles", id: `r-${i % 7}` }] }, org: { data: { type: "orgs", id: "o-1" } } },
});

const document = (bytes: number): Buffer => {
  const users: object[] = [];
  for (let size = 0, i = 0; size < bytes; i++) {
    const next = user(i);
    users.push(next);
    size += JSON.stringify(next).length + 1;
  }
  return Buffer.from(JSON.stringify({ data: users }));
};

/** ms of this process' core a run, the best of `rounds`. */
const best = async (
  run: () => Promise<unknown>,
  { rounds, each }: { rounds: number; each: number },
): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < each; i++) await run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000 / each);
  }
  return least;
};

const peersIn = async (folder: string | undefined): Promise<readonly Peer[]> => {
  if (folder === undefined) return missing(["@secretlint/core", "redact-pii"], "DOGWATCH_BENCH_PEERS is not set");
  const load = createRequire(pathToFileURL(join(folder, "package.json")));
  const found: Peer[] = [];
  try {
    const { lintSource } = (await import(pathToFileURL(load.resolve("@secretlint/core")).href)) as Secretlint;
    const { creator } = (await import(
      pathToFileURL(load.resolve("@secretlint/secretlint-rule-preset-recommend")).href
    )) as { creator: unknown };
    const config = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend", rule: creator, options: {} }] };
    found.push({
      name: "@secretlint/core, recommended rules",
      find: async (content) => {
        const source = { filePath: "a.json", content, ext: ".json", contentType: "text" };
        const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } });
        return messages
          .toReversed()
          .reduce((text, { range: [start, end] }) => text.slice(0, start) + text.slice(end), content);
      },
    });
  } catch (error) {
    missing(["@secretlint/core"], String(error));
  }
  try {
    const { SyncRedactor } = load("redact-pii") as { SyncRedactor: new () => { redact(text: string): string } };
    const redactor = new SyncRedactor();
    found.push({ name: "redact-pii", find: async (text) => redactor.redact(text) });
  } catch (error) {
    missing(["redact-pii"], String(error));
  }
  return found;
};

type Secretlint = {
  lintSource(asked: object): Promise<{ readonly messages: readonly { readonly range: readonly [number, number] }[] }>;
};

const missing = (names: readonly string[], why: string): readonly Peer[] => {
  for (const name of names) console.log(`${name}: not measured (${why.split("\n")[0]})`);
  return [];
};

const rate = (bytes: number, ms: number): string => `${(bytes / 1e6 / (ms / 1e3)).toFixed(1)} MB/s`;

const main = async (): Promise<void> => {
  const [large, small] = [document(1e6), document(1_700)];
  const peers = await peersIn(process.env["DOGWATCH_BENCH_PEERS"]);
  const mask =
    (body: Buffer, masks = common) =>
    () =>
      maskBoth(body, { of, masks });
  await best(mask(small), { rounds: 1, each: 2_000 });
  const ours = await best(mask(large), { rounds: 5, each: 8 });
  console.log(
    `reply of ${(large.length / 1e6).toFixed(2)} MB, 25 rules, reply and recording: ${rate(large.length, ours)}`,
  );
  const sealed = await best(mask(large, dense), { rounds: 3, each: 4 });
  console.log(`three values of every object masked: ${rate(large.length, sealed)}`);
  const own = await best(mask(large, withOwn), { rounds: 3, each: 4 });
  console.log(`with 8 own patterns more: ${rate(large.length, own)}`);
  const one = await best(mask(small), { rounds: 5, each: 3_000 });
  console.log(`reply of ${(small.length / 1e3).toFixed(1)} KB: ${one.toFixed(3)} ms`);
  for (const { name, find } of peers) {
    const text = large.toString();
    await find(text.slice(0, 20_000));
    const took = await best(() => find(text), { rounds: 2, each: 1 });
    console.log(`${name}, 1 MB: ${rate(large.length, took)} (ours ${(took / ours).toFixed(1)}×)`);
  }
  await recall(peers);
};

/** Over text as it stands, without what only we decode. */
const recall = async (peers: readonly Peer[]): Promise<void> => {
  const bodies = (loadRecordings() ?? [])
    .flatMap(({ exchanges }) => exchanges.map(({ response }) => response.body))
    .filter(({ length }) => length > 100 && length < 4_000);
  if (bodies.length === 0) return console.log("recall: not measured, the recordings are not beside this checkout");
  const chance = new Chance(20_261_125);
  const kinds = [...prefixedKinds, ...otherKinds];
  const cases = Array.from({ length: 600 }, (_, i) => {
    const sample = sampleOf(chance, kinds[i % kinds.length] ?? "email");
    return { sample, planted: plant(chance, chance.of(bodies), sample) };
  }).filter(({ planted }) => ["a string", "a URL", "an error page", "a form"].includes(planted.how));
  const seekers: readonly Peer[] = [
    {
      name: "ours",
      find: async (text) => {
        const { recording } = await maskBoth(text, { of, masks: everything, headers: [] });
        return recording.outcome === "masked" ? recording.bytes.toString() : text;
      },
    },
    ...peers,
  ];
  for (const { name, find } of seekers) {
    let found = 0;
    for (const { planted } of cases) {
      const left = await find(planted.bytes.toString());
      if (!planted.traces.some((trace) => left.includes(trace))) found++;
    }
    console.log(
      `recall of ${name}: ${((100 * found) / cases.length).toFixed(1)} % of ${cases.length} planted in plain text`,
    );
  }
};

await main();
