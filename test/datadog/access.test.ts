/** Every operation has an access class, and none is called harmless that nobody has looked at. */

import { describe, expect, test } from "vitest";
import { accessOf, reviewed } from "../../server/datadog/access.ts";
import { buildCatalogue, type GeneratedOperation } from "../../server/datadog/catalogue.ts";
import generated from "../../server/datadog/catalogue.generated.json" with { type: "json" };

const { entries } = buildCatalogue();
const nameOf = (id: string): string => id.slice(id.lastIndexOf(".") + 1);
const reviewedIds = reviewed.flatMap(({ ids }) => ids);
const client = generated.operations as readonly GeneratedOperation[];

test("every operation has a class", () => {
  expect(entries.filter(({ access }) => access === "unknown")).toEqual([]);
  const classes = Map.groupBy(client, (operation) => `${accessOf(operation)} ${operation.method}`);
  expect(Object.fromEntries([...classes].map(([key, list]) => [key, list.length]))).toEqual({
    "read GET": 782,
    "read POST": 89,
    "write POST": 354,
    "write PATCH": 183,
    "write PUT": 114,
    "submit POST": 14,
    "destructive DELETE": 262,
    "destructive POST": 28,
    "destructive PATCH": 2,
    "destructive PUT": 3,
  });
});

describe("the lists that were made by hand", () => {
  test("name operations that exist, each of them once", () => {
    const known = new Set(client.map(({ id }) => id));
    expect(reviewedIds.filter((id) => !known.has(id))).toEqual([]);
    expect(new Set(reviewedIds).size).toBe(reviewedIds.length);
  });

  test("say why", () => {
    expect(reviewed.filter(({ reason }) => reason.length < 20)).toEqual([]);
  });

  test("cover every operation that is not a GET and whose name sounds like reading", () => {
    const reading =
      /^(?:Bulk|Batch|Simple)?(?:Aggregate|Check|Compare|Convert|Count|Describe|Download|Estimate|Execute|Export|Fetch|Find|Get|List|Lookup|Poll|Preview|Query|Search|Simulate|Test|Validate)(?=[A-Z]|$)/;
    const newcomers = client.filter(
      ({ id, method }) => method !== "GET" && reading.test(nameOf(id)) && !reviewedIds.includes(id),
    );
    expect(
      newcomers.map(({ id }) => id),
      "decide what these are and put them into server/datadog/access.ts",
    ).toEqual([]);
  });

  test("never call a DELETE less than destructive", () => {
    const deletes = new Set(client.filter(({ method }) => method === "DELETE").map(({ id }) => id));
    expect(reviewedIds.filter((id) => deletes.has(id))).toEqual([]);
  });
});

test("what destroys without being a DELETE is known by name", () => {
  const destroying = client.filter(
    (operation) => operation.method !== "DELETE" && accessOf(operation) === "destructive",
  );
  expect(destroying.map(({ id }) => nameOf(id)).toSorted()).toEqual([
    "AbortTestFileMultipartUpload",
    "AnonymizeUsers",
    "ArchiveCase",
    "ArchiveFeatureFlag",
    "BatchUpdateLLMObsDataset",
    "CancelDowntimesByScope",
    "CancelFleetDeploymentV2",
    "CancelHistoricalJob",
    "CancelWorkflowInstance",
    "CreateDataDeletionRequest",
    "CreateTeamsOwnershipMappingsBatch",
    "DeactivateContentPack",
    "DeactivateIntegration",
    "DeleteLLMObsAnnotationQueueInteractions",
    "DeleteLLMObsAnnotations",
    "DeleteLLMObsDatasetRecords",
    "DeleteLLMObsDatasets",
    "DeleteLLMObsExperiments",
    "DeleteLLMObsProjects",
    "DeleteSLOTimeframeInBulk",
    "DeleteSyntheticsSuites",
    "DeleteSyntheticsTests",
    "DeleteTests",
    "DisableCaseAutomationRule",
    "DisableCustomerOrg",
    "DisableFeatureFlagEnvironment",
    "DisableSecurityFindingsAutomationDefaultInboxRule",
    "DowngradeOrg",
    "MitigateGovernanceDetections",
    "MuteHost",
    "MuteSecurityFindings",
    "StopExposureSchedule",
    "UnpublishStatusPage",
  ]);
});

test.each([
  ["a search in a POST", "v2.LogsApi.ListLogs", "read"],
  ["a query in a POST", "v2.MetricsApi.QueryTimeseriesData", "read"],
  ["a validation", "v1.MonitorsApi.ValidateMonitor", "read"],
  ["a conversion that keeps its result", "v2.SecurityMonitoringApi.ConvertJobResultToSignal", "write"],
  ["a Get that makes upload addresses", "v2.SyntheticsApi.GetTestFileMultipartPresignedUrls", "write"],
  ["a preview that is sent to people", "v2.SecurityMonitoringApi.SendSecurityMonitoringNotificationPreview", "write"],
  ["taking a deletion back", "v2.DataDeletionApi.CancelDataDeletionRequest", "write"],
  ["logs", "v2.LogsApi.SubmitLog", "submit"],
  ["metrics", "v2.MetricsApi.SubmitMetrics", "submit"],
  ["events of the first version", "v1.EventsApi.CreateEvent", "submit"],
  ["events of the second version", "v2.EventsApi.CreateEvent", "submit"],
  ["the validation of a key, which takes the API key alone and is a GET", "v1.AuthenticationApi.Validate", "read"],
  ["what a plain create is", "v1.MonitorsApi.CreateMonitor", "write"],
  ["muting a host", "v1.HostsApi.MuteHost", "destructive"],
  ["unmuting it", "v1.HostsApi.UnmuteHost", "write"],
])("%s: %s is %s", (_, id, access) => {
  expect(client.filter((operation) => operation.id === id).map(accessOf)).toEqual([access]);
});

describe("an operation that comes with a later client", () => {
  const newcomer = (name: string, method: string, path = "/api/v2/new/things") =>
    accessOf({ id: `v2.NewApi.${name}`, method, path });

  test("is not trusted for sounding harmless", () => {
    expect(newcomer("SearchThings", "POST")).toBe("write");
    expect(newcomer("GetThings", "PUT")).toBe("write");
  });

  test("is feared for sounding harmful", () => {
    expect(newcomer("DeleteThings", "POST")).toBe("destructive");
    expect(newcomer("BulkDeleteThings", "POST")).toBe("destructive");
    expect(newcomer("RevokeThing", "PATCH")).toBe("destructive");
    expect(newcomer("ThingsInBulk", "POST", "/api/v2/things/bulk_delete")).toBe("destructive");
    expect(newcomer("Mutex", "POST")).toBe("write");
  });
});
