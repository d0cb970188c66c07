/** What Datadog changes by itself in what it shows: no part of the state that an approval rests on. */

type Volatile = { readonly reason: string; readonly operations: readonly string[]; readonly fields: readonly string[] };

/**
 * By exact name, in the answer of exactly these operations: a field that stands here may change between question and use without
 * anybody being asked again, so each is here for a reason.
 */
const volatile: readonly Volatile[] = [
  {
    reason: "a monitor is evaluated all the time, and downtimes begin and end by the clock",
    operations: ["v1.MonitorsApi.GetMonitor"],
    fields: ["state", "overall_state", "overall_state_modified", "matching_downtimes", "modified"],
  },
  {
    reason: "when it was saved last, which every save says with its content",
    operations: ["v1.DashboardsApi.GetDashboard"],
    fields: ["modified_at"],
  },
  {
    reason: "counts dashboards, which come and go without the list being changed",
    operations: ["v1.DashboardListsApi.GetDashboardList"],
    fields: ["dashboard_count", "modified"],
  },
  {
    reason: "begins and ends by the clock",
    operations: ["v1.DowntimesApi.GetDowntime"],
    fields: ["active", "active_child", "modified"],
  },
  {
    reason: "begins and ends by the clock",
    operations: ["v2.DowntimesApi.GetDowntime"],
    fields: ["data.attributes.status", "data.attributes.schedule.current_downtime", "data.attributes.modified"],
  },
  {
    reason: "is measured all the time",
    operations: ["v1.ServiceLevelObjectivesApi.GetSLO"],
    fields: ["data.overall_status", "data.status", "data.modified_at"],
  },
  {
    reason: "a test runs all the time",
    operations: [
      "v1.SyntheticsApi.GetTest",
      "v1.SyntheticsApi.GetAPITest",
      "v1.SyntheticsApi.GetBrowserTest",
      "v1.SyntheticsApi.GetMobileTest",
    ],
    fields: ["overall_state", "overall_state_modified", "modified_at"],
  },
  {
    reason: "when it was saved last, which every save says with its content",
    operations: ["v1.NotebooksApi.GetNotebook"],
    fields: ["data.attributes.modified"],
  },
  {
    reason: "a person signs in, and their picture is somebody else's service",
    operations: ["v2.UsersApi.GetUser"],
    fields: ["data.attributes.last_login_time", "data.attributes.modified_at", "data.attributes.icon"],
  },
  {
    reason: "a key is used all the time",
    operations: [
      "v2.KeyManagementApi.GetAPIKey",
      "v2.KeyManagementApi.GetApplicationKey",
      "v2.KeyManagementApi.GetCurrentUserApplicationKey",
      "v2.ServiceAccountsApi.GetServiceAccountApplicationKey",
    ],
    fields: ["data.attributes.last_used_at", "data.attributes.date_last_used", "data.attributes.modified_at"],
  },
  {
    reason: "a token is used all the time",
    operations: ["v2.KeyManagementApi.GetPersonalAccessToken", "v2.ServiceAccountsApi.GetServiceAccountAccessToken"],
    fields: ["data.attributes.last_used_at"],
  },
  {
    reason: "an index fills up and is emptied",
    operations: ["v1.LogsIndexesApi.GetLogsIndex"],
    fields: ["is_rate_limited"],
  },
  {
    reason: "counted from elsewhere",
    operations: ["v2.TeamsApi.GetTeam"],
    fields: ["data.attributes.user_count", "data.attributes.link_count", "data.attributes.modified_at"],
  },
  {
    reason: "counted from elsewhere",
    operations: ["v2.RolesApi.GetRole"],
    fields: ["data.attributes.user_count", "data.attributes.modified_at"],
  },
  {
    reason: "time goes by while an incident is open",
    operations: ["v2.IncidentsApi.GetIncident"],
    fields: [
      "data.attributes.time_to_detect",
      "data.attributes.time_to_internal_response",
      "data.attributes.time_to_repair",
      "data.attributes.time_to_resolve",
      "data.attributes.customer_impact_duration",
      "data.attributes.modified",
    ],
  },
  {
    reason: "comments arrive without the case being changed",
    operations: ["v2.CaseManagementApi.GetCase"],
    fields: ["data.attributes.comment_count", "data.attributes.modified_at"],
  },
];

/** The volatile fields of every operation that has any, for the test that holds them against the catalogue. */
export const volatileFields: ReadonlyMap<string, readonly string[]> = new Map(
  volatile.flatMap(({ operations, fields }) => operations.map((operation) => [operation, fields] as const)),
);

/** `value` as `readJson` makes it; it is not changed. */
export const withoutVolatile = (operation: string, value: unknown): unknown =>
  (volatileFields.get(operation) ?? []).reduce((rest, field) => without(rest, field.split(".")), value);

function without(value: unknown, [name = "", ...deeper]: readonly string[]): unknown {
  if (!(value instanceof Map) || !value.has(name)) return value;
  const copy = new Map<unknown, unknown>(value);
  if (deeper.length === 0) copy.delete(name);
  else copy.set(name, without(copy.get(name), deeper));
  return copy;
}
