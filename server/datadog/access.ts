/** What each operation can do. Unreviewed operations fall on the careful side: a POST writes, a verb of destruction destroys. */

import type { Access } from "../model/operation.ts";

/** What the class of an operation is derived from. */
export type AccessSubject = {
  /** `v2.LogsApi.ListLogs` */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** The client sends it with the API key alone. */
  readonly keys?: "api";
};

type Reviewed = { readonly access: Access; readonly reason: string; readonly ids: readonly string[] };

/**
 * Reviewed by hand, one by one: an operation is only ever made *less* dangerous by its name standing here. A new client release
 * adds nothing to these lists by itself; test/datadog/access.test.ts names the newcomers that look as if they belong.
 */
export const reviewed: readonly Reviewed[] = [
  {
    access: "read",
    reason: "a search or listing whose filter is too large for a query string",
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
    reason: "computes an answer from stored data and keeps nothing",
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
      "v2.StegadographyApi.GetStegadographyWidgets",
    ],
  },
  {
    access: "read",
    reason: "returns one thing whose address is in the body",
    ids: [
      "v2.CodeCoverageApi.GetCodeCoverageBranchSummary",
      "v2.CodeCoverageApi.GetCodeCoverageCommitSummary",
      "v2.CodeCoverageApi.GetCodeCoverageFiles",
      "v2.CodeCoverageApi.GetCodeCoveragePRSummary",
      "v2.RUMApi.GetServiceRepositoryInfo",
      "v2.SecurityMonitoringApi.GetSuppressionsAffectingFutureRule",
      "v2.SyntheticsApi.GetTestFileDownloadUrl",
      "v2.TestOptimizationApi.GetFlakyTestsManagementPolicies",
      "v2.TestOptimizationApi.GetTestOptimizationServiceSettings",
    ],
  },
  {
    access: "read",
    reason: "says whether something would be accepted, without doing it",
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
    reason: "exports or converts to another notation, in the answer only",
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
    reason: "reads by its name, but something is created, sent or may be uploaded afterwards",
    ids: [
      "v2.IncidentsApi.GetIncidentAIPostmortem",
      "v2.SecurityMonitoringApi.ConvertJobResultToSignal",
      "v2.SyntheticsApi.GetTestFileMultipartPresignedUrls",
    ],
  },
  {
    access: "write",
    reason: "sounds destructive, but takes a destructive request back, or is undone by one like it",
    ids: ["v2.CaseManagementApi.UnassignCase", "v2.DataDeletionApi.CancelDataDeletionRequest"],
  },
  {
    access: "destructive",
    reason: "destroys data although its name says create, update or mitigate",
    ids: [
      "v2.AgentObservabilityApi.BatchUpdateLLMObsDataset",
      "v2.DataDeletionApi.CreateDataDeletionRequest",
      "v2.GovernanceConsoleApi.MitigateGovernanceDetections",
      "v2.RumTeamsOwnershipApi.CreateTeamsOwnershipMappingsBatch",
    ],
  },
  {
    access: "submit",
    reason: "telemetry that the client sends with an application key it does not need",
    ids: ["v2.EventsApi.CreateEvent", "v2.StaticAnalysisApi.CreateSCAResult"],
  },
];

/** Verbs that take something away, put it out of action, or silence it, whatever the method. */
const destructiveVerb =
  /^(?:Bulk|SoftBulk|Soft)?(?:Abort|Anonymize|Archive|Cancel|Deactivate|Delete|Destroy|Detach|Disable|Downgrade|Drop|Erase|Expire|Flush|Mute|Purge|Remove|Reset|Revoke|Rotate|Stop|Suspend|Terminate|Unassign|Uninstall|Unlink|Unpublish|Unregister|Wipe)(?=[A-Z]|$)/;

const destructivePath = /[/_-](?:delete|remove|purge|disable|deactivate)$/;

const reviewedAccess: ReadonlyMap<string, Access> = new Map(
  reviewed.flatMap(({ access, ids }) => ids.map((id) => [id, access] as const)),
);

/** The class of an operation; never `unknown`, which is for routes that are no operation. */
export function accessOf(subject: AccessSubject): Access {
  const byHand = reviewedAccess.get(subject.id);
  if (byHand !== undefined) return byHand;
  if (subject.method === "DELETE") return "destructive";
  if (subject.method === "GET" || subject.method === "HEAD") return "read";
  if (destructiveVerb.test(nameOf(subject.id)) || destructivePath.test(subject.path)) return "destructive";
  // Whoever holds an API key alone can only send telemetry.
  if (subject.keys === "api") return "submit";
  return "write";
}

const nameOf = (id: string): string => id.slice(id.lastIndexOf(".") + 1);
