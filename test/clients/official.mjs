/**
 * The official client, unchanged, as an agent would run it: creates, reads, updates and deletes through v1 and v2, and prints one
 * JSON line an operation: {operation, ok, status, error?}. Exit code 1 when one of them was not as it should be.
 *
 *   DD_API_KEY, DD_APP_KEY  what the client sends as keys
 *   DATADOG_HOST            base URL of the API (`http://127.0.0.1:8080`); left out: the client's own hosts of DD_SITE
 *   DATADOG_INTAKES         with DATADOG_HOST, where operations go that live on another host than `api.`:
 *                           `same` (default) to the base URL too, `proxy` to {base URL}/proxy/{host}, `skip` leaves them out
 *   DD_SITE                 the site of those hosts; `datadoghq.com` when left out
 */

import { client, v1, v2 } from "@datadog/datadog-api-client";

const { DATADOG_HOST: base, DATADOG_INTAKES: intakes = "same", DD_SITE: site = "datadoghq.com" } = process.env;

let lastStatus = null;

/** The client hides the status of what went well; its own way of sending is kept, and listened to. */
const configure = (url) => {
  const configuration = client.createConfiguration(
    url === undefined ? {} : { baseServer: new client.BaseServerConfiguration(url, {}) },
  );
  configuration.unstableOperations["v2.listMonitorDowntimes"] = true;
  const { httpApi } = configuration;
  configuration.httpApi = {
    send: async (request) => {
      const response = await httpApi.send(request);
      lastStatus = response.httpStatusCode;
      return response;
    },
  };
  return configuration;
};

const configuration = configure(base);
/** For one operation that lives on `{prefix}.{site}`. */
const on = (prefix) =>
  base === undefined || intakes === "same" ? configuration : configure(`${base}/proxy/${prefix}.${site}`);

const failures = [];

const report = (line) => {
  if (!line.ok) failures.push(line.operation);
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** What the client could not read into its own types it keeps in an UnparsedObject, and says nothing. */
const unparsed = (value, path = "$", depth = 0) => {
  if (value === null || typeof value !== "object" || depth > 12) return undefined;
  if (value.constructor?.name === "UnparsedObject" || value.unparsedObject !== undefined) return path;
  for (const [name, inner] of Object.entries(value)) {
    const found = unparsed(inner, `${path}.${name}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Runs one operation; `expected` is the status it should be refused with, if it should be. */
const run = async (operation, act, expected) => {
  lastStatus = null;
  try {
    const answer = await act();
    const strange = unparsed(answer);
    const error = expected !== undefined ? `expected ${expected}` : strange && `unparsed at ${strange}`;
    report({ operation, ok: error === undefined, status: lastStatus, ...(error === undefined ? {} : { error }) });
    return answer;
  } catch (error) {
    const status = error.code ?? lastStatus;
    const message = error.body === undefined ? String(error.message ?? error) : JSON.stringify(error.body);
    report({ operation, ok: expected !== undefined && status === expected, status, error: message.slice(0, 500) });
    return undefined;
  }
};

const away = async (operation, act) => (base !== undefined && intakes === "skip" ? undefined : run(operation, act));

const now = Math.floor(Date.now() / 1000);
const mark = `dogwatch-client-${now}-${process.pid}`;

const monitors = new v1.MonitorsApi(configuration);
const monitorBody = {
  name: `${mark} CPU`,
  type: "query alert",
  query: "avg(last_5m):avg:system.cpu.user{env:prod} > 90",
  message: "CPU is high @slack-ops",
  tags: [`team:${mark}`, "env:prod"],
  options: { thresholds: { critical: 90, warning: 80 }, notifyNoData: false },
  priority: 3,
};

await run("v1.AuthenticationApi.Validate", () => new v1.AuthenticationApi(configuration).validate());
await away("v1.IPRangesApi.GetIPRanges", () => new v1.IPRangesApi(on("ip-ranges")).getIPRanges());

await run("v1.MonitorsApi.ValidateMonitor", () => monitors.validateMonitor({ body: monitorBody }));
const monitor = await run("v1.MonitorsApi.CreateMonitor", () => monitors.createMonitor({ body: monitorBody }));
const monitorId = monitor?.id;
await run("v1.MonitorsApi.GetMonitor", () => monitors.getMonitor({ monitorId }));
await run("v1.MonitorsApi.ListMonitors", () => monitors.listMonitors({ name: mark, page: 0, pageSize: 10 }));
await run("v1.MonitorsApi.SearchMonitors", () => monitors.searchMonitors({ query: `tag:"team:${mark}"` }));
await run("v1.MonitorsApi.SearchMonitorGroups", () => monitors.searchMonitorGroups({ query: `team:${mark}` }));
await run("v1.MonitorsApi.UpdateMonitor", () =>
  monitors.updateMonitor({ monitorId, body: { message: "CPU is very high @slack-ops", priority: 2 } }),
);
await run("v1.MonitorsApi.ValidateExistingMonitor", () =>
  monitors.validateExistingMonitor({ monitorId, body: monitorBody }),
);

const downtimes = new v1.DowntimesApi(configuration);
const downtime = await run("v1.DowntimesApi.CreateDowntime", () =>
  downtimes.createDowntime({
    body: { message: mark, scope: ["env:prod"], monitorId, start: now, end: now + 3600, timezone: "Etc/UTC" },
  }),
);
const downtimeId = downtime?.id;
await run("v1.DowntimesApi.GetDowntime", () => downtimes.getDowntime({ downtimeId }));
await run("v1.DowntimesApi.UpdateDowntime", () =>
  downtimes.updateDowntime({ downtimeId, body: { message: `${mark} again`, scope: ["env:prod"] } }),
);
await run("v1.DowntimesApi.ListDowntimes", () => downtimes.listDowntimes({ currentOnly: true }));
await run("v1.DowntimesApi.ListMonitorDowntimes", () => downtimes.listMonitorDowntimes({ monitorId }));
await run("v1.DowntimesApi.CancelDowntime", () => downtimes.cancelDowntime({ downtimeId }));
await run("v1.DowntimesApi.CreateDowntime", () =>
  downtimes.createDowntime({ body: { message: mark, scope: [`service:${mark}`], start: now, end: now + 60 } }),
);
await run("v1.DowntimesApi.CancelDowntimesByScope", () =>
  downtimes.cancelDowntimesByScope({ body: { scope: `service:${mark}` } }),
);

const newDowntimes = new v2.DowntimesApi(configuration);
const scheduled = await run("v2.DowntimesApi.CreateDowntime", () =>
  newDowntimes.createDowntime({
    body: {
      data: {
        type: "downtime",
        attributes: {
          message: mark,
          monitorIdentifier: { monitorTags: [`team:${mark}`] },
          scope: "env:prod",
          schedule: { start: null },
        },
      },
    },
  }),
);
const scheduledId = scheduled?.data?.id;
await run("v2.DowntimesApi.GetDowntime", () => newDowntimes.getDowntime({ downtimeId: scheduledId }));
await run("v2.DowntimesApi.UpdateDowntime", () =>
  newDowntimes.updateDowntime({
    downtimeId: scheduledId,
    body: { data: { type: "downtime", id: scheduledId, attributes: { message: `${mark} again` } } },
  }),
);
await run("v2.DowntimesApi.ListDowntimes", () => newDowntimes.listDowntimes({ pageLimit: 5 }));
await run("v2.DowntimesApi.ListMonitorDowntimes", () => newDowntimes.listMonitorDowntimes({ monitorId }));
await run("v2.DowntimesApi.CancelDowntime", () => newDowntimes.cancelDowntime({ downtimeId: scheduledId }));

const slos = new v1.ServiceLevelObjectivesApi(configuration);
const slo = await run("v1.ServiceLevelObjectivesApi.CreateSLO", () =>
  slos.createSLO({
    body: {
      type: "monitor",
      name: `${mark} availability`,
      tags: ["env:prod"],
      thresholds: [
        { target: 99, timeframe: "7d", warning: 99.5 },
        { target: 98, timeframe: "30d" },
      ],
      monitorIds: [monitorId],
    },
  }),
);
const sloId = slo?.data?.[0]?.id;
await run("v1.ServiceLevelObjectivesApi.GetSLO", () => slos.getSLO({ sloId }));
await run("v1.ServiceLevelObjectivesApi.ListSLOs", () => slos.listSLOs({ query: mark }));
await run("v1.ServiceLevelObjectivesApi.SearchSLO", () => slos.searchSLO({ query: mark }));
await run("v1.ServiceLevelObjectivesApi.UpdateSLO", () =>
  slos.updateSLO({
    sloId,
    body: {
      type: "monitor",
      name: `${mark} availability`,
      thresholds: [
        { target: 97, timeframe: "7d" },
        { target: 98, timeframe: "30d" },
      ],
      monitorIds: [monitorId],
    },
  }),
);
await run("v1.ServiceLevelObjectivesApi.GetSLOHistory", () =>
  slos.getSLOHistory({ sloId, fromTs: now - 86_400, toTs: now }),
);
const corrections = new v1.ServiceLevelObjectiveCorrectionsApi(configuration);
const correction = await run("v1.ServiceLevelObjectiveCorrectionsApi.CreateSLOCorrection", () =>
  corrections.createSLOCorrection({
    body: {
      data: {
        type: "correction",
        attributes: { category: "Scheduled Maintenance", sloId, start: now - 600, end: now, timezone: "UTC" },
      },
    },
  }),
);
const sloCorrectionId = correction?.data?.id;
await run("v1.ServiceLevelObjectiveCorrectionsApi.GetSLOCorrection", () =>
  corrections.getSLOCorrection({ sloCorrectionId }),
);
await run("v1.ServiceLevelObjectiveCorrectionsApi.ListSLOCorrection", () => corrections.listSLOCorrection());
await run("v1.ServiceLevelObjectiveCorrectionsApi.UpdateSLOCorrection", () =>
  corrections.updateSLOCorrection({
    sloCorrectionId,
    body: { data: { type: "correction", attributes: { description: mark } } },
  }),
);
await run("v1.ServiceLevelObjectivesApi.GetSLOCorrections", () => slos.getSLOCorrections({ sloId }));
await run("v1.ServiceLevelObjectiveCorrectionsApi.DeleteSLOCorrection", () =>
  corrections.deleteSLOCorrection({ sloCorrectionId }),
);
await run("v1.ServiceLevelObjectivesApi.CheckCanDeleteSLO", () => slos.checkCanDeleteSLO({ ids: sloId }));
await run("v1.ServiceLevelObjectivesApi.DeleteSLOTimeframeInBulk", () =>
  slos.deleteSLOTimeframeInBulk({ body: { [sloId]: ["30d"] } }),
);
await run("v1.ServiceLevelObjectivesApi.DeleteSLO", () => slos.deleteSLO({ sloId }));

await run("v1.MonitorsApi.CheckCanDeleteMonitor", () => monitors.checkCanDeleteMonitor({ monitorIds: [monitorId] }));
await run("v1.MonitorsApi.DeleteMonitor", () => monitors.deleteMonitor({ monitorId }));
await run("v1.MonitorsApi.GetMonitor", () => monitors.getMonitor({ monitorId }), 404);

const dashboards = new v1.DashboardsApi(configuration);
const dashboardBody = {
  title: `${mark} overview`,
  layoutType: "ordered",
  widgets: [
    { definition: { type: "note", content: "Made by a test" } },
    { definition: { type: "timeseries", requests: [{ q: "avg:system.load.1{*}", displayType: "line" }] } },
  ],
};
const dashboard = await run("v1.DashboardsApi.CreateDashboard", () =>
  dashboards.createDashboard({ body: dashboardBody }),
);
const dashboardId = dashboard?.id;
await run("v1.DashboardsApi.GetDashboard", () => dashboards.getDashboard({ dashboardId }));
await run("v1.DashboardsApi.UpdateDashboard", () =>
  dashboards.updateDashboard({ dashboardId, body: { ...dashboardBody, description: "Changed" } }),
);
await run("v1.DashboardsApi.ListDashboards", () => dashboards.listDashboards({ count: 10 }));
const shared = await run("v1.DashboardsApi.CreatePublicDashboard", () =>
  dashboards.createPublicDashboard({
    body: { dashboardId, dashboardType: "custom_timeboard", shareType: "open", globalTime: { liveSpan: "1h" } },
  }),
);
const token = shared?.token;
await run("v1.DashboardsApi.GetPublicDashboard", () => dashboards.getPublicDashboard({ token }));
await run("v1.DashboardsApi.UpdatePublicDashboard", () =>
  dashboards.updatePublicDashboard({ token, body: { globalTime: { liveSpan: "15m" }, shareList: [] } }),
);
await run("v1.DashboardsApi.DeletePublicDashboard", () => dashboards.deletePublicDashboard({ token }));

const lists = new v1.DashboardListsApi(configuration);
const items = new v2.DashboardListsApi(configuration);
const list = await run("v1.DashboardListsApi.CreateDashboardList", () =>
  lists.createDashboardList({ body: { name: mark } }),
);
const listId = list?.id;
const itemBody = { dashboards: [{ id: dashboardId, type: "custom_timeboard" }] };
await run("v1.DashboardListsApi.GetDashboardList", () => lists.getDashboardList({ listId }));
await run("v1.DashboardListsApi.ListDashboardLists", () => lists.listDashboardLists());
await run("v1.DashboardListsApi.UpdateDashboardList", () =>
  lists.updateDashboardList({ listId, body: { name: `${mark} again` } }),
);
await run("v2.DashboardListsApi.CreateDashboardListItems", () =>
  items.createDashboardListItems({ dashboardListId: listId, body: itemBody }),
);
await run("v2.DashboardListsApi.GetDashboardListItems", () => items.getDashboardListItems({ dashboardListId: listId }));
await run("v2.DashboardListsApi.UpdateDashboardListItems", () =>
  items.updateDashboardListItems({ dashboardListId: listId, body: itemBody }),
);
await run("v2.DashboardListsApi.DeleteDashboardListItems", () =>
  items.deleteDashboardListItems({ dashboardListId: listId, body: itemBody }),
);
await run("v1.DashboardListsApi.DeleteDashboardList", () => lists.deleteDashboardList({ listId }));
const bulk = { data: [{ id: dashboardId, type: "dashboard" }] };
await run("v1.DashboardsApi.DeleteDashboards", () => dashboards.deleteDashboards({ body: bulk }));
await run("v1.DashboardsApi.GetDashboard", () => dashboards.getDashboard({ dashboardId }), 404);
await run("v1.DashboardsApi.RestoreDashboards", () => dashboards.restoreDashboards({ body: bulk }));
await run("v1.DashboardsApi.DeleteDashboard", () => dashboards.deleteDashboard({ dashboardId }));

const metric = mark.replaceAll("-", "_");
const metrics = new v1.MetricsApi(configuration);
const newMetrics = new v2.MetricsApi(configuration);
await run("v1.MetricsApi.SubmitMetrics", () =>
  metrics.submitMetrics({
    body: { series: [{ metric, type: "gauge", points: [[now - 60, 1.5]], host: "web-1", tags: ["env:prod"] }] },
  }),
);
await run("v2.MetricsApi.SubmitMetrics", () =>
  newMetrics.submitMetrics({
    body: {
      series: [
        {
          metric,
          type: 3,
          points: [{ timestamp: now - 30, value: 2.5 }],
          resources: [{ name: "web-2", type: "host" }],
          tags: ["env:prod"],
        },
      ],
    },
  }),
);
await run("v2.MetricsApi.SubmitMetrics", () =>
  newMetrics.submitMetrics({
    contentEncoding: "gzip",
    body: { series: [{ metric, type: 3, points: [{ timestamp: now - 20, value: 3.5 }], tags: ["env:prod"] }] },
  }),
);
await run("v1.MetricsApi.SubmitDistributionPoints", () =>
  metrics.submitDistributionPoints({ body: { series: [{ metric: `${metric}.d`, points: [[now - 30, [1, 2, 3]]] }] } }),
);
await run("v1.MetricsApi.QueryMetrics", () =>
  metrics.queryMetrics({ from: now - 300, to: now + 60, query: `avg:${metric}{env:prod} by {host}` }),
);
await run("v1.MetricsApi.ListActiveMetrics", () => metrics.listActiveMetrics({ from: now - 3600 }));
await run("v1.MetricsApi.ListMetrics", () => metrics.listMetrics({ q: `metrics:${metric}` }));
await run("v1.MetricsApi.GetMetricMetadata", () => metrics.getMetricMetadata({ metricName: metric }));
await run("v1.MetricsApi.UpdateMetricMetadata", () =>
  metrics.updateMetricMetadata({ metricName: metric, body: { description: mark, unit: "request" } }),
);
const window = { from: (now - 300) * 1000, to: (now + 60) * 1000 };
const query = { dataSource: "metrics", name: "a", query: `avg:${metric}{env:prod} by {host}` };
await run("v2.MetricsApi.QueryTimeseriesData", () =>
  newMetrics.queryTimeseriesData({
    body: {
      data: { type: "timeseries_request", attributes: { ...window, formulas: [{ formula: "a" }], queries: [query] } },
    },
  }),
);
await run("v2.MetricsApi.QueryScalarData", () =>
  newMetrics.queryScalarData({
    body: {
      data: {
        type: "scalar_request",
        attributes: { ...window, formulas: [{ formula: "a" }], queries: [{ ...query, aggregator: "avg" }] },
      },
    },
  }),
);
await run("v2.MetricsApi.ListTagsByMetricName", () => newMetrics.listTagsByMetricName({ metricName: metric }));
await run("v2.MetricsApi.ListTagConfigurations", () => newMetrics.listTagConfigurations({}));
const tagBody = (tags) => ({ data: { type: "manage_tags", id: metric, attributes: { tags, metricType: "gauge" } } });
await run("v2.MetricsApi.CreateTagConfiguration", () =>
  newMetrics.createTagConfiguration({ metricName: metric, body: tagBody(["env"]) }),
);
await run("v2.MetricsApi.ListTagConfigurationByName", () =>
  newMetrics.listTagConfigurationByName({ metricName: metric }),
);
await run("v2.MetricsApi.UpdateTagConfiguration", () =>
  newMetrics.updateTagConfiguration({
    metricName: metric,
    body: { data: { type: "manage_tags", id: metric, attributes: { tags: ["env", "host"] } } },
  }),
);
await run("v2.MetricsApi.DeleteTagConfiguration", () => newMetrics.deleteTagConfiguration({ metricName: metric }));

await run("v1.ServiceChecksApi.SubmitServiceCheck", () =>
  new v1.ServiceChecksApi(configuration).submitServiceCheck({
    body: [{ check: "app.ok", hostName: "web-1", status: 0, tags: ["env:prod"] }],
  }),
);
await run("v1.HostsApi.ListHosts", () => new v1.HostsApi(configuration).listHosts({}));
await run("v1.HostsApi.GetHostTotals", () => new v1.HostsApi(configuration).getHostTotals({}));

const events = new v1.EventsApi(configuration);
const event = await run("v1.EventsApi.CreateEvent", () =>
  events.createEvent({ body: { title: mark, text: "Deployed", tags: ["env:prod"], alertType: "info" } }),
);
await run("v1.EventsApi.ListEvents", () => events.listEvents({ start: now - 600, end: now + 600, tags: "env:prod" }));
// The client reads `id` as a double: another number. The right one is in `id_str`, which it cannot ask for.
await run("v1.EventsApi.GetEvent", () => events.getEvent({ eventId: event?.event?.idStr ?? event?.event?.id }));
await away("v2.EventsApi.CreateEvent", () =>
  new v2.EventsApi(on("event-management-intake")).createEvent({
    body: {
      data: {
        type: "event",
        attributes: {
          title: `${mark} flag`,
          category: "change",
          attributes: { changedResource: { name: "fallback", type: "feature_flag" } },
          tags: ["env:prod"],
        },
      },
    },
  }),
);
const newEvents = new v2.EventsApi(configuration);
await run("v2.EventsApi.SearchEvents", () =>
  newEvents.searchEvents({
    body: { filter: { query: "env:prod", from: "now-15m", to: "now" }, page: { limit: 5 }, sort: "timestamp" },
  }),
);
await run("v2.EventsApi.ListEvents", () => newEvents.listEvents({ filterQuery: "env:prod", pageLimit: 5 }));

await away("v2.LogsApi.SubmitLog", () =>
  new v2.LogsApi(on("http-intake.logs")).submitLog({
    contentEncoding: "gzip",
    body: [
      { ddsource: "nginx", ddtags: "env:prod", hostname: "web-1", message: `${mark} GET /`, service: "web" },
      { ddsource: "nginx", ddtags: "env:prod", hostname: "web-2", message: `${mark} POST /`, service: "web" },
    ],
  }),
);
await away("v1.LogsApi.SubmitLog", () =>
  new v1.LogsApi(on("http-intake.logs")).submitLog({ body: [{ message: `${mark} old`, service: "web" }] }),
);
const logs = new v2.LogsApi(configuration);
await run("v2.LogsApi.ListLogs", () =>
  logs.listLogs({ body: { filter: { query: `service:web ${mark}`, from: "now-15m", to: "now" }, page: { limit: 2 } } }),
);
await run("v2.LogsApi.ListLogsGet", () => logs.listLogsGet({ filterQuery: "service:web", pageLimit: 5 }));
await run("v2.LogsApi.AggregateLogs", () =>
  logs.aggregateLogs({
    body: {
      compute: [{ aggregation: "count", type: "total" }],
      filter: { query: "service:web", from: "now-15m", to: "now" },
      groupBy: [{ facet: "host" }],
    },
  }),
);
await run("v1.LogsApi.ListLogs", () =>
  new v1.LogsApi(configuration).listLogs({
    body: { query: mark, limit: 5, time: { from: new Date(Date.now() - 900_000), to: new Date(Date.now() + 1000) } },
  }),
);

const keys = new v2.KeyManagementApi(configuration);
const apiKey = await run("v2.KeyManagementApi.CreateAPIKey", () =>
  keys.createAPIKey({ body: { data: { type: "api_keys", attributes: { name: mark } } } }),
);
const apiKeyId = apiKey?.data?.id;
await run("v2.KeyManagementApi.ListAPIKeys", () => keys.listAPIKeys({ filter: mark }));
await run("v2.KeyManagementApi.GetAPIKey", () => keys.getAPIKey({ apiKeyId }));
await run("v2.KeyManagementApi.UpdateAPIKey", () =>
  keys.updateAPIKey({
    apiKeyId,
    body: { data: { type: "api_keys", id: apiKeyId, attributes: { name: `${mark} again` } } },
  }),
);
await run("v2.KeyManagementApi.DeleteAPIKey", () => keys.deleteAPIKey({ apiKeyId }));
await run("v2.KeyManagementApi.GetAPIKey", () => keys.getAPIKey({ apiKeyId }), 404);
const appKey = await run("v2.KeyManagementApi.CreateCurrentUserApplicationKey", () =>
  keys.createCurrentUserApplicationKey({
    body: { data: { type: "application_keys", attributes: { name: mark, scopes: ["dashboards_read"] } } },
  }),
);
const appKeyId = appKey?.data?.id;
await run("v2.KeyManagementApi.ListApplicationKeys", () => keys.listApplicationKeys({}));
await run("v2.KeyManagementApi.GetApplicationKey", () => keys.getApplicationKey({ appKeyId }));
await run("v2.KeyManagementApi.DeleteCurrentUserApplicationKey", () =>
  keys.deleteCurrentUserApplicationKey({ appKeyId }),
);

const webhooks = new v1.WebhooksIntegrationApi(configuration);
await run("v1.WebhooksIntegrationApi.CreateWebhooksIntegration", () =>
  webhooks.createWebhooksIntegration({
    body: { name: mark, url: "https://example.com/hook", customHeaders: '{"authorization": "hush"}' },
  }),
);
await run("v1.WebhooksIntegrationApi.GetWebhooksIntegration", () =>
  webhooks.getWebhooksIntegration({ webhookName: mark }),
);
await run("v1.WebhooksIntegrationApi.UpdateWebhooksIntegration", () =>
  webhooks.updateWebhooksIntegration({ webhookName: mark, body: { url: "https://example.com/other" } }),
);
await run("v1.WebhooksIntegrationApi.DeleteWebhooksIntegration", () =>
  webhooks.deleteWebhooksIntegration({ webhookName: mark }),
);

const notebooks = new v1.NotebooksApi(configuration);
const notebookBody = (name) => ({
  data: {
    type: "notebooks",
    attributes: {
      name,
      time: { liveSpan: "1h" },
      cells: [{ type: "notebook_cells", attributes: { definition: { type: "markdown", text: "# Findings" } } }],
    },
  },
});
const notebook = await run("v1.NotebooksApi.CreateNotebook", () =>
  notebooks.createNotebook({ body: notebookBody(mark) }),
);
const notebookId = notebook?.data?.id;
await run("v1.NotebooksApi.GetNotebook", () => notebooks.getNotebook({ notebookId }));
await run("v1.NotebooksApi.UpdateNotebook", () =>
  notebooks.updateNotebook({ notebookId, body: notebookBody(`${mark} again`) }),
);
await run("v1.NotebooksApi.ListNotebooks", () => notebooks.listNotebooks({ count: 5 }));
await run("v1.NotebooksApi.DeleteNotebook", () => notebooks.deleteNotebook({ notebookId }));

const users = new v2.UsersApi(configuration);
const found = await run("v2.UsersApi.ListUsers", () => users.listUsers({ pageSize: 2 }));
await run("v2.UsersApi.GetUser", () => users.getUser({ userId: found?.data?.[0]?.id }));
await run("v2.UsersApi.GetCurrentUser", () => users.getCurrentUser());
const roles = new v2.RolesApi(configuration);
const role = await run("v2.RolesApi.ListRoles", () => roles.listRoles());
const roleId = role?.data?.[0]?.id;
await run("v2.RolesApi.GetRole", () => roles.getRole({ roleId }));
await run("v2.RolesApi.ListPermissions", () => roles.listPermissions());
await run("v2.RolesApi.ListRolePermissions", () => roles.listRolePermissions({ roleId }));

process.exitCode = failures.length === 0 ? 0 : 1;
