/** Which fields of Datadog's API people judged to be secrets, from their names and the documentation; scripts/secretFields.ts reads it. */

import type { SecretFields } from "./secretFields.ts";

/**
 * What in the client's types is a secret. The types say `string` of a key and of a name alike, so people judged them. `attributes` are secret
 * wherever they stand; `models` only there, written `v1.Model.attribute`; a value that is a map is secret in all its members.
 */
export const judged: {
  readonly attributes: ReadonlySet<string>;
  readonly models: ReadonlySet<string>;
  readonly conditional: ReadonlyMap<string, string>;
  readonly harmless: ReadonlySet<string>;
} = {
  attributes: new Set([
    "_authentication_token",
    "access_token",
    "api_key",
    "api_password",
    "api_secret",
    "api_token",
    "app_key",
    "clientSecret",
    "client_secret",
    "client_token",
    "cookies",
    "credential",
    "custom_headers",
    "dd_api_key_secret",
    "deleted_public_dashboard_token",
    "global_api_key",
    "header_value",
    "opsgenie_api_key",
    "password",
    "private_key",
    "private_key_passphrase",
    "sdk_key",
    "secretKey",
    "secret_access_key",
    "secrets",
    "service_key",
    "sessionToken",
    "setCookie",
    "share_token",
    "webhookSecret",
  ]),
  models: new Set([
    "v1.ApiKey.key",
    "v1.ApplicationKey.hash",
    "v1.SharedDashboard.token",
    "v1.SyntheticsBasicAuthJWT.secret",
    "v1.SyntheticsCITest.headers",
    "v1.SyntheticsPrivateLocationSecretsAuthentication.key",
    "v1.SyntheticsPrivateLocationSecretsConfigDecryption.key",
    "v1.SyntheticsTestRequest.headers",
    "v1.SyntheticsTestRequest.metadata",
    "v1.SyntheticsTestRequestCertificateItem.content",
    "v1.SyntheticsTestRequestProxy.headers",
    "v2.DatabricksIntegrationAccountBearerTokenAuthUpdate.token",
    "v2.FullAPIKeyAttributes.key",
    "v2.FullApplicationKeyAttributes.key",
    "v2.FullPersonalAccessTokenAttributes.key",
    "v2.FullServiceAccessTokenAttributes.key",
    "v2.HTTPHeader.value",
    "v2.HTTPHeaderUpdate.value",
    "v2.HTTPToken.value",
    "v2.HTTPTokenUpdate.value",
    "v2.SecureEmbedCreateResponseAttributes.token",
    "v2.SecureEmbedGetResponseAttributes.token",
    "v2.SecureEmbedUpdateResponseAttributes.token",
    "v2.SharedDashboardResponseAttributes.token",
    "v2.SyntheticsTestResultRequestInfo.headers",
    "v2.UrlParam.value",
    "v2.UrlParamUpdate.value",
  ]),
  conditional: new Map([
    ["v1.SyntheticsBrowserVariable.pattern", "secure"],
    ["v1.SyntheticsConfigVariable.pattern", "secure"],
    ["v1.SyntheticsGlobalVariableValue.value", "secure"],
    ["v1.WebhooksIntegrationCustomVariable.value", "is_secret"],
    ["v1.WebhooksIntegrationCustomVariableResponse.value", "is_secret"],
    ["v1.WebhooksIntegrationCustomVariableUpdateRequest.value", "is_secret"],
    ["v2.SyntheticsGlobalVariableValue.value", "secure"],
    ["v2.SyntheticsTestResultVariable.pattern", "secure"],
    ["v2.SyntheticsTestResultVariable.val", "secure"],
  ]),
  /** Named like secrets, looked at, and none. Whatever else is named so makes the generator stop until somebody has judged it. */
  harmless: new Set([
    // The name of a secret in the worker's own store, not the secret.
    "v2.ObservabilityPipelineEnrichmentTableFieldSecretLookup.secret",
    "access_token_url",
    "accessTokenUrl",
    "api_key_id",
    "api_key_key",
    "dd_api_key_id",
    "api_key_name",
    "api_key_scopes",
    "api_key_uuid",
    "auth_method",
    "authentication_method",
    "client_secret_key",
    "credential_suffix",
    "credentials_file",
    "password_key",
    "private_key_id",
    "private_key_name",
    "secret_path",
    "token_endpoint",
    "token_endpoint_auth_method",
    "token_key",
    "token_uri",
  ]),
};

type ByHand = Partial<SecretFields> & { readonly operations: readonly string[]; readonly why: string };

/** What the client's types do not show: they call it `any`, or do not know the operation. */
export const byHand: readonly ByHand[] = [
  {
    operations: ["v1.SyntheticsApi.PatchTest"],
    request: [{ path: "$.data[*].value" }],
    why: "an operation of JSON Patch names the field in `path`, and its new value may be the password of a request",
  },
  {
    operations: ["v2.SyntheticsApi.PatchGlobalVariable"],
    request: [{ path: "$.data.attributes.json_patch[*].value" }],
    why: "the same for a variable, whose value may be secret",
  },
];
