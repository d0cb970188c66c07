/** The known secret fields are those of the pinned client, of operations that exist, at paths that masks understand. */

import { describe, expect, test } from "vitest";
import { isCurrent } from "../../scripts/secretFields.ts";
import { buildCatalogue } from "../../server/datadog/catalogue.ts";
import { operationsWithSecrets, secretFieldsOf } from "../../server/datadog/secretFields.ts";
import { isFieldPath, readFieldPath } from "../../server/stages/mask/json/path.ts";

const ids = new Set(buildCatalogue().entries.map(({ id }) => id));

test("the table and its page are what the installed client says", () => {
  expect(isCurrent()).toBe(true);
});

test("every operation is in the catalogue, and every path can be read", () => {
  const operations = operationsWithSecrets();
  expect(operations.length).toBeGreaterThan(100);
  expect(operations.filter((id) => !ids.has(id))).toEqual([]);
  const paths = operations.flatMap((id) => [...secretFieldsOf(id).request, ...secretFieldsOf(id).response]);
  expect(paths.filter(({ path }) => !isFieldPath(readFieldPath(path)))).toEqual([]);
});

describe("what Datadog's documentation calls secret is there", () => {
  test.for<[string, "request" | "response", string]>([
    ["v2.KeyManagementApi.CreateAPIKey", "response", "$.data.attributes.key"],
    ["v1.KeyManagementApi.CreateAPIKey", "response", "$.api_key.key"],
    ["v1.KeyManagementApi.ListAPIKeys", "response", "$.api_keys[*].key"],
    ["v1.KeyManagementApi.ListApplicationKeys", "response", "$.application_keys[*].hash"],
    ["v2.KeyManagementApi.CreatePersonalAccessToken", "response", "$.data.attributes.key"],
    ["v1.WebhooksIntegrationApi.CreateWebhooksIntegration", "request", "$.custom_headers"],
    ["v1.WebhooksIntegrationApi.CreateWebhooksIntegrationCustomVariable", "request", "$.value"],
    ["v1.SyntheticsApi.CreateGlobalVariable", "request", "$.value.value"],
    ["v1.SyntheticsApi.CreateSyntheticsAPITest", "request", "$.config.request.basicAuth.password"],
    ["v1.SyntheticsApi.CreateSyntheticsAPITest", "request", "$.config.request.headers.*"],
    ["v1.SyntheticsApi.CreatePrivateLocation", "response", "$.private_location.secrets.config_decryption.key"],
    ["v1.AWSIntegrationApi.CreateAWSAccount", "request", "$.secret_access_key"],
    ["v1.AzureIntegrationApi.CreateAzureIntegration", "request", "$.client_secret"],
    ["v1.GCPIntegrationApi.CreateGCPIntegration", "request", "$.private_key"],
    ["v1.PagerDutyIntegrationApi.CreatePagerDutyIntegrationService", "request", "$.service_key"],
    ["v2.ConfluentCloudApi.CreateConfluentAccount", "request", "$.data.attributes.api_secret"],
    [
      "v2.LogsCustomDestinationsApi.CreateLogsCustomDestination",
      "request",
      "$.data.attributes.forwarder_destination.auth.password",
    ],
    [
      "v2.LogsCustomDestinationsApi.CreateLogsCustomDestination",
      "request",
      "$.data.attributes.forwarder_destination.access_token",
    ],
    ["v2.ActionConnectionApi.CreateActionConnection", "request", "$.data.attributes.integration.credentials.api_token"],
    ["v2.RUMApi.GetRUMApplication", "response", "$.data.attributes.client_token"],
    ["v1.DashboardsApi.SendPublicDashboardInvitation", "response", "$.data.attributes.share_token"],
    ["v2.WorkflowAutomationApi.GetWorkflow", "response", "$.data.attributes.webhookSecret"],
    ["v2.WebhooksIntegrationApi.CreateOAuth2ClientCredentials", "request", "$.data.attributes.client_secret"],
    ["v1.SyntheticsApi.PatchTest", "request", "$.data[*].value"],
  ])("%s, %s: %s", ([id, side, path]) => {
    expect(secretFieldsOf(id)[side].map((field) => field.path)).toContain(path);
  });

  test("and none where there is none", () => {
    expect(secretFieldsOf("v1.MonitorsApi.GetMonitor")).toEqual({ request: [], response: [] });
    expect(secretFieldsOf("unknown")).toEqual({ request: [], response: [] });
  });
});
