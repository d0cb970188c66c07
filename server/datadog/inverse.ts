/** How changes to Datadog's resources are taken back: which operations make, show, change and remove each kind, and what of an answer is not sent back. */

/** `bare`: the resource is the whole body. `listed`: answers to changes hold it as the only item of `data`, and a request is bare. `attributes`: JSON:API, `{data: {type, attributes}}`. */
type Envelope = "bare" | "listed" | "attributes";

/** A field that names another resource, by exact name wherever it stands. `text`: names stand in a longer text, as this pattern finds them. */
export type Reference = {
  readonly field: string;
  readonly kind: KindName;
  readonly text?: RegExp;
  /** Only where the resource's `type` is this one. */
  readonly ofType?: string;
};

export type KindName =
  | "monitor"
  | "dashboard"
  | "dashboard_list"
  | "downtime"
  | "downtime_v1"
  | "slo"
  | "slo_correction"
  | "notebook"
  | "webhook"
  | "logs_metric"
  | "logs_pipeline"
  | "notification_rule";

/** One kind of resource. What belongs to none has no known inverse. */
export type Kind = {
  readonly name: KindName;
  /** In the words of people: `downtime`. */
  readonly noun: string;
  readonly create: string;
  readonly show: string;
  readonly change: string;
  readonly remove: string;
  /** Brings removed ones back under their own ids; the body names them. */
  readonly restore?: string;
  /** Removes several at once; the body names them as `restore`'s does. */
  readonly removeSeveral?: string;
  /** The whole id. What does not match names nothing: it never becomes a part of a path. */
  readonly id: RegExp;
  /** Where an answer says it. */
  readonly idField: "id" | "name";
  readonly envelope: Envelope;
  /** `data.type` of JSON:API. */
  readonly type?: string;
  /** Of JSON:API: which requests name it in the body too. Whoever makes one that is named so chooses its id. */
  readonly idInBody?: "create" | "change";
  /** Datadog decides these, by exact place in the resource's own fields; `[]` is every item of a list. */
  readonly readOnly: readonly string[];
  /** Ids that Datadog gives to parts: what is made anew gets new ones, and they are no difference. */
  readonly ownIds: readonly string[];
  readonly references: readonly Reference[];
  /** Why one that was removed cannot be made again from what a read shows. */
  readonly lost?: string;
  /** Removing it leaves it there with this in the field: it is gone all the same. */
  readonly goneWhen?: { readonly field: string; readonly values: readonly string[] };
  /** When it begins and ends: what has begun begins at once, what has ended is not made again. */
  readonly span?: { readonly start: string; readonly end: string; readonly unit: "iso" | "seconds" };
};

const digits = /^[1-9]\d{0,18}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const hex32 = /^[0-9a-f]{32}$/;

/** https://docs.datadoghq.com/api/latest/monitors/: a composite's query is of monitors' ids, an SLO alert's names its SLO in quotes. */
const inQueries: readonly Reference[] = [
  { field: "query", kind: "monitor", text: /(?<![\w.])[1-9]\d{0,18}(?![\w.])/g, ofType: "composite" },
  { field: "query", kind: "slo", text: /(?<=")[0-9a-f]{32}(?=")/g, ofType: "slo alert" },
];

/** SLOWidgetDefinition, FormulaAndFunctionSLOQueryDefinition, AlertGraphWidgetDefinition, AlertValueWidgetDefinition of the official client. */
const inWidgets: readonly Reference[] = [
  { field: "slo_id", kind: "slo" },
  { field: "alert_id", kind: "monitor" },
];

/**
 * Fields as the models of @datadog/datadog-api-client 1.64 call read-only, or leave out of requests, and as Datadog's recorded answers have them beyond
 * that (`org_id`, `created_at`, `run_as`…). test/datadog/inverse.test.ts holds the table against the client.
 */
export const kinds: readonly Kind[] = [
  {
    name: "monitor",
    noun: "monitor",
    create: "v1.MonitorsApi.CreateMonitor",
    show: "v1.MonitorsApi.GetMonitor",
    change: "v1.MonitorsApi.UpdateMonitor",
    remove: "v1.MonitorsApi.DeleteMonitor",
    id: digits,
    idField: "id",
    envelope: "bare",
    readOnly: [
      "id",
      "org_id",
      "created",
      "created_at",
      "creator",
      "deleted",
      "modified",
      "multi",
      "matching_downtimes",
      "overall_state",
      "overall_state_modified",
      "state",
      "restricted",
      "restriction_policy",
      "run_as",
    ],
    ownIds: [],
    references: inQueries,
  },
  {
    name: "dashboard",
    noun: "dashboard",
    create: "v1.DashboardsApi.CreateDashboard",
    show: "v1.DashboardsApi.GetDashboard",
    change: "v1.DashboardsApi.UpdateDashboard",
    remove: "v1.DashboardsApi.DeleteDashboard",
    restore: "v1.DashboardsApi.RestoreDashboards",
    removeSeveral: "v1.DashboardsApi.DeleteDashboards",
    id: /^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$/,
    idField: "id",
    envelope: "bare",
    readOnly: ["id", "author_handle", "author_name", "created_at", "modified_at", "url"],
    // Tabs name widgets by these ids, so they are sent.
    ownIds: [],
    references: inWidgets,
  },
  {
    name: "dashboard_list",
    noun: "dashboard list",
    create: "v1.DashboardListsApi.CreateDashboardList",
    show: "v1.DashboardListsApi.GetDashboardList",
    change: "v1.DashboardListsApi.UpdateDashboardList",
    remove: "v1.DashboardListsApi.DeleteDashboardList",
    id: digits,
    idField: "id",
    envelope: "bare",
    readOnly: ["id", "author", "created", "dashboard_count", "dashboards", "is_favorite", "modified", "type"],
    ownIds: [],
    references: [],
    lost: "a read of a list does not say which dashboards were in it",
  },
  {
    name: "downtime",
    noun: "downtime",
    create: "v2.DowntimesApi.CreateDowntime",
    show: "v2.DowntimesApi.GetDowntime",
    change: "v2.DowntimesApi.UpdateDowntime",
    remove: "v2.DowntimesApi.CancelDowntime",
    id: uuid,
    idField: "id",
    envelope: "attributes",
    type: "downtime",
    idInBody: "change",
    readOnly: ["canceled", "created", "modified", "run_as", "status", "schedule.current_downtime"],
    ownIds: [],
    references: [{ field: "monitor_id", kind: "monitor" }],
    goneWhen: { field: "status", values: ["canceled", "ended"] },
    span: { start: "schedule.start", end: "schedule.end", unit: "iso" },
  },
  {
    name: "downtime_v1",
    noun: "downtime",
    create: "v1.DowntimesApi.CreateDowntime",
    show: "v1.DowntimesApi.GetDowntime",
    change: "v1.DowntimesApi.UpdateDowntime",
    remove: "v1.DowntimesApi.CancelDowntime",
    id: digits,
    idField: "id",
    envelope: "bare",
    readOnly: [
      "id",
      "uuid",
      "org_id",
      "active",
      "active_child",
      "canceled",
      "child_id",
      "created",
      "creator_id",
      "disabled",
      "downtime_type",
      "modified",
      "parent_id",
      "status",
      "updater_id",
    ],
    ownIds: [],
    references: [{ field: "monitor_id", kind: "monitor" }],
    goneWhen: { field: "status", values: ["canceled", "ended"] },
    span: { start: "start", end: "end", unit: "seconds" },
  },
  {
    name: "slo",
    noun: "SLO",
    create: "v1.ServiceLevelObjectivesApi.CreateSLO",
    show: "v1.ServiceLevelObjectivesApi.GetSLO",
    change: "v1.ServiceLevelObjectivesApi.UpdateSLO",
    remove: "v1.ServiceLevelObjectivesApi.DeleteSLO",
    id: hex32,
    idField: "id",
    envelope: "listed",
    readOnly: [
      "id",
      "created_at",
      "creator",
      "modified_at",
      "monitor_tags",
      "type_id",
      "configured_alert_ids",
      "status",
      "overall_status",
      "thresholds[].target_display",
      "thresholds[].warning_display",
    ],
    ownIds: [],
    references: [{ field: "monitor_ids", kind: "monitor" }],
  },
  {
    name: "slo_correction",
    noun: "SLO correction",
    create: "v1.ServiceLevelObjectiveCorrectionsApi.CreateSLOCorrection",
    show: "v1.ServiceLevelObjectiveCorrectionsApi.GetSLOCorrection",
    change: "v1.ServiceLevelObjectiveCorrectionsApi.UpdateSLOCorrection",
    remove: "v1.ServiceLevelObjectiveCorrectionsApi.DeleteSLOCorrection",
    id: uuid,
    idField: "id",
    envelope: "attributes",
    type: "correction",
    readOnly: ["created_at", "creator", "modified_at", "modifier"],
    ownIds: [],
    references: [{ field: "slo_id", kind: "slo" }],
  },
  {
    name: "notebook",
    noun: "notebook",
    create: "v1.NotebooksApi.CreateNotebook",
    show: "v1.NotebooksApi.GetNotebook",
    change: "v1.NotebooksApi.UpdateNotebook",
    remove: "v1.NotebooksApi.DeleteNotebook",
    id: digits,
    idField: "id",
    envelope: "attributes",
    type: "notebooks",
    readOnly: ["author", "created", "modified"],
    ownIds: ["cells[].id"],
    references: inWidgets,
  },
  {
    name: "webhook",
    noun: "webhook",
    create: "v1.WebhooksIntegrationApi.CreateWebhooksIntegration",
    show: "v1.WebhooksIntegrationApi.GetWebhooksIntegration",
    change: "v1.WebhooksIntegrationApi.UpdateWebhooksIntegration",
    remove: "v1.WebhooksIntegrationApi.DeleteWebhooksIntegration",
    id: /^[\w-]{1,128}$/,
    idField: "name",
    envelope: "bare",
    readOnly: [],
    ownIds: [],
    references: [],
  },
  {
    name: "logs_metric",
    noun: "log-based metric",
    create: "v2.LogsMetricsApi.CreateLogsMetric",
    show: "v2.LogsMetricsApi.GetLogsMetric",
    change: "v2.LogsMetricsApi.UpdateLogsMetric",
    remove: "v2.LogsMetricsApi.DeleteLogsMetric",
    id: /^[A-Za-z][\w.]{0,199}$/,
    idField: "id",
    envelope: "attributes",
    type: "logs_metrics",
    idInBody: "create",
    readOnly: [],
    ownIds: [],
    references: [],
  },
  {
    name: "logs_pipeline",
    noun: "log pipeline",
    create: "v1.LogsPipelinesApi.CreateLogsPipeline",
    show: "v1.LogsPipelinesApi.GetLogsPipeline",
    change: "v1.LogsPipelinesApi.UpdateLogsPipeline",
    remove: "v1.LogsPipelinesApi.DeleteLogsPipeline",
    id: /^[\w-]{1,64}$/,
    idField: "id",
    envelope: "bare",
    readOnly: ["id", "is_read_only", "type"],
    ownIds: [],
    references: [],
    lost: "a read of a pipeline does not say where in their order it stood",
  },
  {
    name: "notification_rule",
    noun: "notification rule",
    create: "v2.MonitorsApi.CreateMonitorNotificationRule",
    show: "v2.MonitorsApi.GetMonitorNotificationRule",
    change: "v2.MonitorsApi.UpdateMonitorNotificationRule",
    remove: "v2.MonitorsApi.DeleteMonitorNotificationRule",
    id: uuid,
    idField: "id",
    envelope: "attributes",
    type: "monitor-notification-rule",
    idInBody: "change",
    readOnly: ["created", "created_at", "modified", "modified_at"],
    ownIds: [],
    references: [],
  },
];
