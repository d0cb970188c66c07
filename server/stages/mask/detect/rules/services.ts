/** Credentials of chat, alerting, mail, payment and office services. */

import { entropyOf, isPlaceholder } from "../validators.ts";
import type { Rule, Sighting } from "../rule.ts";

const isWritten = ({ value }: Sighting): boolean => !isPlaceholder(value);
const isRandom = ({ value }: Sighting): boolean => entropyOf(value) >= 3;

const assigned = String.raw`[A-Za-z0-9_. -]{0,24}(?:\\?["'])?\s{0,3}[:=]\s{0,3}(?:\\?["'])?`;
const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

export const serviceRules: readonly Rule[] = [
  {
    kind: "slack-token",
    pattern: String.raw`\bx(?:ox[a-z](?:\.xox[a-z])?|app)-[0-9A-Za-z-]{10,}`,
    sign: "run",
    check: isWritten,
    note: "https://api.slack.com/authentication/token-types",
  },
  {
    kind: "slack-webhook",
    pattern: String.raw`hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{16,})`,
    sign: "run",
    check: isWritten,
    note: "what is behind the host is masked, so that it stays a URL",
  },
  {
    kind: "discord-webhook",
    pattern: String.raw`discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/(\d{10,}/[A-Za-z0-9_-]{40,})`,
    sign: "run",
    note: "",
  },
  {
    kind: "teams-webhook",
    pattern: String.raw`(?:webhook|outlook)\.office(?:365)?\.com/(webhook(?:b2)?/[A-Za-z0-9@/_-]{40,})`,
    sign: "run",
    note: "Power Automate's have a signature: azure-sas",
  },
  {
    kind: "telegram-token",
    pattern: String.raw`\b\d{8,10}:AA[A-Za-z0-9_-]{30,}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "stripe-key",
    pattern: String.raw`\b(?:(?:sk|rk)_(?:live|test|prod)_[0-9A-Za-z]{10,}|whsec_[A-Za-z0-9+/]{24,}=?)`,
    sign: "run",
    check: isWritten,
    note: "publishable keys (pk_) are public",
  },
  {
    kind: "square-token",
    pattern: String.raw`\b(?:sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{20,}|EAAA[A-Za-z0-9_-]{50,})`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "shopify-token",
    pattern: String.raw`\bshp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "plaid-token",
    pattern: String.raw`\baccess-(?:sandbox|development|production)-${uuid}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "pagerduty-token",
    pattern: String.raw`\bpd(?:us|eu)\+[A-Za-z0-9_-]{16,}`,
    sign: "run",
    check: isWritten,
    note: "scoped OAuth tokens",
  },
  {
    kind: "pagerduty-token",
    pattern: String.raw`\bu\+[A-Za-z0-9_-]{18}\b`,
    sign: "run",
    check: isRandom,
    note: "user tokens",
  },
  {
    kind: "pagerduty-token",
    pattern: String.raw`(?i)(?:pagerduty|pager_duty|routing[_-]?key|integration[_-]?key|service[_-]?key)${assigned}([0-9a-f]{32}|[A-Za-z0-9+_-]{20})\b`,
    sign: "run",
    check: isRandom,
    note: "32 hexadecimal digits or 20 characters: only beside a name",
  },
  {
    kind: "opsgenie-key",
    pattern: String.raw`(?i)genie[_ -]?key${assigned}(${uuid})`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "opsgenie-key",
    pattern: String.raw`(?i)GenieKey\s(${uuid})`,
    sign: "run",
    check: isWritten,
    note: "its Authorization header",
  },
  {
    kind: "twilio-key",
    pattern: String.raw`\bSK[0-9a-f]{32}\b`,
    sign: "run",
    check: isWritten,
    note: "AC… are account ids",
  },
  {
    kind: "twilio-key",
    pattern: String.raw`(?i)twilio${assigned}([0-9a-f]{32})\b`,
    sign: "run",
    check: isRandom,
    note: "auth tokens, only beside the name",
  },
  {
    kind: "sendgrid-key",
    pattern: String.raw`\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}`,
    sign: "run",
    check: isWritten,
    note: "22 and 43 characters today",
  },
  { kind: "mailgun-key", pattern: String.raw`\bkey-[0-9a-f]{32}\b`, sign: "run", check: isWritten, note: "" },
  { kind: "mailchimp-key", pattern: String.raw`\b[0-9a-f]{32}-us\d{1,2}\b`, sign: "run", check: isWritten, note: "" },
  {
    kind: "brevo-key",
    pattern: String.raw`\bxkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "linear-key",
    pattern: String.raw`\blin_(?:api|oauth)_[A-Za-z0-9]{32,}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "notion-token",
    pattern: String.raw`\b(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,})`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "airtable-token",
    pattern: String.raw`\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  { kind: "figma-token", pattern: String.raw`\bfig[dour]_[A-Za-z0-9_-]{30,}`, sign: "run", check: isWritten, note: "" },
  {
    kind: "postman-key",
    pattern: String.raw`\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
  {
    kind: "hubspot-token",
    pattern: String.raw`(?i)\bpat-(?:na|eu|ap)\d-${uuid}`,
    sign: "run",
    check: isWritten,
    note: "",
  },
];
