/** Asking for runs of Synthetics tests and for what came of them: nothing, for nothing runs here. */

import { z } from "zod";
import { ok, refused } from "./answer.ts";
import type { SyntheticsTest } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, get, post, type Route } from "./route.ts";
import { lookingForTest } from "./synthetics.ts";

const wanted = loose({ tests: z.array(loose({ public_id: z.string() })).min(1) });

const base = "/api/v1/synthetics/tests";

export const syntheticsRunRoutes = (org: Organization): readonly Route[] => {
  const { tests } = org;
  const one = lookingForTest(org);
  const batches = org.room.shelf<string, JsonObject>();
  const numbers = org.room.shelf<string, number>();

  /** Each place has one number for the whole organization. */
  const placeOf = (name: string): JsonObject => {
    const id = numbers.get(name) ?? org.ids.number("location", 5);
    numbers.set(name, id);
    const [region = ""] = name.split(":").slice(-1);
    return { display_name: name, name, region, is_active: true, is_public: true, id, metadata: null };
  };
  const run = (ids: readonly string[], batch: string | null): JsonObject => {
    const asked = ids.map((id) => tests.get(id)).filter((test): test is SyntheticsTest => test !== undefined);
    const places = new Map(asked.flatMap((test) => test.locations).map((name) => [name, placeOf(name)]));
    return {
      batch_id: batch,
      results: asked.flatMap((test) =>
        test.locations.map((name) => ({
          result_id: String(org.ids.int64()),
          public_id: test.public_id,
          location: places.get(name)?.["id"],
        })),
      ),
      triggered_check_ids: ids,
      locations: [...places.values()],
    };
  };
  const triggering = (path: string, batched: () => string | null): Route =>
    post(path, (asked) =>
      accept(asked, wanted, (body) => {
        const ids = body.tests.map(({ public_id }) => public_id);
        const missing = ids.filter((id) => !tests.has(id));
        if (missing.length > 0) return refused(404, `Synthetics tests not found: ${missing.join(", ")}`);
        const batch = batched();
        if (batch !== null) batches.set(batch, { status: "in_progress", metadata: null, results: [] });
        return ok(run(ids, batch));
      }),
    );
  const none = one(() => ok({ last_timestamp_fetched: null, results: [] }));
  const noResult = one(() => refused(404, "Result not found"));

  return [
    triggering(`${base}/trigger`, () => null),
    triggering(`${base}/trigger/ci`, () => org.ids.uuid()),
    get("/api/v1/synthetics/ci/batch/{batch_id}", (asked) => {
      const batch = batches.get(asked.params["batch_id"] ?? "");
      return batch === undefined ? refused(404, "Batch not found") : ok({ data: batch });
    }),
    ...[base, `${base}/browser`].flatMap((path) => [
      get(`${path}/{public_id}/results`, none),
      get(`${path}/{public_id}/results/{result_id}`, noResult),
    ]),
    get("/api/v1/synthetics/settings/default_locations", () => ok(defaults)),
  ];
};

/** Where Datadog's own machines are that run tests when nobody says where. */
const defaults = [
  "aws:ap-northeast-1",
  "aws:ap-south-1",
  "aws:ap-southeast-1",
  "aws:ap-southeast-2",
  "aws:ca-central-1",
  "aws:eu-central-1",
  "aws:eu-west-1",
  "aws:eu-west-2",
  "aws:eu-west-3",
  "aws:sa-east-1",
  "aws:us-east-2",
  "aws:us-west-1",
  "aws:us-west-2",
];
