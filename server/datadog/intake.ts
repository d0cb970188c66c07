/** Routes that Datadog's own tools use and the official client does not know: datadog-ci, the test libraries, the Agent, browsers. */

import type { Access } from "../model/operation.ts";

/** A route on one host; what keys the host gets is said in hosts.ts. */
export type IntakeRoute = {
  /** Host prefix, `api` for the site's API host. */
  readonly host: string;
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly api: string;
  readonly name: string;
  readonly access: Access;
};

type Row = readonly [host: string, method: IntakeRoute["method"], path: string, name: string, access: Access];

/**
 * datadog-ci 5.25: `DATADOG_ROUTE_PATHS` of its bundle, each with the host and the method of the command that uses it. What is
 * missing here is an operation of the official client (validate, deployment gates, DORA, SBOM, most of Synthetics).
 */
const datadogCi: readonly Row[] = [
  ["api", "POST", "/api/intake/ci/custom_spans", "SubmitCustomSpan", "submit"],
  ["api", "POST", "/api/v2/ci/deployments/correlate", "CorrelateDeployment", "submit"],
  ["api", "POST", "/api/v2/ci/deployments/correlate-image", "CorrelateImage", "submit"],
  ["api", "POST", "/api/v2/ci/pipeline/metrics", "SubmitPipelineMeasures", "submit"],
  ["api", "POST", "/api/v2/ci/pipeline/tags", "SubmitPipelineTags", "submit"],
  // Answers which commits Datadog already has; stores nothing.
  ["api", "POST", "/api/v2/git/repository/search_commits", "SearchCommits", "read"],
  ["api", "POST", "/api/v2/git/repository/packfile", "UploadPackfile", "submit"],
  ["app", "POST", "/api/ui/support/serverless/flare", "SendFlare", "submit"],
  ["cicodescan-intake", "POST", "/api/v2/cicodescan", "UploadSarifReport", "submit"],
  ["ci-intake", "POST", "/api/v2/cicovreprt", "UploadCoverageReport", "submit"],
  ["ci-intake", "POST", "/api/v2/ciiac", "UploadTerraformPlan", "submit"],
  ["cireport-intake", "POST", "/api/v2/cireport", "UploadJUnitReport", "submit"],
  ["sourcemap-intake", "POST", "/api/v2/srcmap", "UploadSourcemap", "submit"],
  ["sourcemap-intake", "POST", "/v1/input", "UploadSourcemap", "submit"],
  // An evaluation is kept and its verdict can stop a pipeline.
  ["quality-gates", "POST", "/api/v2/quality-gates/evaluate", "EvaluateQualityGates", "write"],
  ["api", "GET", "/api/v1/synthetics/settings", "GetSyntheticsSettings", "read"],
  ["api", "GET", "/api/v1/synthetics/tests/poll_results", "PollTestResults", "read"],
  ["api", "PUT", "/api/v1/synthetics/tests/{public_id}", "EditTest", "write"],
  // A GET, but what it hands out opens a way from Datadog into the network of the runner.
  ["api", "GET", "/api/v1/synthetics/ci/tunnel", "GetTunnelPresignedURL", "write"],
  ["intake.synthetics", "GET", "/api/v1/synthetics/ci/tunnel", "GetTunnelPresignedURL", "write"],
  [
    "api",
    "POST",
    "/api/unstable/synthetics/mobile/applications/{application_id}/multipart-presigned-urls",
    "CreateMobileApplicationUpload",
    "write",
  ],
  [
    "api",
    "POST",
    "/api/unstable/synthetics/mobile/applications/{application_id}/multipart-upload-complete",
    "CompleteMobileApplicationUpload",
    "write",
  ],
  [
    "api",
    "GET",
    "/api/unstable/synthetics/mobile/applications/validation-job-status/{job_id}",
    "GetMobileApplicationValidation",
    "read",
  ],
];

/** Datadog's test libraries in agentless mode (dd-trace-js, `packages/dd-trace/src/ci-visibility`): POSTs that ask, intakes that take. */
const testOptimization: readonly Row[] = [
  ["api", "POST", "/api/v2/libraries/tests/services/setting", "GetLibrarySettings", "read"],
  ["api", "POST", "/api/v2/ci/tests/skippable", "ListSkippableTests", "read"],
  ["api", "POST", "/api/v2/ci/libraries/tests", "ListKnownTests", "read"],
  ["api", "POST", "/api/v2/test/libraries/test-management/tests", "ListManagedTests", "read"],
  ["citestcycle-intake", "POST", "/api/v2/citestcycle", "SubmitTestCycles", "submit"],
  ["citestcov-intake", "POST", "/api/v2/citestcov", "SubmitTestCoverage", "submit"],
];

/**
 * The Agent: `comp/forwarder/defaultforwarder/endpoints/endpoints.go` and `…/eventplatform/eventplatformimpl/epforwarder.go` of
 * DataDog/datadog-agent; hosts from https://docs.datadoghq.com/agent/configuration/network/.
 */
const agent: readonly Row[] = [
  ["api", "POST", "/intake", "SubmitHostMetadataV5", "submit"],
  ["api", "POST", "/api/v1/metadata", "SubmitMetadata", "submit"],
  ["api", "POST", "/api/v1/sketches", "SubmitSketchesV1", "submit"],
  ["api", "POST", "/api/beta/sketches", "SubmitSketches", "submit"],
  ["api", "POST", "/api/v2/service_checks", "SubmitServiceChecks", "submit"],
  ["api", "POST", "/api/v2/host_metadata", "SubmitHostMetadata", "submit"],
  ["api", "POST", "/support/flare", "SendFlare", "submit"],
  ["process", "POST", "/api/v1/collector", "SubmitProcesses", "submit"],
  ["process", "POST", "/api/v1/discovery", "SubmitProcessDiscovery", "submit"],
  ["process", "POST", "/api/v2/proclcycle", "SubmitProcessLifecycle", "submit"],
  ["process", "POST", "/api/v1/container", "SubmitContainers", "submit"],
  ["process", "POST", "/api/v1/connections", "SubmitConnections", "submit"],
  ["orchestrator", "POST", "/api/v1/orchestrator", "SubmitOrchestratorResourcesV1", "submit"],
  ["orchestrator", "POST", "/api/v2/orch", "SubmitOrchestratorResources", "submit"],
  ["orchestrator", "POST", "/api/v2/orchmanif", "SubmitOrchestratorManifests", "submit"],
  ["trace.agent", "POST", "/api/v0.2/traces", "SubmitTraces", "submit"],
  ["trace.agent", "POST", "/api/v0.2/stats", "SubmitTraceStats", "submit"],
  ["intake.profile", "POST", "/api/v2/profile", "SubmitProfile", "submit"],
  ["intake.profile", "POST", "/v1/input", "SubmitProfile", "submit"],
  ["instrumentation-telemetry-intake", "POST", "/api/v2/apmtelemetry", "SubmitTelemetry", "submit"],
  ["llmobs-intake", "POST", "/api/v2/llmobs", "SubmitLLMObsSpans", "submit"],
  ["dbm-metrics-intake", "POST", "/api/v2/databasequery", "SubmitDatabaseSamples", "submit"],
  ["dbm-metrics-intake", "POST", "/api/v2/dbmmetrics", "SubmitDatabaseMetrics", "submit"],
  ["dbm-metrics-intake", "POST", "/api/v2/dbmmetadata", "SubmitDatabaseMetadata", "submit"],
  ["dbm-metrics-intake", "POST", "/api/v2/dbmactivity", "SubmitDatabaseActivity", "submit"],
  ["dbquery-intake", "POST", "/api/v2/databasequery", "SubmitDatabaseSamples", "submit"],
  ["ndm-intake", "POST", "/api/v2/ndm", "SubmitNetworkDevices", "submit"],
  ["snmp-traps-intake", "POST", "/api/v2/ndmtraps", "SubmitSnmpTraps", "submit"],
  ["ndmflow-intake", "POST", "/api/v2/ndmflow", "SubmitNetworkFlows", "submit"],
  ["netpath-intake", "POST", "/api/v2/netpath", "SubmitNetworkPaths", "submit"],
  ["contlcycle-intake", "POST", "/api/v2/contlcycle", "SubmitContainerLifecycle", "submit"],
  ["contimage-intake", "POST", "/api/v2/contimage", "SubmitContainerImages", "submit"],
  ["sbom-intake", "POST", "/api/v2/sbom", "SubmitSbom", "submit"],
];

/** Browser and mobile SDKs: https://docs.datadoghq.com/real_user_monitoring/guide/proxy-rum-data/. */
const browser: readonly Row[] = [
  ["browser-intake", "POST", "/api/v2/rum", "SubmitRumEvents", "submit"],
  ["browser-intake", "POST", "/api/v2/logs", "SubmitBrowserLogs", "submit"],
  ["browser-intake", "POST", "/api/v2/spans", "SubmitBrowserSpans", "submit"],
  ["browser-intake", "POST", "/api/v2/replay", "SubmitReplay", "submit"],
  ["browser-intake", "POST", "/api/v2/profile", "SubmitBrowserProfile", "submit"],
];

const routesOf = (api: string, rows: readonly Row[]): readonly IntakeRoute[] =>
  rows.map(([host, method, path, name, access]) => ({ host, method, path, api, name, access }));

export const intakeRoutes: readonly IntakeRoute[] = [
  ...routesOf("DatadogCI", datadogCi),
  ...routesOf("TestOptimizationIntake", testOptimization),
  ...routesOf("AgentIntake", agent),
  ...routesOf("BrowserIntake", browser),
];

/** Hosts that take the very operation that the official client sends elsewhere. */
export const otherHosts: ReadonlyMap<string, readonly string[]> = new Map([
  ["v1.LogsApi.SubmitLog", ["agent-http-intake.logs", "lambda-http-intake.logs", "gcp-intake.logs"]],
  ["v2.LogsApi.SubmitLog", ["agent-http-intake.logs", "lambda-http-intake.logs", "gcp-intake.logs"]],
  ["v1.SyntheticsApi.TriggerCITests", ["intake.synthetics"]],
]);

/** `/v1/input/{api_key}`: the logs intakes and the profiler take the API key as a path segment. */
export const keyedInput: readonly { readonly host: string; readonly id: string }[] = [
  { host: "http-intake.logs", id: "v1.LogsApi.SubmitLog" },
  { host: "agent-http-intake.logs", id: "v1.LogsApi.SubmitLog" },
  { host: "lambda-http-intake.logs", id: "v1.LogsApi.SubmitLog" },
  { host: "gcp-intake.logs", id: "v1.LogsApi.SubmitLog" },
  { host: "api", id: "v1.LogsApi.SubmitLog" },
];
