/**
 * Operations whose class their method or name does not tell, each looked at by hand and pinned with the reason. A change of
 * server/datadog/access.ts that moves one of them has to be made here too, in words.
 */

import { expect, test } from "vitest";
import { accessOf } from "../../server/datadog/access.ts";
import type { GeneratedOperation } from "../../server/datadog/catalogue.ts";
import generated from "../../server/datadog/catalogue.generated.json" with { type: "json" };
import type { Access } from "../../server/model/operation.ts";

const operations = new Map((generated.operations as readonly GeneratedOperation[]).map((one) => [one.id, one]));

const pinned: readonly { readonly access: Access; readonly reason: string; readonly ids: readonly string[] }[] = [
  {
    access: "read",
    reason: "a POST that says whether something would be accepted, without doing it",
    ids: [
      "v1.AWSLogsIntegrationApi.CheckAWSLogsLambdaAsync",
      "v1.AWSLogsIntegrationApi.CheckAWSLogsServicesAsync",
      "v1.MonitorsApi.ValidateExistingMonitor",
      "v1.MonitorsApi.ValidateMonitor",
      "v2.AWSIntegrationApi.PreviewAWSMetricNameFilter",
      "v2.AWSIntegrationApi.ValidateAWSCCMConfig",
      "v2.CloudCostManagementApi.ValidateBudget",
      "v2.CloudCostManagementApi.ValidateCsvBudget",
      "v2.CloudCostManagementApi.ValidateQuery",
      "v2.MonitorsApi.ValidateExistingMonitorUserTemplate",
      "v2.MonitorsApi.ValidateMonitorUserTemplate",
      "v2.ObservabilityPipelinesApi.ValidatePipeline",
      "v2.SecurityMonitoringApi.TestExistingSecurityMonitoringRule",
      "v2.SecurityMonitoringApi.TestSecurityMonitoringRule",
      "v2.SecurityMonitoringApi.ValidateSecurityMonitoringIntegrationConfig",
      "v2.SecurityMonitoringApi.ValidateSecurityMonitoringIntegrationCredentials",
      "v2.SecurityMonitoringApi.ValidateSecurityMonitoringRule",
      "v2.SecurityMonitoringApi.ValidateSecurityMonitoringSuppression",
      "v2.SoftwareCatalogApi.PreviewCatalogEntities",
    ],
  },
  {
    access: "read",
    reason: "a POST that searches or lists: its filter is too large for a query string",
    ids: [
      "v1.LogsApi.ListLogs",
      "v1.SyntheticsApi.FetchUptimes",
      "v2.AgentObservabilityApi.SearchLLMObsExperimentation",
      "v2.AgentObservabilityApi.SearchLLMObsSpans",
      "v2.AgentObservabilityApi.SimpleSearchLLMObsExperimentation",
      "v2.AuditApi.SearchAuditLogs",
      "v2.CIVisibilityPipelinesApi.SearchCIAppPipelineEvents",
      "v2.CIVisibilityTestsApi.SearchCIAppTestEvents",
      "v2.CloudCostManagementApi.SearchCostRecommendations",
      "v2.DEMApi.BatchGetJourneysByTestSuiteIDs",
      "v2.DORAMetricsApi.ListDORADeployments",
      "v2.DORAMetricsApi.ListDORAFailures",
      "v2.ErrorTrackingApi.SearchIssues",
      "v2.EventsApi.SearchEvents",
      "v2.LogsApi.ListLogs",
      "v2.RUMApi.SearchRUMEvents",
      "v2.ReferenceTablesApi.BatchRowsQuery",
      "v2.SecurityMonitoringApi.BatchGetSecurityMonitoringDatasetDependencies",
      "v2.SecurityMonitoringApi.ListMultipleRulesets",
      "v2.SecurityMonitoringApi.SearchSecurityFindings",
      "v2.SecurityMonitoringApi.SearchSecurityMonitoringHistsignals",
      "v2.SecurityMonitoringApi.SearchSecurityMonitoringSignals",
      "v2.SpansApi.ListSpans",
      "v2.TestOptimizationApi.SearchFlakyTests",
    ],
  },
  {
    access: "read",
    reason: "a POST that computes an answer from stored data and keeps nothing",
    ids: [
      "v2.AgentObservabilityApi.AggregateLLMObsExperimentation",
      "v2.CIVisibilityPipelinesApi.AggregateCIAppPipelineEvents",
      "v2.CIVisibilityTestsApi.AggregateCIAppTestEvents",
      "v2.CaseManagementApi.AggregateCases",
      "v2.DDSQLApi.ExecuteDdsqlTabularQuery",
      "v2.DDSQLApi.FetchDdsqlTabularQuery",
      "v2.LogsApi.AggregateLogs",
      "v2.MetricsApi.QueryScalarData",
      "v2.MetricsApi.QueryTimeseriesData",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsJourneyFunnel",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsJourneyList",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsJourneyScalar",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsJourneyTimeseries",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsList",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsRetentionGrid",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsRetentionList",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsRetentionScalar",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsRetentionTimeseries",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsSankey",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsScalar",
      "v2.ProductAnalyticsApi.QueryProductAnalyticsTimeseries",
      "v2.RUMApi.AggregateRUMEvents",
      "v2.RUMInsightsApi.QueryAggregatedLongTasks",
      "v2.RUMInsightsApi.QueryAggregatedSignalsProblems",
      "v2.RUMInsightsApi.QueryAggregatedWaterfall",
      "v2.RumAudienceManagementApi.GetAccountFacetInfo",
      "v2.RumAudienceManagementApi.GetUserFacetInfo",
      "v2.RumAudienceManagementApi.QueryAccounts",
      "v2.RumAudienceManagementApi.QueryEventFilteredUsers",
      "v2.RumAudienceManagementApi.QueryUsers",
      "v2.SpansApi.AggregateSpans",
    ],
  },
  {
    access: "read",
    reason: "a POST that returns one thing whose address is in the body",
    ids: [
      "v2.CodeCoverageApi.GetCodeCoverageBranchSummary",
      "v2.CodeCoverageApi.GetCodeCoverageCommitSummary",
      "v2.CodeCoverageApi.GetCodeCoverageFiles",
      "v2.CodeCoverageApi.GetCodeCoveragePRSummary",
      "v2.RUMApi.GetServiceRepositoryInfo",
      "v2.SecurityMonitoringApi.GetSuppressionsAffectingFutureRule",
      "v2.StegadographyApi.GetStegadographyWidgets",
      "v2.SyntheticsApi.GetTestFileDownloadUrl",
      "v2.TestOptimizationApi.GetFlakyTestsManagementPolicies",
      "v2.TestOptimizationApi.GetTestOptimizationServiceSettings",
    ],
  },
  {
    access: "read",
    reason: "a POST whose conversion or export is in the answer only",
    ids: [
      "v2.SecurityMonitoringApi.BulkConvertExistingSecurityMonitoringRules",
      "v2.SecurityMonitoringApi.BulkExportSecurityMonitoringRules",
      "v2.SecurityMonitoringApi.BulkExportSecurityMonitoringTerraformResources",
      "v2.SecurityMonitoringApi.ConvertSecurityMonitoringRuleFromJSONToTerraform",
      "v2.SecurityMonitoringApi.ConvertSecurityMonitoringTerraformResource",
    ],
  },
  {
    access: "write",
    reason: "sounds like sending telemetry or reading a preview, and reaches people or sets something off",
    ids: [
      "v1.DashboardsApi.SendPublicDashboardInvitation",
      "v1.SyntheticsApi.TriggerCITests",
      "v1.SyntheticsApi.TriggerTests",
      "v2.AgentObservabilityApi.TriggerLLMObsPatterns",
      "v2.BitsAIApi.TriggerInvestigation",
      "v2.DataObservabilityApi.RunDataObservabilityMonitor",
      "v2.DeploymentGatesApi.TriggerDeploymentGatesEvaluation",
      "v2.FleetAutomationApi.TriggerFleetSchedule",
      "v2.SecurityMonitoringApi.RunHistoricalJob",
      "v2.SecurityMonitoringApi.SendSecurityMonitoringNotificationPreview",
      "v2.UsersApi.SendInvitations",
    ],
  },
  {
    access: "write",
    reason: "uploads or imports something that stays and changes what others see",
    ids: [
      "v1.OrganizationsApi.UploadIdPForOrg",
      "v2.AgentObservabilityApi.UploadLLMObsDatasetRecordsFile",
      "v2.CloudCostManagementApi.UploadCustomCostsFile",
      "v2.IncidentsApi.ImportIncident",
      "v2.OrganizationsApi.UploadIdPMetadata",
      "v2.ReferenceTablesApi.CreateReferenceTableUpload",
      "v2.SecurityMonitoringApi.ImportSecurityVulnerabilities",
      "v2.StaticAnalysisApi.CreateSCAResolveVulnerableSymbols",
      "v2.SyntheticsApi.CompleteTestFileMultipartUpload",
      "v2.SyntheticsApi.GetTestFileMultipartPresignedUrls",
    ],
  },
  {
    access: "write",
    reason: "keeps what it generates, although its name says get, convert or snapshot",
    ids: [
      "v2.IncidentsApi.GetIncidentAIPostmortem",
      "v2.ReportingAndSharingApi.CreateSnapshot",
      "v2.RumReplayHeatmapsApi.CreateReplayHeatmapSnapshot",
      "v2.SecurityMonitoringApi.ConvertJobResultToSignal",
    ],
  },
  {
    access: "write",
    reason: "takes a destructive operation back, or is undone by one like it",
    ids: [
      "v1.DashboardsApi.RestoreDashboards",
      "v1.HostsApi.UnmuteHost",
      "v2.AgentObservabilityApi.RestoreLLMObsDatasetVersion",
      "v2.CaseManagementApi.EnableCaseAutomationRule",
      "v2.CaseManagementApi.UnarchiveCase",
      "v2.CaseManagementApi.UnassignCase",
      "v2.DataDeletionApi.CancelDataDeletionRequest",
      "v2.FeatureFlagsApi.EnableFeatureFlagEnvironment",
      "v2.FeatureFlagsApi.ResumeExposureSchedule",
      "v2.FeatureFlagsApi.UnarchiveFeatureFlag",
      "v2.RUMApi.RestoreSourcemaps",
      "v2.SecurityMonitoringApi.ActivateContentPack",
      "v2.SecurityMonitoringApi.ActivateIntegration",
      "v2.SecurityMonitoringApi.RestoreSecurityMonitoringRule",
    ],
  },
  {
    access: "write",
    reason: "gives somebody or something a right or a key",
    ids: [
      "v1.KeyManagementApi.CreateAPIKey",
      "v1.KeyManagementApi.CreateApplicationKey",
      "v2.DomainAllowlistApi.PatchDomainAllowlist",
      "v2.KeyManagementApi.CreateAPIKey",
      "v2.KeyManagementApi.CreatePersonalAccessToken",
      "v2.LogsArchivesApi.AddReadRoleToArchive",
      "v2.LogsRestrictionQueriesApi.AddRoleToRestrictionQuery",
      "v2.LogsRestrictionQueriesApi.ReplaceRestrictionQuery",
      "v2.RolesApi.AddPermissionToRole",
      "v2.RolesApi.AddUserToRole",
      "v2.ServiceAccountsApi.CreateServiceAccountAccessToken",
      "v2.ServiceAccountsApi.CreateServiceAccountApplicationKey",
    ],
  },
  {
    access: "write",
    reason: "changes many things at once, none of them beyond repair",
    ids: [
      "v2.ActionsDatastoresApi.BulkWriteDatastoreItems",
      "v2.CaseManagementApi.BulkUpdateCases",
      "v2.MetricsApi.CreateBulkTagsMetricsConfiguration",
      "v2.OrgGroupsApi.BulkUpdateOrgGroupMemberships",
      "v2.ScorecardsApi.CreateScorecardOutcomesBatch",
      "v2.SecurityMonitoringApi.BulkEditSecurityMonitoringSignals",
      "v2.SecurityMonitoringApi.BulkEditSecurityMonitoringSignalsState",
    ],
  },
  {
    access: "write",
    reason: "silences by a schedule that can be seen and taken away: a downtime is an object of its own",
    ids: [
      "v1.DowntimesApi.CreateDowntime",
      "v1.SyntheticsApi.UpdateTestPauseStatus",
      "v2.DowntimesApi.CreateDowntime",
      "v2.FeatureFlagsApi.PauseExposureSchedule",
      "v2.SecurityMonitoringApi.CreateSecurityFindingsAutomationMuteRule",
    ],
  },
  {
    access: "read",
    reason: "reads by its method, and its answer may hold a key: masks and rules on answers are for that",
    ids: [
      "v1.KeyManagementApi.GetAPIKey",
      "v1.KeyManagementApi.ListAPIKeys",
      "v2.KeyManagementApi.GetAPIKey",
      "v2.ServiceAccountsApi.GetServiceAccountApplicationKey",
    ],
  },
  {
    access: "read",
    reason: "a GET that asks whether something could be done, or generates its answer",
    ids: [
      "v1.AuthenticationApi.Validate",
      "v1.MonitorsApi.CheckCanDeleteMonitor",
      "v2.CloudCostManagementApi.GenerateCostTagDescriptionByKey",
      "v2.KeyManagementApi.ValidateAPIKey",
      "v2.MetricsApi.EstimateMetricsOutputSeries",
      "v2.SecurityMonitoringApi.ConvertExistingSecurityMonitoringRule",
      "v2.SyntheticsApi.PollSyntheticsTestResults",
    ],
  },
  {
    access: "destructive",
    reason: "a bulk deletion by POST",
    ids: [
      "v1.ServiceLevelObjectivesApi.DeleteSLOTimeframeInBulk",
      "v1.SyntheticsApi.DeleteTests",
      "v2.AgentObservabilityApi.DeleteLLMObsAnnotationQueueInteractions",
      "v2.AgentObservabilityApi.DeleteLLMObsAnnotations",
      "v2.AgentObservabilityApi.DeleteLLMObsDatasetRecords",
      "v2.AgentObservabilityApi.DeleteLLMObsDatasets",
      "v2.AgentObservabilityApi.DeleteLLMObsExperiments",
      "v2.AgentObservabilityApi.DeleteLLMObsProjects",
      "v2.SyntheticsApi.DeleteSyntheticsSuites",
      "v2.SyntheticsApi.DeleteSyntheticsTests",
    ],
  },
  {
    access: "destructive",
    reason: "removes data under another name",
    ids: [
      "v2.AgentObservabilityApi.BatchUpdateLLMObsDataset",
      "v2.DataDeletionApi.CreateDataDeletionRequest",
      "v2.GovernanceConsoleApi.MitigateGovernanceDetections",
      "v2.RumTeamsOwnershipApi.CreateTeamsOwnershipMappingsBatch",
      "v2.SyntheticsApi.AbortTestFileMultipartUpload",
      "v2.UsersApi.AnonymizeUsers",
    ],
  },
  {
    access: "destructive",
    reason: "stops work that is under way: it cannot be taken up again",
    ids: [
      "v1.DowntimesApi.CancelDowntimesByScope",
      "v2.FeatureFlagsApi.StopExposureSchedule",
      "v2.FleetAutomationApi.CancelFleetDeploymentV2",
      "v2.SecurityMonitoringApi.CancelHistoricalJob",
      "v2.WorkflowAutomationApi.CancelWorkflowInstance",
    ],
  },
  {
    access: "destructive",
    reason: "puts something out of action for everybody",
    ids: [
      "v1.OrganizationsApi.DowngradeOrg",
      "v2.CaseManagementApi.ArchiveCase",
      "v2.CaseManagementApi.DisableCaseAutomationRule",
      "v2.CustomerOrgApi.DisableCustomerOrg",
      "v2.FeatureFlagsApi.ArchiveFeatureFlag",
      "v2.FeatureFlagsApi.DisableFeatureFlagEnvironment",
      "v2.SecurityMonitoringApi.DeactivateContentPack",
      "v2.SecurityMonitoringApi.DeactivateIntegration",
      "v2.SecurityMonitoringApi.DisableSecurityFindingsAutomationDefaultInboxRule",
      "v2.StatusPagesApi.UnpublishStatusPage",
    ],
  },
  {
    access: "destructive",
    reason: "silences alerts: nobody would hear of what happens next",
    ids: ["v1.HostsApi.MuteHost", "v2.SecurityMonitoringApi.MuteSecurityFindings"],
  },
  {
    access: "submit",
    reason: "telemetry: the API key alone is enough for it",
    ids: [
      "v1.EventsApi.CreateEvent",
      "v1.LogsApi.SubmitLog",
      "v1.MetricsApi.SubmitDistributionPoints",
      "v1.MetricsApi.SubmitMetrics",
      "v1.ServiceChecksApi.SubmitServiceCheck",
      "v2.CIVisibilityPipelinesApi.CreateCIAppPipelineEvent",
      "v2.DORAMetricsApi.CreateDORADeployment",
      "v2.DORAMetricsApi.CreateDORAFailure",
      "v2.DORAMetricsApi.CreateDORAIncident",
      "v2.EventsApi.CreateEvent",
      "v2.LogsApi.SubmitLog",
      "v2.MetricsApi.SubmitMetrics",
      "v2.ProductAnalyticsApi.SubmitProductAnalyticsEvent",
      "v2.StaticAnalysisApi.CreateSCAResult",
    ],
  },
];

test("at least 150 operations are pinned, each once", () => {
  const ids = pinned.flatMap((group) => group.ids);
  expect(ids.length).toBeGreaterThanOrEqual(150);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(pinned.flatMap(({ access, reason, ids }) => ids.map((id) => ({ id, access, reason }))))(
  "$id is $access: $reason",
  ({ id, access }) => {
    const operation = operations.get(id);
    expect(operation, "the client has no such operation any more").toBeDefined();
    expect(operation && accessOf(operation)).toBe(access);
  },
);

test("every operation that is not classed by its method is pinned", () => {
  const byMethod = (method: string): Access =>
    method === "GET" || method === "HEAD" ? "read" : method === "DELETE" ? "destructive" : "write";
  const ids = new Set(pinned.flatMap((group) => group.ids));
  const free = [...operations.values()].filter((one) => accessOf(one) !== byMethod(one.method) && !ids.has(one.id));
  expect(free.map(({ id }) => id)).toEqual([]);
});
