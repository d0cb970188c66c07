/** The official client reads every masked answer of the recordings as it reads the answer itself: same types, nothing unparsed that was not before. */

import { createRequire } from "node:module";
import { beforeEach, expect, test } from "vitest";
import { loadRecordings, recordingsMissing } from "../standins/recordings.ts";
import { everything, operation, reply } from "../stages/mask/setting.ts";

const load = createRequire(import.meta.url);
const recordings = loadRecordings();

beforeEach(({ skip }) => {
  if (recordings === null) skip(recordingsMissing);
});

type Processor = Readonly<Record<string, (response: object) => Promise<unknown>>>;

/** What the client makes of an answer; null where it has no such operation, the error's name where it makes none. */
async function readByClient(id: string, { status, text }: { readonly status: number; readonly text: string }) {
  const [version = "", api = "", name = ""] = id.split(".");
  const file = `@datadog/datadog-api-client/dist/packages/datadog-api-client-${version}/apis/${api}.js`;
  const processors = load(file) as Readonly<Record<string, new () => Processor>>;
  const Class = processors[`${api}ResponseProcessor`];
  const method = name.charAt(0).toLowerCase() + name.slice(1);
  const processor = Class === undefined ? undefined : new Class();
  const body = { text: async () => text };
  return processor?.[method]?.({ httpStatusCode: status, headers: { "content-type": "application/json" }, body });
}

const unparsed = "_unparsed";

/** Places that the client could not type. */
const unparsedIn = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  const { [unparsed]: marked } = value as Readonly<Record<string, unknown>>;
  const own = marked === true ? 1 : 0;
  return Object.values(value).reduce((sum: number, inner) => sum + unparsedIn(inner), own);
};

test("all of them", async () => {
  let compared = 0;
  for (const { request, response } of (recordings ?? []).flatMap(({ exchanges }) => exchanges)) {
    if (response.status >= 300 || response.body.length === 0) continue;
    const of = operation(request.method, request.path);
    const text = response.body.toString();
    const masked = await reply(response.body, { of, masks: everything });
    if (masked === text || !of.known) continue;
    const before = await readByClient(of.id, { status: response.status, text });
    const after = await readByClient(of.id, { status: response.status, text: masked });
    expect(unparsedIn(after), of.id).toBe(unparsedIn(before));
    expect(after?.constructor.name, of.id).toBe(before?.constructor.name);
    compared++;
  }
  expect(compared).toBeGreaterThan(100);
}, 120_000);
