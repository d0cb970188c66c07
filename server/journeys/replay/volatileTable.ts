/**
 * The fields that Datadog sets by itself: by the clock, by chance, or for whoever asks. Each row's source is the reference of its operations,
 * https://docs.datadoghq.com/api/latest/ and the name of the API.
 */

type Row = {
  readonly api: string;
  readonly operations: string;
  readonly fields: string;
  readonly reason: string;
};

const saved = "when it was created, and when it was saved last";
const measured = "is evaluated all the time";
const theirs = "whoever asks is somebody else there";
const madeUp = "is made up when the thing is created";

export const volatileTable: readonly Row[] = [
  // Monitors
  {
    api: "v1.MonitorsApi",
    operations: "CreateMonitor GetMonitor UpdateMonitor",
    fields: "created created_at modified",
    reason: saved,
  },
  { api: "v1.MonitorsApi", operations: "ListMonitors", fields: "[].created [].created_at [].modified", reason: saved },
  {
    api: "v1.MonitorsApi",
    operations: "CreateMonitor GetMonitor UpdateMonitor",
    fields: "overall_state overall_state_modified state",
    reason: measured,
  },
  {
    api: "v1.MonitorsApi",
    operations: "ListMonitors",
    fields: "[].overall_state [].overall_state_modified [].state",
    reason: measured,
  },
  {
    api: "v1.MonitorsApi",
    operations: "CreateMonitor GetMonitor UpdateMonitor",
    fields: "creator.id creator.email creator.handle creator.name org_id",
    reason: theirs,
  },
  {
    api: "v1.MonitorsApi",
    operations: "ListMonitors",
    fields: "[].creator.id [].creator.email [].creator.handle [].creator.name [].org_id",
    reason: theirs,
  },
  {
    api: "v1.MonitorsApi",
    operations: "SearchMonitors SearchMonitorGroups",
    fields: "monitors[].last_triggered_ts monitors[].status monitors[].creator.id monitors[].org_id",
    reason: measured,
  },
  {
    api: "v2.MonitorsApi",
    operations: "CreateMonitorNotificationRule GetMonitorNotificationRule UpdateMonitorNotificationRule",
    fields:
      "data.attributes.created data.attributes.created_at data.attributes.modified data.attributes.modified_at included[].attributes.created_at included[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.MonitorsApi",
    operations: "GetMonitorNotificationRules",
    fields:
      "data[].attributes.created data[].attributes.modified included[].attributes.created_at included[].attributes.modified_at",
    reason: saved,
  },
  // Dashboards
  {
    api: "v1.DashboardsApi",
    operations: "CreateDashboard GetDashboard UpdateDashboard",
    fields: "created_at modified_at",
    reason: saved,
  },
  {
    api: "v1.DashboardsApi",
    operations: "CreateDashboard GetDashboard UpdateDashboard",
    fields: "author_handle author_name",
    reason: theirs,
  },
  {
    api: "v1.DashboardsApi",
    operations: "ListDashboards",
    fields: "dashboards[].created_at dashboards[].modified_at dashboards[].author_handle",
    reason: saved,
  },
  {
    api: "v1.DashboardsApi",
    operations: "CreatePublicDashboard GetPublicDashboard UpdatePublicDashboard",
    fields: "created invitees[].created_at last_accessed expiration author.handle author.name",
    reason: saved,
  },
  {
    api: "v1.DashboardsApi",
    operations: "CreatePublicDashboard GetPublicDashboard UpdatePublicDashboard",
    fields: "public_url token",
    reason: madeUp,
  },
  {
    api: "v1.DashboardsApi",
    operations: "SendPublicDashboardInvitation",
    fields: "data.attributes.created_at data.attributes.invitation_expiry data.attributes.share_token",
    reason: saved,
  },
  {
    api: "v1.DashboardsApi",
    operations: "GetPublicDashboardInvitations",
    fields: "data[].attributes.created_at data[].attributes.invitation_expiry data[].attributes.share_token",
    reason: saved,
  },
  {
    api: "v1.DashboardListsApi",
    operations: "CreateDashboardList GetDashboardList UpdateDashboardList",
    fields: "created modified author.handle author.name author.email",
    reason: saved,
  },
  {
    api: "v1.DashboardListsApi",
    operations: "ListDashboardLists",
    fields: "dashboard_lists[].created dashboard_lists[].modified",
    reason: saved,
  },
  {
    api: "v2.DashboardListsApi",
    operations: "GetDashboardListItems",
    fields: "dashboards[].created dashboards[].modified dashboards[].popularity",
    reason: saved,
  },
  // Downtimes
  {
    api: "v1.DowntimesApi",
    operations: "CreateDowntime GetDowntime UpdateDowntime",
    fields: "created modified active active_child creator_id updater_id org_id start",
    reason: "begins by the clock, now where nothing else is said",
  },
  {
    api: "v1.DowntimesApi",
    operations: "ListDowntimes ListMonitorDowntimes",
    fields: "[].created [].modified [].active [].active_child [].creator_id [].updater_id [].org_id [].start",
    reason: "begins by the clock, now where nothing else is said",
  },
  {
    api: "v2.DowntimesApi",
    operations: "CreateDowntime GetDowntime UpdateDowntime",
    fields:
      "data.attributes.created data.attributes.modified data.attributes.status data.attributes.schedule.start data.attributes.schedule.current_downtime included[].attributes.created_at included[].attributes.modified_at",
    reason: "begins by the clock, now where nothing else is said",
  },
  {
    api: "v2.DowntimesApi",
    operations: "ListDowntimes",
    fields:
      "data[].attributes.created data[].attributes.modified data[].attributes.status data[].attributes.schedule.start data[].attributes.schedule.current_downtime included[].attributes.created_at included[].attributes.modified_at",
    reason: "begins by the clock, now where nothing else is said",
  },
  {
    api: "v2.DowntimesApi",
    operations: "ListMonitorDowntimes",
    fields: "data[].attributes.start data[].attributes.end",
    reason: "begins by the clock, now where nothing else is said",
  },
  // Service level objectives
  {
    api: "v1.ServiceLevelObjectivesApi",
    operations: "CreateSLO UpdateSLO ListSLOs",
    fields:
      "data[].created_at data[].modified_at data[].creator.id data[].creator.email data[].creator.handle data[].creator.name",
    reason: saved,
  },
  {
    api: "v1.ServiceLevelObjectivesApi",
    operations: "GetSLO",
    fields:
      "data.created_at data.modified_at data.creator.id data.creator.email data.creator.handle data.creator.name data.overall_status data.status",
    reason: saved,
  },
  {
    api: "v1.ServiceLevelObjectivesApi",
    operations: "SearchSLO",
    fields:
      "data.attributes.slos[].data.attributes.created_at data.attributes.slos[].data.attributes.modified_at data.attributes.slos[].data.attributes.creator.id data.attributes.slos[].data.attributes.status.indexed_at data.attributes.slos[].data.attributes.overall_status[].indexed_at",
    reason: saved,
  },
  {
    api: "v1.ServiceLevelObjectiveCorrectionsApi",
    operations: "CreateSLOCorrection GetSLOCorrection UpdateSLOCorrection",
    fields:
      "data.attributes.created_at data.attributes.modified_at data.attributes.creator.handle data.attributes.creator.name data.attributes.creator.email",
    reason: saved,
  },
  {
    api: "v1.ServiceLevelObjectiveCorrectionsApi",
    operations: "ListSLOCorrection",
    fields: "data[].attributes.created_at data[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v1.ServiceLevelObjectivesApi",
    operations: "GetSLOCorrections",
    fields: "data[].attributes.created_at data[].attributes.modified_at",
    reason: saved,
  },
  // Notebooks, powerpacks
  {
    api: "v1.NotebooksApi",
    operations: "CreateNotebook GetNotebook UpdateNotebook",
    fields:
      "data.attributes.created data.attributes.modified data.attributes.author.created_at data.attributes.author.handle data.attributes.author.name data.attributes.author.email data.attributes.author.icon",
    reason: saved,
  },
  {
    api: "v1.NotebooksApi",
    operations: "ListNotebooks",
    fields: "data[].attributes.created data[].attributes.modified data[].attributes.author.created_at",
    reason: saved,
  },
  // Events, metrics
  {
    api: "v1.EventsApi",
    operations: "CreateEvent GetEvent",
    fields: "event.date_happened event.url",
    reason: "happens now",
  },
  {
    api: "v1.EventsApi",
    operations: "ListEvents",
    fields: "events[].date_happened events[].url",
    reason: "happens now",
  },
  {
    api: "v2.EventsApi",
    operations: "CreateEvent",
    fields: "data.attributes.attributes.evt.uid links.self",
    reason: madeUp,
  },
  {
    api: "v2.EventsApi",
    operations: "ListEvents SearchEvents",
    fields:
      "data[].attributes.timestamp data[].attributes.attributes.timestamp meta.elapsed meta.request_id meta.page.after links.next",
    reason: "happens now",
  },
  {
    api: "v2.LogsApi",
    operations: "ListLogs ListLogsGet AggregateLogs",
    fields: "data[].attributes.timestamp meta.elapsed meta.request_id meta.page.after links.next",
    reason: "happens now",
  },
  {
    api: "v2.MetricsApi",
    operations:
      "CreateTagConfiguration UpdateTagConfiguration ListTagConfigurationByName CreateTagIndexingRule GetTagIndexingRule UpdateTagIndexingRule",
    fields: "data.attributes.created_at data.attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.MetricsApi",
    operations: "ListTagConfigurations ListTagIndexingRules",
    fields:
      "data[].attributes.created_at data[].attributes.modified_at meta.pagination.cursor meta.pagination.next_cursor",
    reason: saved,
  },
  {
    api: "v1.MetricsApi",
    operations: "QueryMetrics",
    fields: "from_date to_date",
    reason: "is asked for by the clock",
  },
  // Logs
  {
    api: "v2.LogsRestrictionQueriesApi",
    operations: "CreateRestrictionQuery GetRestrictionQuery ReplaceRestrictionQuery UpdateRestrictionQuery",
    fields:
      "data.attributes.created_at data.attributes.modified_at data.attributes.last_modifier_email data.attributes.last_modifier_name",
    reason: saved,
  },
  {
    api: "v2.LogsRestrictionQueriesApi",
    operations: "ListRestrictionQueries",
    fields: "data[].attributes.created_at data[].attributes.modified_at",
    reason: saved,
  },
  // Keys
  {
    api: "v2.KeyManagementApi",
    operations:
      "CreateAPIKey GetAPIKey UpdateAPIKey CreateCurrentUserApplicationKey GetCurrentUserApplicationKey UpdateCurrentUserApplicationKey GetApplicationKey UpdateApplicationKey",
    fields:
      "data.attributes.created_at data.attributes.modified_at data.attributes.last4 data.attributes.key data.attributes.date_last_used data.attributes.last_used_at",
    reason: madeUp,
  },
  {
    api: "v2.KeyManagementApi",
    operations: "ListAPIKeys ListApplicationKeys ListCurrentUserApplicationKeys",
    fields:
      "data[].attributes.created_at data[].attributes.modified_at data[].attributes.last4 data[].attributes.date_last_used data[].attributes.last_used_at",
    reason: madeUp,
  },
  {
    api: "v2.KeyManagementApi",
    operations: "CreatePersonalAccessToken GetPersonalAccessToken UpdatePersonalAccessToken",
    fields:
      "data.attributes.created_at data.attributes.modified_at data.attributes.expires_at data.attributes.key data.attributes.last_used_at data.attributes.public_portion",
    reason: madeUp,
  },
  {
    api: "v2.KeyManagementApi",
    operations: "ListPersonalAccessTokens",
    fields:
      "data[].attributes.created_at data[].attributes.modified_at data[].attributes.expires_at data[].attributes.last_used_at data[].attributes.public_portion",
    reason: madeUp,
  },
  {
    api: "v2.ServiceAccountsApi",
    operations:
      "CreateServiceAccountApplicationKey GetServiceAccountApplicationKey UpdateServiceAccountApplicationKey CreateServiceAccountAccessToken GetServiceAccountAccessToken UpdateServiceAccountAccessToken",
    fields:
      "data.attributes.created_at data.attributes.modified_at data.attributes.last4 data.attributes.key data.attributes.last_used_at data.attributes.public_portion data.attributes.expires_at",
    reason: madeUp,
  },
  {
    api: "v2.ServiceAccountsApi",
    operations: "CreateServiceAccount",
    fields: "data.attributes.created_at data.attributes.modified_at data.attributes.icon data.attributes.uuid",
    reason: saved,
  },
  // People
  {
    api: "v2.UsersApi",
    operations: "CreateUser GetUser UpdateUser",
    fields:
      "data.attributes.created_at data.attributes.modified_at data.attributes.last_login_time data.attributes.icon data.attributes.uuid included[].attributes.created_at included[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.UsersApi",
    operations: "ListUsers",
    fields:
      "data[].attributes.created_at data[].attributes.modified_at data[].attributes.last_login_time data[].attributes.icon data[].attributes.uuid included[].attributes.created included[].attributes.created_at included[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.RolesApi",
    operations: "CreateRole CloneRole GetRole UpdateRole",
    fields: "data.attributes.created_at data.attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.RolesApi",
    operations: "ListRoles ListPermissions ListRolePermissions AddPermissionToRole",
    fields: "data[].attributes.created data[].attributes.created_at data[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.TeamsApi",
    operations: "CreateTeam GetTeam UpdateTeam",
    fields: "data.attributes.created_at data.attributes.modified_at data.attributes.banner data.attributes.avatar",
    reason: madeUp,
  },
  {
    api: "v2.TeamsApi",
    operations: "ListTeams ListMemberTeams",
    fields:
      "data[].attributes.created_at data[].attributes.modified_at data[].attributes.banner data[].attributes.avatar",
    reason: madeUp,
  },
  {
    api: "v2.TeamsApi",
    operations: "AddTeamHierarchyLink GetTeamHierarchyLink",
    fields: "data.attributes.created_at included[].attributes.banner included[].attributes.avatar",
    reason: madeUp,
  },
  {
    api: "v2.TeamsApi",
    operations: "AddTeamHierarchyLink",
    fields: "errors[]",
    reason: "names the organization by its number",
  },
  {
    api: "v2.AuthNMappingsApi",
    operations: "CreateAuthNMapping GetAuthNMapping UpdateAuthNMapping",
    fields:
      "data.attributes.created_at data.attributes.modified_at included[].attributes.created_at included[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.AuthNMappingsApi",
    operations: "ListAuthNMappings",
    fields:
      "data[].attributes.created_at data[].attributes.modified_at included[].attributes.created_at included[].attributes.modified_at",
    reason: saved,
  },
  // Synthetics
  {
    api: "v1.SyntheticsApi",
    operations:
      "CreateSyntheticsAPITest GetAPITest UpdateAPITest CreateSyntheticsBrowserTest GetBrowserTest UpdateBrowserTest CreateSyntheticsMobileTest GetMobileTest UpdateMobileTest GetTest PatchTest",
    fields:
      "created_at modified_at creator.handle creator.name creator.email org_id overall_state overall_state_modified",
    reason: saved,
  },
  {
    api: "v1.SyntheticsApi",
    operations: "CreateSyntheticsAPITest GetAPITest UpdateAPITest GetTest",
    fields: "config.request.files[].bucketKey",
    reason: madeUp,
  },
  { api: "v1.SyntheticsApi", operations: "DeleteTests", fields: "deleted_tests[].deleted_at", reason: saved },
  {
    api: "v1.SyntheticsApi",
    operations: "CreateGlobalVariable GetGlobalVariable EditGlobalVariable",
    fields: "created_at modified_at creator.handle creator.name creator.email last_error",
    reason: saved,
  },
  {
    api: "v1.SyntheticsApi",
    operations: "TriggerTests TriggerCITests",
    fields: "batch_id results[].result_id",
    reason: madeUp,
  },
  {
    api: "v1.SyntheticsApi",
    operations: "GetAPITestResult GetBrowserTestResult",
    fields: "check_time result_id",
    reason: "is measured",
  },
  {
    api: "v2.SyntheticsApi",
    operations: "CreateSyntheticsSuite GetSyntheticsSuite EditSyntheticsSuite",
    fields: "data.attributes.created_at data.attributes.modified_at data.attributes.creator.handle",
    reason: saved,
  },
  {
    api: "v2.SyntheticsApi",
    operations: "DeleteSyntheticsSuites DeleteSyntheticsTests",
    fields: "data[].attributes.deleted_at",
    reason: saved,
  },
  // Incidents, cases, On-Call
  {
    api: "v2.IncidentsApi",
    operations: "CreateIncident GetIncident UpdateIncident",
    fields:
      "data.attributes.created data.attributes.modified data.attributes.declared data.attributes.detected data.attributes.public_id data.attributes.fields.slug.value data.attributes.time_to_detect data.attributes.time_to_internal_response data.attributes.time_to_repair data.attributes.time_to_resolve",
    reason: saved,
  },
  {
    api: "v2.IncidentsApi",
    operations: "SearchIncidents",
    fields:
      "data.attributes.incidents[].data.attributes.created data.attributes.incidents[].data.attributes.modified data.attributes.incidents[].data.attributes.declared data.attributes.incidents[].data.attributes.detected data.attributes.incidents[].data.attributes.public_id data.attributes.incidents[].data.attributes.fields.slug.value",
    reason: saved,
  },
  {
    api: "v2.IncidentsApi",
    operations: "ListIncidents",
    fields:
      "data[].attributes.created data[].attributes.modified data[].attributes.declared data[].attributes.detected data[].attributes.public_id data[].attributes.fields.slug.value",
    reason: saved,
  },
  {
    api: "v2.IncidentsApi",
    operations:
      "CreateIncidentAttachment UpdateIncidentAttachment CreateIncidentImpact CreateIncidentNotificationRule GetIncidentNotificationRule UpdateIncidentNotificationRule CreateIncidentNotificationTemplate GetIncidentNotificationTemplate UpdateIncidentNotificationTemplate CreateIncidentTodo GetIncidentTodo UpdateIncidentTodo CreateIncidentIntegration GetIncidentIntegration",
    fields: "data.attributes.created data.attributes.modified",
    reason: saved,
  },
  {
    api: "v2.IncidentsApi",
    operations:
      "ListIncidentNotificationRules ListIncidentNotificationTemplates ListIncidentTodos ListIncidentImpacts ListIncidentAttachments ListIncidentIntegrations",
    fields: "data[].attributes.created data[].attributes.modified",
    reason: saved,
  },
  {
    api: "v2.IncidentsApi",
    operations: "CreateIncidentType GetIncidentType UpdateIncidentType",
    fields: "data.attributes.createdAt data.attributes.modifiedAt",
    reason: saved,
  },
  {
    api: "v2.IncidentsApi",
    operations: "ListIncidentTypes",
    fields: "data[].attributes.createdAt data[].attributes.modifiedAt",
    reason: saved,
  },
  {
    api: "v2.CaseManagementApi",
    operations:
      "CreateCase GetCase UpdateCaseCustomAttribute UpdatePriority UpdateStatus UpdateAttributes UpdateCaseTitle UpdateCaseDescription AssignCase UnassignCase ArchiveCase UnarchiveCase",
    fields: "data.attributes.key data.attributes.created_at data.attributes.modified_at data.attributes.closed_at",
    reason: madeUp,
  },
  {
    api: "v2.CaseManagementApi",
    operations: "SearchCases",
    fields:
      "data[].attributes.key data[].attributes.created_at data[].attributes.modified_at data[].attributes.closed_at",
    reason: madeUp,
  },
  { api: "v2.CaseManagementApi", operations: "CommentCase", fields: "data[].attributes.created_at", reason: saved },
  // Security
  {
    api: "v2.SecurityMonitoringApi",
    operations:
      "CreateSecurityMonitoringSuppression GetSecurityMonitoringSuppression UpdateSecurityMonitoringSuppression CreateSecurityMonitoringCriticalAsset GetSecurityMonitoringCriticalAsset UpdateSecurityMonitoringCriticalAsset",
    fields:
      "data.attributes.creation_date data.attributes.update_date data.attributes.creator.handle data.attributes.creator.name data.attributes.updater.handle data.attributes.updater.name",
    reason: saved,
  },
  {
    api: "v2.SecurityMonitoringApi",
    operations: "ListSecurityMonitoringSuppressions ListSecurityMonitoringCriticalAssets",
    fields: "data[].attributes.creation_date data[].attributes.update_date",
    reason: saved,
  },
  {
    api: "v2.SecurityMonitoringApi",
    operations:
      "CreateSecurityFindingsAutomationDueDateRule GetSecurityFindingsAutomationDueDateRule UpdateSecurityFindingsAutomationDueDateRule CreateSecurityFindingsAutomationMuteRule GetSecurityFindingsAutomationMuteRule UpdateSecurityFindingsAutomationMuteRule CreateSecurityFindingsAutomationTicketCreationRule GetSecurityFindingsAutomationTicketCreationRule UpdateSecurityFindingsAutomationTicketCreationRule CreateSignalNotificationRule GetSignalNotificationRule PatchSignalNotificationRule CreateVulnerabilityNotificationRule GetVulnerabilityNotificationRule PatchVulnerabilityNotificationRule",
    fields: "data.attributes.created_at data.attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.SecurityMonitoringApi",
    operations:
      "ListSecurityFindingsAutomationDueDateRules ListSecurityFindingsAutomationMuteRules ListSecurityFindingsAutomationTicketCreationRules GetSignalNotificationRules GetVulnerabilityNotificationRules",
    fields: "data[].attributes.created_at data[].attributes.modified_at",
    reason: saved,
  },
  {
    api: "v2.DeploymentGatesApi",
    operations:
      "CreateDeploymentGate GetDeploymentGate UpdateDeploymentGate CreateDeploymentRule GetDeploymentRule UpdateDeploymentRule",
    fields: "data.attributes.created_at data.attributes.updated_at",
    reason: saved,
  },
];
