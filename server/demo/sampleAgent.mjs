/** The agent of the sample job: Datadog's official client, unchanged, that knows nothing of Dogwatch but the environment. */

import { client, v1, v2 } from "@datadog/datadog-api-client";

const configuration = client.createConfiguration({
  baseServer: new client.BaseServerConfiguration(process.env.DATADOG_HOST, {}),
});

const monitors = new v1.MonitorsApi(configuration);
const dashboards = new v1.DashboardsApi(configuration);
const metrics = new v2.MetricsApi(configuration);
const logs = new v2.LogsApi(configuration);

const found = await attempt("look at the monitors", () => monitors.listMonitors(), names("name"));
await attempt(
  "search the logs",
  () => logs.listLogs({ body: { filter: { query: "service:checkout status:error" } } }),
  ({ data }) => `${data?.length ?? 0} errors, the last one: ${data?.[0]?.attributes?.message}`,
);
const created = await attempt("create a better monitor", () =>
  monitors.createMonitor({
    body: {
      name: "Checkout latency p99",
      type: "metric alert",
      query: "avg(last_5m):avg:checkout.latency.p99{env:prod} > 2",
      message: "Checkout is slow. @slack-checkout",
      options: { thresholds: { critical: 2 } },
    },
  }),
);
await attempt("raise its threshold", () =>
  monitors.updateMonitor({
    monitorId: created?.id ?? 0,
    body: { query: "avg(last_5m):avg:checkout.latency.p99{env:prod} > 3", options: { thresholds: { critical: 3 } } },
  }),
);
await attempt("submit a metric", () =>
  metrics.submitMetrics({
    body: {
      series: [
        {
          metric: "deploy.duration",
          type: 3,
          points: [{ timestamp: Math.floor(Date.now() / 1000), value: 41.5 }],
          tags: ["env:prod"],
        },
      ],
    },
  }),
);
const shown = await attempt(
  "look at the dashboards",
  () => dashboards.listDashboards(),
  ({ dashboards: all }) => names("title")(all),
);
await attempt("delete a dashboard", () =>
  dashboards.deleteDashboard({ dashboardId: shown?.dashboards?.[0]?.id ?? "" }),
);
const worse = found?.find(({ name }) => name === "Checkout latency average");
await attempt(`delete the monitor that it replaces`, () => monitors.deleteMonitor({ monitorId: worse?.id ?? 0 }));

async function attempt(what, act, describe = () => "done") {
  try {
    const result = await act();
    console.log(`agent: ${what}: ${describe(result)}`);
    return result;
  } catch (error) {
    const reasons = error.body?.errors ?? [error.message];
    console.log(`agent: ${what}: refused, ${reasons.join(", ")}`);
    return undefined;
  }
}

function names(key) {
  return (things) => things.map((thing) => thing[key]).join(", ");
}
