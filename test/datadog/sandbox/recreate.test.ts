/** What was deleted comes back from what was recorded of it: its answer, less what only Datadog decides, is a request that makes it again. */

import { expect, test } from "vitest";
import { type Loose, noon, openSandbox, type OpenSandbox } from "./open.ts";

/** Fields that only Datadog decides, wherever they stand. */
const readOnly =
  /^(?:id|uuid|public_id|token|public_url|org_id|created|created_at|creator|created_by|creator_id|updater_id|modified|modified_at|modified_by|author|author_name|author_handle|url|deleted|deleted_at|canceled|overall_state|overall_state_modified|multi|monitor_id|status|active|disabled|type_id|is_read_only|link_count|user_count|relationships)$/;

const less = (value: Loose, keep: readonly string[] = []): Loose => {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((each) => less(each, keep));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => keep.includes(name) || !readOnly.test(name))
      .map(([name, each]) => [name, less(each, keep)]),
  );
};

const whole = (document: Loose): Loose => document;

type Noun = {
  readonly name: string;
  readonly path: string;
  readonly body: unknown;
  /** The document within an answer. */
  readonly of: (answer: Loose) => Loose;
  /** A request's body for a document. */
  readonly asked?: (document: Loose) => Loose;
  /** Fields that look as if Datadog decided them, and are told here. */
  readonly told?: readonly string[];
  readonly remove?: (sandbox: OpenSandbox, document: Loose) => Promise<number>;
};

const jsonApi = {
  of: ({ data }: Loose) => data,
  asked: ({ type, attributes }: Loose) => ({ data: { type, attributes } }),
};

const nouns: readonly Noun[] = [
  {
    name: "monitor",
    path: "/api/v1/monitor",
    body: { type: "metric alert", query: "avg(last_5m):avg:a.b{*} > 1", message: "m", tags: ["team:a"], priority: 2 },
    of: whole,
  },
  {
    name: "dashboard",
    path: "/api/v1/dashboard",
    body: {
      title: "T",
      layout_type: "ordered",
      widgets: [{ definition: { type: "note", content: "c" } }],
      template_variables: [{ name: "host", prefix: "host" }],
      tags: ["team:a"],
    },
    of: whole,
  },
  {
    name: "downtime of v1",
    path: "/api/v1/downtime",
    body: {
      scope: ["env:prod"],
      monitor_tags: ["team:a"],
      start: noon / 1000 + 60,
      end: noon / 1000 + 3600,
      message: "quiet",
    },
    of: whole,
  },
  {
    name: "downtime",
    path: "/api/v2/downtime",
    body: {
      data: {
        type: "downtime",
        attributes: {
          scope: "env:prod",
          monitor_identifier: { monitor_tags: ["team:a"] },
          schedule: { start: "2026-01-15T12:10:00+00:00", end: "2026-01-15T13:00:00+00:00" },
          message: "quiet",
        },
      },
    },
    ...jsonApi,
  },
  {
    name: "SLO",
    path: "/api/v1/slo",
    body: {
      type: "metric",
      name: "n",
      description: "d",
      thresholds: [{ timeframe: "7d", target: 99, warning: 99.5 }],
      query: { numerator: "sum:a{*}", denominator: "sum:b{*}" },
      tags: ["team:a"],
    },
    of: ({ data }) => (Array.isArray(data) ? data[0] : data),
  },
  {
    name: "notebook",
    path: "/api/v1/notebooks",
    body: {
      data: {
        type: "notebooks",
        attributes: {
          name: "n",
          time: { live_span: "1h" },
          cells: [{ type: "notebook_cells", attributes: { definition: { type: "markdown", text: "t" } } }],
        },
      },
    },
    ...jsonApi,
  },
  {
    name: "Synthetics test",
    path: "/api/v1/synthetics/tests/api",
    body: {
      type: "api",
      subtype: "http",
      name: "n",
      message: "m",
      tags: ["team:a"],
      locations: ["aws:eu-west-1"],
      options: { tick_every: 60 },
      config: { request: { method: "GET", url: "https://example.com" }, assertions: [] },
    },
    of: whole,
    told: ["status", "url"],
    remove: async (sandbox, { public_id }) =>
      (await sandbox.ask({ path: "/api/v1/synthetics/tests/delete", body: { public_ids: [public_id] } })).status,
  },
  {
    name: "team",
    path: "/api/v2/team",
    body: { data: { type: "team", attributes: { handle: "h", name: "n", description: "d" } } },
    ...jsonApi,
  },
  {
    name: "role",
    path: "/api/v2/roles",
    body: { data: { type: "roles", attributes: { name: "n" } } },
    ...jsonApi,
  },
  {
    name: "log pipeline",
    path: "/api/v1/logs/config/pipelines",
    body: {
      name: "n",
      filter: { query: "source:a" },
      processors: [{ type: "attribute-remapper", sources: ["a"], target: "b", is_enabled: true }],
    },
    of: whole,
  },
  {
    name: "webhook",
    path: "/api/v1/integration/webhooks/configuration/webhooks",
    body: { name: "n", url: "https://example.com", payload: "{}" },
    of: whole,
    told: ["url"],
  },
];

for (const { name, path, body, of, asked = whole, told = [], remove } of nouns) {
  test(`makes a deleted ${name} again from what was recorded of it`, async () => {
    await using sandbox = await openSandbox();
    const made = of((await sandbox.ask({ path, body })).json);
    const id = made.public_id ?? made.id ?? made.name;
    const recorded = of((await sandbox.ask({ path: `${path}/${id}` })).json);
    const removed = await (remove?.(sandbox, made) ??
      sandbox.ask({ method: "DELETE", path: `${path}/${id}` }).then(({ status }) => status));
    expect(removed).toBeLessThan(300);

    const again = await sandbox.ask({ path, body: less(asked(recorded), told) });
    expect([again.status, again.text]).toEqual([expect.toSatisfy((status: number) => status < 300), again.text]);
    const document = of(again.json);
    const read = of(
      (await sandbox.ask({ path: `${path}/${document.public_id ?? document.id ?? document.name}` })).json,
    );
    expect(less(read, told)).toEqual(less(recorded, told));
    if (name !== "webhook") expect(document.public_id ?? document.id).not.toBe(id);
  });
}

test("what only Datadog decides is not taken from a request that says it all the same", async () => {
  await using sandbox = await openSandbox();
  for (const { path, body, of, asked = whole } of nouns) {
    const made = of((await sandbox.ask({ path, body })).json);
    const changed = JSON.parse(JSON.stringify(asked(made)).replaceAll("2026-01-15T12:00", "1999-01-01T00:00"));
    const again = of((await sandbox.ask({ path, body: { ...changed, org_id: 1, id: made.id } })).json);
    // Names are taken once: of these there is no second.
    if (again === undefined) continue;
    expect([path, JSON.stringify(again).includes("1999-01-01")]).toEqual([path, false]);
    if (made.org_id !== undefined) expect(again.org_id).toBe(made.org_id);
  }
});
