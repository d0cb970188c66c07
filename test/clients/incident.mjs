/**
 * The official client, unchanged, as an agent in an incident: looks at monitors, logs and metrics, makes a better monitor, raises it, checks
 * it and deletes it again. Prints what it saw as one JSON line an operation. Nothing of it depends on the day but the times it asks for.
 *
 *   DATADOG_HOST  base URL of the API; left out: the client's own hosts of DD_SITE
 *   THRESHOLD     what it raises its monitor to (default 95)
 *   VERIFY=no     leaves one read out
 */

import { client, v1, v2 } from "@datadog/datadog-api-client";

const { DATADOG_HOST: base, DIRECT, THRESHOLD = "95", VERIFY = "yes" } = process.env;
const configuration = client.createConfiguration(
  base === undefined || DIRECT === "yes" ? {} : { baseServer: new client.BaseServerConfiguration(base, {}) },
);
const monitors = new v1.MonitorsApi(configuration);
const metrics = new v2.MetricsApi(configuration);
const logs = new v2.LogsApi(configuration);

/** The client keeps integers beyond 2^53 as doubles; what it was sent is not its to say. */
const show = (operation, value) => console.log(JSON.stringify({ operation, value }));

const run = async (operation, act) => {
  try {
    const value = await act();
    show(operation, value);
    return value;
  } catch (error) {
    show(operation, { refused: error.code ?? null, errors: error.body?.errors ?? [error.message] });
    process.exitCode = 1;
    return undefined;
  }
};

const now = Math.floor(Date.now() / 1000);
await run("validate", () => new v1.AuthenticationApi(configuration).validate());
await run("list", () => monitors.listMonitors({ name: "Checkout", page: 0, pageSize: 10 }));
await run("logs", () =>
  logs.listLogs({ body: { filter: { query: "status:error", from: "now-15m", to: "now" }, page: { limit: 3 } } }),
);
await run("query", () =>
  new v1.MetricsApi(configuration).queryMetrics({ from: now - 900, to: now, query: "avg:system.cpu.user{*}" }),
);
await run("submit", () =>
  metrics.submitMetrics({
    contentEncoding: "gzip",
    body: { series: [{ metric: "agent.ran", type: 3, points: [{ timestamp: now, value: 1 }], tags: ["env:prod"] }] },
  }),
);
const made = await run("create", () =>
  monitors.createMonitor({
    body: {
      name: "Checkout is slow",
      type: "query alert",
      query: "avg(last_5m):avg:checkout.latency{env:prod} > 90",
      message: "slow, tell ann@example.com",
      options: { thresholds: { critical: 90 } },
    },
  }),
);
const monitorId = made?.id ?? 1;
await run("look", () => monitors.getMonitor({ monitorId }));
await run("raise", () =>
  monitors.updateMonitor({
    monitorId,
    body: {
      query: `avg(last_5m):avg:checkout.latency{env:prod} > ${THRESHOLD}`,
      options: { thresholds: { critical: Number(THRESHOLD) } },
    },
  }),
);
if (VERIFY === "yes") await run("look again", () => monitors.getMonitor({ monitorId }));
await run("delete", () => monitors.deleteMonitor({ monitorId }));
await run("look for it", async () => {
  try {
    return await monitors.getMonitor({ monitorId });
  } catch (error) {
    if (error.code !== 404) throw error;
    return { status: 404, errors: error.body?.errors };
  }
});
