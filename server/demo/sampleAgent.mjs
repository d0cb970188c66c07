/** The agent of the sample job: Datadog's official client, unchanged, that knows nothing of Dogwatch but the environment. */

import { client, v1, v2 } from "@datadog/datadog-api-client";

const configuration = client.createConfiguration({
  baseServer: new client.BaseServerConfiguration(process.env.DATADOG_HOST, {}),
});

const monitors = new v1.MonitorsApi(configuration);
const metrics = new v2.MetricsApi(configuration);
const logs = new v2.LogsApi(configuration);

await attempt("look at the monitors", async () => {
  const found = await monitors.listMonitors();
  return found.map(({ name }) => name).join(", ");
});
await attempt("search the logs", async () => {
  const found = await logs.listLogs({ body: { filter: { query: "service:checkout status:error" } } });
  return `${found.data?.length ?? 0} errors, the last one: ${found.data?.[0]?.attributes?.message}`;
});
const created = await attempt("create a monitor", () =>
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
await attempt("delete the monitor", () => monitors.deleteMonitor({ monitorId: created?.id ?? 0 }));

async function attempt(what, act) {
  try {
    const result = await act();
    console.log(`agent: ${what}: ${typeof result === "string" ? result : "done"}`);
    return result;
  } catch (error) {
    const reasons = error.body?.errors ?? [error.message];
    console.log(`agent: ${what}: refused, ${reasons.join(", ")}`);
    return undefined;
  }
}
