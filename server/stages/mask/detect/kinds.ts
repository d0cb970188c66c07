/** The kinds of value that masks know by their look, and the groups under which a configuration names several at once. */

/** `secret`: credentials; `personal`: what points to a person; `network`: addresses of machines. */
export const groups = ["secret", "personal", "network"] as const;
export type Group = (typeof groups)[number];

type KindRow = { readonly group: Group; readonly says: string };

/** Names are the `<kind>` of a token: lower case, digits and hyphens. */
export const kinds = {
  "datadog-api-key": { group: "secret", says: "Datadog API key, where the text around it says so" },
  "datadog-app-key": { group: "secret", says: "Datadog application key, where the text around it says so" },
  "datadog-access-token": { group: "secret", says: "Datadog personal and service access tokens (ddpat_, ddsat_)" },
  "datadog-client-token": { group: "secret", says: "Datadog client token (pub…)" },
  "aws-access-key-id": { group: "secret", says: "AWS access key id (AKIA, ASIA…)" },
  "aws-secret-access-key": { group: "secret", says: "AWS secret access key, where the text around it says so" },
  "aws-session-token": { group: "secret", says: "AWS session token" },
  "gcp-api-key": { group: "secret", says: "Google API key (AIza…)" },
  "gcp-oauth-secret": { group: "secret", says: "Google OAuth client secret (GOCSPX-…)" },
  "gcp-oauth-token": { group: "secret", says: "Google OAuth access and refresh tokens (ya29., 1//0…)" },
  "azure-storage-key": { group: "secret", says: "Azure storage AccountKey of a connection string" },
  "azure-shared-access-key": { group: "secret", says: "Azure SharedAccessKey of a connection string" },
  "azure-sas": { group: "secret", says: "Signature of an Azure shared access URL" },
  "azure-client-secret": { group: "secret", says: "Client secret of an Entra application (…Q~…)" },
  "github-token": { group: "secret", says: "GitHub tokens (ghp_, gho_, ghu_, ghs_, ghr_)" },
  "github-fine-grained-token": { group: "secret", says: "GitHub fine-grained token (github_pat_)" },
  "gitlab-token": { group: "secret", says: "GitLab tokens (glpat-, gldt-, glrt-…)" },
  "bitbucket-token": { group: "secret", says: "Bitbucket app password (ATBB…)" },
  "atlassian-token": { group: "secret", says: "Atlassian API token (ATATT3…)" },
  "slack-token": { group: "secret", says: "Slack tokens (xoxb-, xoxp-, xapp-…)" },
  "slack-webhook": { group: "secret", says: "Path of a Slack webhook URL" },
  "discord-webhook": { group: "secret", says: "Path of a Discord webhook URL" },
  "teams-webhook": { group: "secret", says: "Path of a Microsoft Teams webhook URL" },
  "telegram-token": { group: "secret", says: "Telegram bot token" },
  "stripe-key": { group: "secret", says: "Stripe secret and restricted keys, webhook secrets" },
  "square-token": { group: "secret", says: "Square tokens (sq0…)" },
  "shopify-token": { group: "secret", says: "Shopify tokens (shpat_…)" },
  "plaid-token": { group: "secret", says: "Plaid access token" },
  "pagerduty-token": {
    group: "secret",
    says: "PagerDuty tokens (pdus+…, u+…), and keys where the text around them says so",
  },
  "opsgenie-key": { group: "secret", says: "Opsgenie key (GenieKey …)" },
  "twilio-key": { group: "secret", says: "Twilio API key (SK…), and auth tokens where the text around them says so" },
  "sendgrid-key": { group: "secret", says: "SendGrid key (SG.…)" },
  "mailgun-key": { group: "secret", says: "Mailgun key (key-…)" },
  "mailchimp-key": { group: "secret", says: "Mailchimp key (…-us12)" },
  "brevo-key": { group: "secret", says: "Brevo key (xkeysib-…)" },
  "npm-token": { group: "secret", says: "npm token (npm_…)" },
  "pypi-token": { group: "secret", says: "PyPI token (pypi-…)" },
  "rubygems-token": { group: "secret", says: "RubyGems token (rubygems_…)" },
  "docker-token": { group: "secret", says: "Docker Hub tokens (dckr_pat_…)" },
  "jfrog-token": { group: "secret", says: "JFrog tokens (AKCp…, cmVmdGtu…)" },
  "openai-key": { group: "secret", says: "OpenAI key (sk-…)" },
  "anthropic-key": { group: "secret", says: "Anthropic key (sk-ant-…)" },
  "huggingface-token": { group: "secret", says: "Hugging Face token (hf_…)" },
  "replicate-token": { group: "secret", says: "Replicate token (r8_…)" },
  "model-provider-key": { group: "secret", says: "Keys of Groq (gsk_), xAI (xai-) and Perplexity (pplx-)" },
  "databricks-token": { group: "secret", says: "Databricks token (dapi…)" },
  "digitalocean-token": { group: "secret", says: "DigitalOcean tokens (dop_v1_…)" },
  "heroku-key": { group: "secret", says: "Heroku key (HRKU-…)" },
  "netlify-token": { group: "secret", says: "Netlify token (nfp_…)" },
  "cloudflare-key": { group: "secret", says: "Cloudflare Origin CA key (v1.0-…)" },
  "vault-token": { group: "secret", says: "HashiCorp Vault tokens (hvs., hvb., hvr.)" },
  "terraform-token": { group: "secret", says: "Terraform Cloud token (….atlasv1.…)" },
  "pulumi-token": { group: "secret", says: "Pulumi token (pul-…)" },
  "doppler-token": { group: "secret", says: "Doppler tokens (dp.pt.…)" },
  "new-relic-key": { group: "secret", says: "New Relic keys (NRAK-…)" },
  "grafana-token": { group: "secret", says: "Grafana tokens (glsa_, glc_)" },
  "sentry-token": { group: "secret", says: "Sentry tokens (sntrys_, sntryu_)" },
  "dynatrace-token": { group: "secret", says: "Dynatrace token (dt0c01.…)" },
  "launchdarkly-key": { group: "secret", says: "LaunchDarkly keys (sdk-, api-, mob- and a UUID)" },
  "sonar-token": { group: "secret", says: "SonarQube tokens (squ_, sqp_, sqa_)" },
  "buildkite-token": { group: "secret", says: "Buildkite token (bkua_…)" },
  "circleci-token": { group: "secret", says: "CircleCI tokens (CCIPAT_, CCIPRJ_)" },
  "planetscale-token": { group: "secret", says: "PlanetScale tokens and passwords (pscale_…)" },
  "supabase-token": { group: "secret", says: "Supabase token (sbp_…)" },
  "linear-key": { group: "secret", says: "Linear keys (lin_api_…)" },
  "notion-token": { group: "secret", says: "Notion tokens (secret_…, ntn_…)" },
  "airtable-token": { group: "secret", says: "Airtable token (pat….…)" },
  "figma-token": { group: "secret", says: "Figma token (figd_…)" },
  "postman-key": { group: "secret", says: "Postman key (PMAK-…)" },
  "hubspot-token": { group: "secret", says: "HubSpot private app token (pat-na1-…)" },
  "tailscale-key": { group: "secret", says: "Tailscale keys (tskey-…)" },
  "age-key": { group: "secret", says: "age secret key (AGE-SECRET-KEY-1…)" },
  jwt: { group: "secret", says: "JSON Web Token, signed or encrypted" },
  "private-key": { group: "secret", says: "Private key in PEM, also with escaped line breaks or without its end" },
  "url-password": { group: "secret", says: "User and password in a URL" },
  "http-authorization": { group: "secret", says: "Credentials after Bearer, Basic, Token or ApiKey" },
  "secret-field": { group: "secret", says: "Value of a field, parameter or variable that is named like a secret" },
  email: { group: "personal", says: "E-mail address" },
  phone: { group: "personal", says: "Phone number: with + and country code, or as written in North America" },
  "credit-card": { group: "personal", says: "Card number of a known brand with a right check digit" },
  iban: { group: "personal", says: "IBAN with right length and check digits" },
  ssn: { group: "personal", says: "US social security number with hyphens" },
  ipv4: { group: "network", says: "IPv4 address" },
  ipv6: { group: "network", says: "IPv6 address" },
  mac: { group: "network", says: "MAC address" },
} as const satisfies Readonly<Record<string, KindRow>>;

export type Kind = keyof typeof kinds;

export const kindNames = Object.keys(kinds) as readonly Kind[];

export const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name);

export const isGroup = (name: string): name is Group => (groups as readonly string[]).includes(name);

export const kindsOf = (group: Group): readonly Kind[] => kindNames.filter((kind) => kinds[kind].group === group);

/** Tokens have these names too: fields that a mask named, URLs kept as such, text that looked like a token already. */
const others = new Set(["field", "url", "token"]);

export const isTokenKind = (name: string, custom: ReadonlySet<string>): boolean =>
  isKind(name) || others.has(name) || custom.has(name);
