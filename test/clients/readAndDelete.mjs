/** The official client, unchanged, as an agent that reads a monitor, an SLO, a dashboard and a downtime and, told `delete`, deletes them: `readAndDelete.mjs read|delete IDS`. */

import { client, v1, v2 } from "@datadog/datadog-api-client";

const configuration = client.createConfiguration({
  baseServer: new client.BaseServerConfiguration(process.env.DATADOG_HOST, {}),
});
const [mode, ids] = [process.argv[2], JSON.parse(process.argv[3])];
const monitors = new v1.MonitorsApi(configuration);
const slos = new v1.ServiceLevelObjectivesApi(configuration);
const dashboards = new v1.DashboardsApi(configuration);
const downtimes = new v2.DowntimesApi(configuration);

const read = {
  downtime: (await downtimes.getDowntime({ downtimeId: ids.downtime })).data.attributes,
  dashboard: await dashboards.getDashboard({ dashboardId: ids.dashboard }),
  slo: (await slos.getSLO({ sloId: ids.slo })).data,
  monitor: await monitors.getMonitor({ monitorId: Number(ids.monitor) }),
};
if (mode === "delete") {
  await downtimes.cancelDowntime({ downtimeId: ids.downtime });
  await dashboards.deleteDashboard({ dashboardId: ids.dashboard });
  await slos.deleteSLO({ sloId: ids.slo });
  await monitors.deleteMonitor({ monitorId: Number(ids.monitor) });
}
console.log(JSON.stringify(read));
