/** The sandbox remembers: what was written is read back, searched, queried, refused when it is wrong, and gone once deleted. */

import { expect, test } from "vitest";
import { type Loose, noon, openSandbox, type OpenSandbox } from "./open.ts";

const monitor = {
  type: "metric alert",
  query: "avg(last_5m):avg:a.b{env:prod} > 1",
  name: "CPU",
  tags: ["env:prod", "team:web"],
  message: "look",
};

const create = async (sandbox: OpenSandbox, path: string, body: unknown) => {
  const { status, json, text } = await sandbox.ask({ path, body });
  expect([status, text]).toEqual([expect.toSatisfy((code: number) => code < 300), text]);
  return json;
};

test("keeps a monitor from create to delete, and what only Datadog decides", async () => {
  await using sandbox = await openSandbox();
  const made = await create(sandbox, "/api/v1/monitor", { ...monitor, id: 5, org_id: 1, overall_state: "Alert" });
  expect(made).toMatchObject({ ...monitor, overall_state: "No Data", created: "2026-01-15T12:00:00.000000+00:00" });
  expect(made.id).toBeGreaterThan(10 ** 8);

  sandbox.pass(60_000);
  const path = `/api/v1/monitor/${made.id}`;
  const changed = await sandbox.ask({ method: "PUT", path, body: { ...made, name: "Load", id: 7, creator: null } });
  expect(changed.json).toMatchObject({ id: made.id, name: "Load", query: monitor.query, creator: made.creator });
  expect(changed.json.modified).toBe("2026-01-15T12:01:00.000000+00:00");
  expect((await sandbox.ask({ path })).json).toEqual(changed.json);

  expect((await sandbox.ask({ method: "DELETE", path })).json).toEqual({ deleted_monitor_id: made.id });
  for (const method of ["GET", "DELETE", "PUT"])
    expect((await sandbox.ask({ method, path, body: {} })).json).toEqual({ errors: ["Monitor not found"] });
});

test("refuses a monitor that Datadog would refuse, and names the field", async () => {
  await using sandbox = await openSandbox();
  const { json, status } = await sandbox.ask({
    path: "/api/v1/monitor",
    body: { ...monitor, type: "mood alert", query: 3 },
  });
  expect(status).toBe(400);
  expect(json.errors[0]).toContain("'type'");
  expect(json.errors[1]).toContain("'query'");
  const validated = await sandbox.ask({
    path: "/api/v1/monitor/validate",
    body: { type: "log alert", query: "query" },
  });
  expect(validated).toMatchObject({ status: 400, json: { errors: [expect.stringContaining("invalid operator")] } });
  expect((await sandbox.ask({ path: "/api/v1/monitor/abc" })).status).toBe(404);
  expect((await sandbox.ask({ path: `/api/v1/monitor/${"9".repeat(40)}` })).status).toBe(404);
});

test("does not delete a monitor that an SLO stands on, unless forced", async () => {
  await using sandbox = await openSandbox();
  const { id } = await create(sandbox, "/api/v1/monitor", monitor);
  const slo = { type: "monitor", name: "Up", thresholds: [{ target: 99, timeframe: "7d" }], monitor_ids: [id] };
  await create(sandbox, "/api/v1/slo", slo);
  const asked = await sandbox.ask({ path: `/api/v1/monitor/can_delete?monitor_ids=${id}` });
  expect(asked).toMatchObject({
    status: 409,
    json: { data: { ok: [] }, errors: { [id]: [expect.stringContaining("Up")] } },
  });
  expect((await sandbox.ask({ method: "DELETE", path: `/api/v1/monitor/${id}` })).status).toBe(400);
  expect((await sandbox.ask({ method: "DELETE", path: `/api/v1/monitor/${id}?force=true` })).status).toBe(200);
  expect((await sandbox.ask({ path: "/api/v1/slo", body: slo })).json.errors[0]).toContain("do not exist");
});

test("finds monitors by tag, status and words, page by page", async () => {
  await using sandbox = await openSandbox();
  for (const name of ["alpha", "beta", "gamma"]) await create(sandbox, "/api/v1/monitor", { ...monitor, name });
  const names = async (query: string) => {
    const found = await sandbox.ask({ path: `/api/v1/monitor/search?query=${encodeURIComponent(query)}` });
    return found.json.monitors.map(({ name }: { name: string }) => name);
  };
  expect(await names("tag:team:web alpha")).toEqual(["alpha"]);
  expect(await names('team:web -alpha status:"no data"')).toEqual(["beta", "gamma"]);
  expect(await names("alpha OR gam*")).toEqual(["alpha", "gamma"]);
  expect(await names("team:db")).toEqual([]);
  const page = await sandbox.ask({ path: "/api/v1/monitor/search?per_page=2&page=1" });
  expect(page.json.metadata).toEqual({ page: 1, per_page: 2, page_count: 2, total_count: 3 });
  expect(page.json.monitors).toHaveLength(1);
  expect((await sandbox.ask({ path: "/api/v1/monitor/search?query=(a%20OR%20b)" })).json.errors[0]).toContain(
    "parentheses",
  );
});

test("shows the same downtime through v1 and v2, until it is cancelled", async () => {
  await using sandbox = await openSandbox();
  const { id: monitorId } = await create(sandbox, "/api/v1/monitor", monitor);
  const start = noon / 1000;
  const old = await create(sandbox, "/api/v1/downtime", {
    scope: ["env:prod", "host:a"],
    monitor_id: monitorId,
    start,
    end: start + 60,
  });
  const seen = await sandbox.ask({ path: `/api/v2/downtime/${old.uuid}` });
  expect(seen.json.data.attributes).toMatchObject({ scope: "env:prod AND host:a", status: "active" });
  expect((await sandbox.ask({ path: `/api/v1/monitor/${monitorId}/downtimes` })).json).toHaveLength(1);
  sandbox.pass(61_000);
  expect((await sandbox.ask({ path: `/api/v1/downtime/${old.id}` })).json.status).toBe("ended");

  const later = await create(sandbox, "/api/v2/downtime", {
    data: {
      type: "downtime",
      attributes: { scope: "env:prod", monitor_identifier: { monitor_tags: ["team:web"] }, schedule: { start: null } },
    },
  });
  expect((await sandbox.ask({ path: "/api/v2/monitor/" + monitorId + "/downtime_matches" })).json.data).toHaveLength(1);
  expect(await sandbox.ask({ method: "DELETE", path: `/api/v2/downtime/${later.data.id}` })).toMatchObject({
    status: 204,
    text: "",
  });
  expect((await sandbox.ask({ path: `/api/v2/downtime/${later.data.id}` })).json.data.attributes.status).toBe(
    "canceled",
  );
  expect((await sandbox.ask({ path: "/api/v1/downtime", body: { scope: "*", start, end: start - 1 } })).status).toBe(
    400,
  );
});

test("gives events ids that no double holds, digit for digit", async () => {
  await using sandbox = await openSandbox();
  const posted = await sandbox.ask({
    path: "/api/v1/events",
    body: { title: "Deploy", text: "v2", tags: ["env:prod"] },
  });
  expect(posted.status).toBe(202);
  const digits = /"id":(\d+)/.exec(posted.text)?.[1] ?? "";
  expect(digits).toBe(posted.json.event.id_str);
  expect(BigInt(digits)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
  expect((await sandbox.ask({ path: `/api/v1/events/${digits}` })).text).toContain(`"id":${digits},`);
  const seconds = noon / 1000;
  const listed = await sandbox.ask({ path: `/api/v1/events?start=${seconds - 5}&end=${seconds + 5}&tags=env:prod` });
  expect(listed.json.events).toHaveLength(1);
  const old = await sandbox.ask({ path: "/api/v1/events", body: { title: "Old", text: "", date_happened: 1 } });
  expect(old).toMatchObject({ status: 400, json: { errors: ["Event too far in the past"] } });
});

test("keeps big numbers of dashboards as they came", async () => {
  await using sandbox = await openSandbox();
  const body =
    '{"title":"T","layout_type":"ordered","widgets":[{"definition":{"type":"note","account":12345678901234567890},"id":9007199254740993}]}';
  const made = await sandbox.ask({
    path: "/api/v1/dashboard",
    body,
    headers: { "dd-api-key": "k", "dd-application-key": "a", "content-type": "application/json" },
  });
  const read = await sandbox.ask({ path: `/api/v1/dashboard/${made.json.id}` });
  expect(read.text).toContain('"account":12345678901234567890');
  expect(read.text).toContain('"id":9007199254740993');
  expect(made.json.id).toMatch(/^\w{3}-\w{3}-\w{3}$/);
});

test("deletes dashboards in bulk all or none, and restores them", async () => {
  await using sandbox = await openSandbox();
  const { id } = await create(sandbox, "/api/v1/dashboard", { title: "T", layout_type: "free", widgets: [] });
  const chosen = (...ids: string[]) => ({ data: ids.map((each) => ({ id: each, type: "dashboard" })) });
  const path = "/api/v1/dashboard";
  expect((await sandbox.ask({ method: "DELETE", path, body: chosen(id, "aaa-aaa-aaa") })).status).toBe(404);
  expect((await sandbox.ask({ path: `${path}/${id}` })).status).toBe(200);
  expect((await sandbox.ask({ method: "DELETE", path, body: chosen(id) })).status).toBe(204);
  expect((await sandbox.ask({ path: `${path}/${id}` })).status).toBe(404);
  expect((await sandbox.ask({ method: "PATCH", path, body: chosen(id) })).status).toBe(204);
  expect((await sandbox.ask({ path: `${path}/${id}` })).json.title).toBe("T");
});

test("answers metric queries from the points that were submitted", async () => {
  await using sandbox = await openSandbox();
  const at = noon / 1000;
  await create(sandbox, "/api/v1/series", {
    series: [
      {
        metric: "app.jobs",
        points: [
          [at - 60, 1],
          [at - 59, 3],
        ],
        tags: ["env:prod"],
        host: "a",
      },
      { metric: "app.jobs", points: [[at - 60, 10]], tags: ["env:prod"], host: "b" },
      { metric: "app.jobs", points: [[at - 60, 100]], tags: ["env:dev"], host: "a" },
    ],
  });
  const query = async (text: string) =>
    (await sandbox.ask({ path: `/api/v1/query?from=${at - 600}&to=${at}&query=${encodeURIComponent(text)}` })).json;
  const lists = async (text: string) =>
    (await query(text)).series.map((each: Loose) => each.pointlist.map(([, v]: number[]) => v));
  expect(await lists("sum:app.jobs{env:prod}")).toEqual([[12]]);
  expect(await lists("sum:app.jobs{env:prod}.as_count()")).toEqual([[14]]);
  expect(await lists("sum:app.jobs{env:prod}.rollup(max, 60)")).toEqual([[13]]);
  expect(await lists("avg:app.jobs{env:prod} by {host}")).toEqual([[2], [10]]);
  expect(await lists("max:app.jobs{*}")).toEqual([[100]]);
  expect(await lists("count:app.jobs{!env:dev}")).toEqual([[3]]);
  expect((await query("avg:app.jobs{*} / 2")).errors[0]).toContain("the sandbox understands");
  const { columns } = (
    await create(sandbox, "/api/v2/query/scalar", {
      data: {
        type: "scalar_request",
        attributes: {
          from: noon - 600_000,
          to: noon,
          formulas: [{ formula: "a" }],
          queries: [{ data_source: "metrics", name: "a", query: "sum:app.jobs{*} by {env}", aggregator: "sum" }],
        },
      },
    })
  ).data.attributes;
  expect(columns).toMatchObject([
    { name: "env", values: [["prod"], ["dev"]] },
    { name: "a", values: [14, 100] },
  ]);
});

test("finds logs by field, attribute, range and words, newest first, page by page", async () => {
  await using sandbox = await openSandbox();
  const headers = { host: "http-intake.logs.datadoghq.com", "dd-api-key": "k" };
  for (const [i, code] of [200, 404, 500].entries()) {
    sandbox.pass(1000);
    const body = {
      message: `request ${i}`,
      service: "web",
      ddtags: "env:prod",
      http: { code },
      status: code === 500 ? "error" : "info",
    };
    await sandbox.ask({ path: "/api/v2/logs", body, headers });
  }
  const search = async (query: string, page = {}) =>
    (
      await sandbox.ask({
        path: "/api/v2/logs/events/search",
        body: { filter: { query, from: "now-1h", to: "now" }, page },
      })
    ).json;
  const messages = async (query: string) => (await search(query)).data.map((log: Loose) => log.attributes.message);
  expect(await messages("service:web")).toEqual(["request 2", "request 1", "request 0"]);
  expect(await messages("@http.code:>=404 -status:error")).toEqual(["request 1"]);
  expect(await messages('env:prod "request 0"')).toEqual(["request 0"]);
  const first = await search("*", { limit: 2 });
  const second = await search("*", { limit: 2, cursor: first.meta.page.after });
  expect(second.data.map((log: Loose) => log.attributes.message)).toEqual(["request 0"]);
  expect(second.meta.page).toBeUndefined();
  sandbox.pass(3_600_001);
  expect(await messages("service:web")).toEqual([]);
});

test("shows a new key once through v2, and again and again through v1, as Datadog does", async () => {
  await using sandbox = await openSandbox();
  const made = await create(sandbox, "/api/v2/application_keys", {
    data: { type: "application_keys", attributes: { name: "n" } },
  });
  const { key } = made.data.attributes;
  expect(key).toMatch(/^[0-9a-f]{40}$/);
  const read = await sandbox.ask({ path: `/api/v2/application_keys/${made.data.id}` });
  expect(read.text).not.toContain(key);
  expect(read.json.data.attributes.last4).toBe(key.slice(-4));
  expect((await sandbox.ask({ path: `/api/v1/application_key/${key}` })).json.application_key.hash).toBe(key);
});

test("never answers the value of a secret webhook variable", async () => {
  await using sandbox = await openSandbox();
  const path = "/api/v1/integration/webhooks/configuration/custom-variables";
  await create(sandbox, path, { name: "TOKEN", value: "hush", is_secret: true });
  expect((await sandbox.ask({ path: `${path}/TOKEN` })).json).toEqual({ name: "TOKEN", is_secret: true });
});
