/** The official client, unchanged, as an agent that deletes one monitor: `deleteMonitor.mjs ID`. Prints what became of it as one JSON line. */

import { client, v1 } from "@datadog/datadog-api-client";

const monitors = new v1.MonitorsApi(
  client.createConfiguration({ baseServer: new client.BaseServerConfiguration(process.env.DATADOG_HOST, {}) }),
);
try {
  const deleted = await monitors.deleteMonitor({ monitorId: Number(process.argv[2]) });
  console.log(JSON.stringify({ deleted: deleted.deletedMonitorId }));
} catch (error) {
  console.log(JSON.stringify({ refused: error.body?.errors ?? [error.message] }));
}
