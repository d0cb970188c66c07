/** Synthetics tests, v1: https://docs.datadoghq.com/api/latest/synthetics/. They never run: what is triggered has no results. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import type { SyntheticsTest } from "./documents.ts";
import { except, type JsonObject, loose } from "./json.ts";
import { creator, type Organization } from "./organization.ts";
import { accept, count, get, looking, patch, post, put, type Route, slice } from "./route.ts";
import { answered, patched } from "./syntheticsTest.ts";
import { stamp } from "./time.ts";

const kinds = ["api", "browser", "mobile"] as const;
type Kind = (typeof kinds)[number];

const shared = {
  name: z.string().min(1),
  message: z.string().optional(),
  tags: z.array(z.string()).optional(),
  status: z.enum(["live", "paused"]).optional(),
  options: loose({}),
  config: loose({ steps: z.array(loose({})).optional() }),
};
const places = z.array(z.string()).min(1);
const drafts = {
  api: loose({ ...shared, type: z.literal("api"), subtype: z.string().optional(), locations: places }),
  browser: loose({ ...shared, type: z.literal("browser"), locations: places, steps: z.array(loose({})).optional() }),
  mobile: loose({ ...shared, type: z.literal("mobile"), locations: places.optional() }),
} as const;
type Draft = z.infer<(typeof drafts)[Kind]>;

const chosen = z.object({ public_ids: z.array(z.string()).min(1) });
const status = z.object({ new_status: z.enum(["live", "paused"]) });
const patches = z.object({
  data: z.array(
    z.object({
      op: z.enum(["add", "remove", "replace", "move", "copy", "test"]),
      path: z.string().regex(/^(?:\/[^/]+)+$/),
      value: z.custom<JsonObject[string]>(() => true).optional(),
    }),
  ),
});

const base = "/api/v1/synthetics/tests";

export const syntheticsRoutes = (org: Organization): readonly Route[] => {
  const { tests } = org;
  const one = lookingForTest(org);

  return [
    get(base, (asked) => {
      const limit = count(asked, "page_size", 100);
      const shown = slice([...tests.values()], { offset: count(asked, "page_number", 0) * limit, limit });
      return ok({ tests: shown.map(outline) });
    }),
    ...kinds.flatMap((kind) => kindRoutes(org, kind)),
    post(`${base}/delete`, (asked) => accept(asked, chosen, ({ public_ids }) => deleteTests(org, public_ids))),
    get(
      `${base}/{public_id}`,
      one((test) => ok(outline(test))),
    ),
    patch(
      `${base}/{public_id}`,
      one((test, asked) =>
        accept(asked, patches, ({ data }) => {
          const next = patched(test, data);
          if (typeof next === "string") return refused(400, next);
          return keep(org, { ...next, public_id: test.public_id, modified_at: stamp(org.clock()) });
        }),
      ),
    ),
    put(
      `${base}/{public_id}/status`,
      one((test, asked) =>
        accept(asked, status, (body) => {
          tests.set(test.public_id, { ...test, status: body.new_status, modified_at: stamp(org.clock()) });
          return ok(true);
        }),
      ),
    ),
  ];
};

export const lookingForTest = ({ tests }: Organization) =>
  looking(
    (asked) => tests.get(asked.params["public_id"] ?? ""),
    () => "Synthetics test not found",
  );

/** What is told in one kind's own way. */
const kindRoutes = (org: Organization, kind: Kind): readonly Route[] => {
  const draft: z.ZodType<Draft> = drafts[kind];
  const one = looking(
    (asked) => {
      const test = org.tests.get(asked.params["public_id"] ?? "");
      return test?.type === kind ? test : undefined;
    },
    () => "Synthetics test not found",
  );
  return [
    post(`${base}/${kind}`, (asked) => accept(asked, draft, (body) => keep(org, createTest(org, body)))),
    get(
      `${base}/${kind}/{public_id}`,
      one((test) => ok(test)),
    ),
    put(
      `${base}/${kind}/{public_id}`,
      one((before, asked) =>
        accept(asked, draft, (body) => {
          const { public_id, monitor_id, created_at, created_by } = before;
          const after = createTest(org, { status: before.status, ...body }, public_id);
          return keep(org, { ...after, monitor_id, created_at, created_by });
        }),
      ),
    ),
  ];
};

const keep = (org: Organization, test: SyntheticsTest): Answer => {
  org.tests.set(test.public_id, test);
  return ok(test);
};

/** Fields that only Datadog sets. */
const own = [
  "public_id",
  "monitor_id",
  "org_id",
  "created_at",
  "modified_at",
  "deleted_at",
  "created_by",
  "modified_by",
];

const createTest = (org: Organization, body: Draft, public_id = org.ids.dashboard()): SyntheticsTest => {
  const now = stamp(org.clock());
  const wanted = except(body, own);
  const { locations = ["aws:us-west-2"] } = body;
  return {
    ...wanted,
    ...answered(org.ids, body, public_id),
    public_id,
    name: body.name,
    type: body.type,
    // An API test can run at once; what drives a browser or a device is looked at first.
    status: body.status ?? (body.type === "api" ? "live" : "paused"),
    tags: body.tags ?? [],
    message: body.message ?? "",
    options: body.options,
    locations,
    created_at: now,
    modified_at: now,
    created_by: creator(org),
    modified_by: creator(org),
    deleted_at: null,
    monitor_id: org.ids.number("monitor", 9),
    org_id: org.id,
  };
};

/** In lists and where the kind is not asked for, the steps of a browser test are left out. */
const outline = (test: SyntheticsTest): JsonObject => except(test, ["steps", "stepCount"]);

const deleteTests = (org: Organization, ids: readonly string[]): Answer => {
  if (ids.some((id) => !org.tests.has(id))) return refused(404, "Synthetics test not found");
  const deleted_at = stamp(org.clock());
  for (const id of ids) org.tests.delete(id);
  return ok({ deleted_tests: ids.map((public_id) => ({ public_id, deleted_at })) });
};
