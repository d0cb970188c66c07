/** Credentials of Datadog and of clouds. Prefixed ones are known anywhere in a text; bare ones only beside a name. */

import { entropyOf, isPlaceholder } from "../validators.ts";
import type { Rule, Sighting } from "../rule.ts";

const isWritten = ({ value }: Sighting): boolean => !isPlaceholder(value);
const isRandom = ({ value }: Sighting): boolean => entropyOf(value) >= 3;

/** A quote, perhaps escaped, an assignment, and a quote again. */
const assigned = String.raw`(?:\\?["'])?\s{0,3}(?:[:=]|=>|\bis\b)?\s{0,3}(?:\\?["'])?`;

export const cloudRules: readonly Rule[] = [
  {
    kind: "datadog-api-key",
    pattern: String.raw`(?i)(?:\bdd|datadog|\bapi)[_ -]?(?:api)?[_ -]?key${assigned}([0-9a-f]{32})\b`,
    sign: "run",
    check: isRandom,
    note: "32 hexadecimal digits are as often a trace or a digest: only beside a name like DD_API_KEY or api_key",
  },
  {
    kind: "datadog-app-key",
    pattern: String.raw`(?i)(?:\bdd|datadog|\bapp|application)[_ -]?(?:app|application)?[_ -]?key${assigned}([0-9a-f]{40})\b`,
    sign: "run",
    check: isRandom,
    note: "40 hexadecimal digits are as often a commit: only beside a name like DD_APP_KEY or application_key",
  },
  {
    kind: "datadog-access-token",
    pattern: String.raw`dd[ps]at_[A-Za-z0-9_-]{10,}`,
    sign: "run",
    check: ({ value }) => !isPlaceholder(value.slice(6)),
    note: "personal and service access tokens; https://docs.datadoghq.com/account_management/personal-access-tokens/",
  },
  {
    kind: "datadog-client-token",
    pattern: String.raw`\bpub[0-9a-f]{32}\b`,
    sign: "run",
    check: isWritten,
    note: "reaches browsers by design; whoever has it can send data",
  },
  {
    kind: "aws-access-key-id",
    pattern: String.raw`(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`,
    sign: "run",
    check: isWritten,
    note: "ids of roles and users (AROA, AIDA…) open nothing and stay; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
  },
  {
    kind: "aws-secret-access-key",
    pattern: String.raw`(?i)(?:aws|secret|access)[_ .-]?(?:secret)?[_ .-]?(?:access)?[_ .-]?key${assigned}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)`,
    sign: "assigned",
    check: ({ value }) => entropyOf(value) >= 3.5,
    note: "40 characters of base64 are also digests: only beside a name",
  },
  {
    kind: "aws-secret-access-key",
    pattern: String.raw`(?:AKIA|ASIA)[A-Z0-9]{16}[^A-Za-z0-9/+]{1,5}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)`,
    sign: "run",
    check: ({ value }) => entropyOf(value) >= 3.5,
    note: "directly behind its access key id",
  },
  {
    kind: "aws-session-token",
    pattern: String.raw`(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{50,}`,
    sign: "run",
    note: "base64 of a fixed beginning",
  },
  {
    kind: "gcp-api-key",
    pattern: String.raw`AIza[0-9A-Za-z_-]{35}`,
    sign: "run",
    check: isWritten,
    note: "https://cloud.google.com/docs/authentication/api-keys",
  },
  {
    kind: "gcp-oauth-secret",
    pattern: String.raw`GOCSPX-[A-Za-z0-9_-]{20,}`,
    sign: "run",
    note: "28 characters today",
  },
  {
    kind: "gcp-oauth-token",
    pattern: String.raw`\b(?:ya29\.[0-9A-Za-z_-]{20,}|1//0[0-9A-Za-z_-]{40,})`,
    sign: "run",
    note: "access and refresh tokens",
  },
  {
    kind: "azure-storage-key",
    pattern: String.raw`(?i)AccountKey=([A-Za-z0-9+/]{80,90}={0,2})`,
    sign: "assigned",
    note: "88 characters of base64, also of SHA-512 digests: only in a connection string",
  },
  {
    kind: "azure-shared-access-key",
    pattern: String.raw`(?i)SharedAccessKey=([A-Za-z0-9+/]{40,}={0,2})`,
    sign: "assigned",
    note: "Service Bus, Event Hubs, IoT Hub",
  },
  {
    kind: "azure-sas",
    pattern: String.raw`(?i)[?&;]sig=([A-Za-z0-9%+/_-]{40,}(?:={1,2}|%3D)?)`,
    sign: "assigned",
    note: "https://learn.microsoft.com/azure/storage/common/storage-sas-overview",
  },
  {
    kind: "azure-client-secret",
    pattern: String.raw`[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}`,
    sign: "tilde",
    check: isWritten,
    note: "the fourth to sixth characters are the version: 7Q~, 8Q~",
  },
  {
    kind: "databricks-token",
    pattern: String.raw`\bdapi[0-9a-f]{32}(?:-\d)?`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "digitalocean-token",
    pattern: String.raw`do[oprt]_v1_[0-9a-f]{64}`,
    sign: "run",
    check: isWritten,
    note: "personal, OAuth, refresh",
  },
  {
    kind: "heroku-key",
    pattern: String.raw`HRKU-AA[A-Za-z0-9_-]{50,}`,
    sign: "run",
    note: "since 2024; before: a UUID",
  },
  { kind: "netlify-token", pattern: String.raw`\bnfp_[A-Za-z0-9]{36,}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "cloudflare-key",
    pattern: String.raw`\bv1\.0-[0-9a-f]{24}-[0-9a-f]{140,}`,
    sign: "run",
    note: "Origin CA; API tokens have no prefix and need a name beside them",
  },
  {
    kind: "vault-token",
    pattern: String.raw`\bhv[sbr]\.[A-Za-z0-9_-]{20,}`,
    sign: "run",
    check: isWritten,
    note: "before 1.10: s.…, not taken",
  },
  {
    kind: "terraform-token",
    pattern: String.raw`[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}`,
    sign: "run",
    note: "",
  },
  { kind: "pulumi-token", pattern: String.raw`\bpul-[0-9a-f]{40}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "doppler-token",
    pattern: String.raw`\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{0,40}[A-Za-z0-9_-]{40,}`,
    sign: "run",
    note: "a service token has its configuration's name before the 40 to 44 random characters",
  },
  {
    kind: "new-relic-key",
    pattern: String.raw`\bNR(?:AK|AA|II|RA|JS|SP)-[A-Za-z0-9_-]{19,}`,
    sign: "run",
    check: isWritten,
    note: "user, insights, browser keys",
  },
  {
    kind: "grafana-token",
    pattern: String.raw`\bgl(?:sa|c)_[A-Za-z0-9+/_-]{32,}={0,2}`,
    sign: "run",
    check: isWritten,
    note: "service accounts, cloud access policies",
  },
  {
    kind: "sentry-token",
    pattern: String.raw`\bsntry[su]_[A-Za-z0-9+/=_-]{40,}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  { kind: "dynatrace-token", pattern: String.raw`\bdt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}`, sign: "run", note: "" },
  {
    kind: "launchdarkly-key",
    pattern: String.raw`\b(?:sdk|api|mob)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "planetscale-token",
    pattern: String.raw`\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  { kind: "supabase-token", pattern: String.raw`\bsbp_[0-9a-f]{40}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "tailscale-key",
    pattern: String.raw`\btskey-[a-z]+-[A-Za-z0-9]{6,}-[A-Za-z0-9]{16,}`,
    sign: "run",
    note: "",
  },
];
