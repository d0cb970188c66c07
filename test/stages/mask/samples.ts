/** Makes values of every kind, from a seed: as their issuers write them, none of them real. */

import { generateKeyPairSync } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Kind } from "../../../server/stages/mask/detect/kinds.ts";

/** mulberry32: small, seeded, the same everywhere. */
export class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }

  text(length: number, alphabet = base62): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join("");
  }
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const hex = "0123456789abcdef";
const digits = "0123456789";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const base32 = `${upper}234567`;
const base64 = `${base62}+/`;
const base64url = `${base62}-_`;
const words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "juniper"];

const uuid = (c: Chance): string => [8, 4, 4, 4, 12].map((length) => c.text(length, hex)).join("-");

/** GitHub's and npm's form: 30 random characters and their CRC-32 in base62. */
export const checked = (c: Chance, prefix: string): string => {
  const random = c.text(30);
  let rest = crc32(Buffer.from(random));
  let sum = "";
  for (let i = 0; i < 6; i++) {
    sum = `${base62[rest % 62]}${sum}`;
    rest = Math.floor(rest / 62);
  }
  return `${prefix}${random}${sum}`;
};

const withLuhn = (number: string): string => {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number[number.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return `${number}${(10 - (sum % 10)) % 10}`;
};

const iban = (c: Chance): string => {
  const [country, length] = c.of([
    ["DE", 22],
    ["GB", 22],
    ["FR", 27],
    ["NL", 18],
    ["NO", 15],
  ] as const);
  const bank = country === "GB" || country === "NL" ? c.text(4, upper) : "";
  const account = bank + c.text(length - 4 - bank.length, digits);
  const numeric = Array.from(`${account}${country}00`)
    .map((char) => (/\d/.test(char) ? char : String(char.charCodeAt(0) - 55)))
    .join("");
  const check = String(98n - (BigInt(numeric) % 97n)).padStart(2, "0");
  const plain = `${country}${check}${account}`;
  return c.next() < 0.5 ? plain : (plain.match(/.{1,4}/g) ?? []).join(" ");
};

const jwt = (c: Chance): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256", typ: "JWT", kid: c.text(8) })}.${part({ sub: c.text(10), iat: c.below(2e9) })}.${c.text(86, base64url)}`;
};

const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString()
  .trim();

/** With random content in the form of a real one: making thousands of real ones takes minutes. */
const privateKey = (c: Chance): string => {
  const lines = Array.from({ length: 12 }, () => c.text(64, base64));
  const label = c.of(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"]);
  return c.next() < 0.2 ? pem : `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----`;
};

type Maker = (c: Chance) => string;

/** `named`: only known beside a name, which the value comes with here. `secret`: the part that must not be found afterwards. */
export type Sample = { readonly kind: Kind; readonly text: string; readonly secret: string };

const prefixed: Readonly<Partial<Record<Kind, Maker>>> = {
  "datadog-access-token": (c) => `dd${c.of(["p", "s"])}at_${c.text(40)}`,
  "datadog-client-token": (c) => `pub${c.text(32, hex)}`,
  "aws-access-key-id": (c) => `${c.of(["AKIA", "ASIA"])}${c.text(16, base32)}`,
  "aws-session-token": (c) => `IQoJb3JpZ2luX2Vj${c.text(300, base64)}=`.replace("X2Vj", ""),
  "gcp-api-key": (c) => `AIza${c.text(35, base64url)}`,
  "gcp-oauth-secret": (c) => `GOCSPX-${c.text(28, base64url)}`,
  "gcp-oauth-token": (c) => `ya29.${c.text(120, base64url)}`,
  "azure-client-secret": (c) => `${c.text(3)}8Q~${c.text(34, `${base64url}~.`)}`,
  "github-token": (c) => checked(c, c.of(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"])),
  "github-fine-grained-token": (c) => `github_pat_${c.text(22)}_${c.text(59)}`,
  "gitlab-token": (c) => `glpat-${c.text(20, base64url)}`,
  "bitbucket-token": (c) => `ATBB${c.text(32)}`,
  "atlassian-token": (c) => `ATATT3xFfGF0${c.text(170, base64url)}=${c.text(8, hex.toUpperCase())}`,
  "slack-token": (c) => `${c.of(["xoxb", "xoxp"])}-${c.text(12, digits)}-${c.text(13, digits)}-${c.text(24)}`,
  "slack-webhook": (c) => `https://hooks.slack.com/services/T${c.text(8, base32)}/B${c.text(8, base32)}/${c.text(24)}`,
  "discord-webhook": (c) => `https://discord.com/api/webhooks/${c.text(18, digits)}/${c.text(68, base64url)}`,
  "teams-webhook": (c) =>
    `https://acme.webhook.office.com/webhookb2/${uuid(c)}@${uuid(c)}/IncomingWebhook/${c.text(32, hex)}/${uuid(c)}`,
  "telegram-token": (c) => `1${c.text(9, digits)}:AA${c.text(33, base64url)}`,
  "stripe-key": (c) => `${c.of(["sk", "rk"])}_${c.of(["live", "test"])}_${c.text(24)}`,
  "square-token": (c) => `sq0csp-${c.text(43, base64url)}`,
  "shopify-token": (c) => `shpat_${c.text(32, hex)}`,
  "plaid-token": (c) => `access-production-${uuid(c)}`,
  "pagerduty-token": (c) => `pdus+_0XBPWQQ_${uuid(c)}`,
  "sendgrid-key": (c) => `SG.${c.text(22, base64url)}.${c.text(43, base64url)}`,
  "twilio-key": (c) => `SK${c.text(32, hex)}`,
  "mailgun-key": (c) => `key-${c.text(32, hex)}`,
  "mailchimp-key": (c) => `${c.text(32, hex)}-us${1 + c.below(20)}`,
  "brevo-key": (c) => `xkeysib-${c.text(64, hex)}-${c.text(16)}`,
  "npm-token": (c) => checked(c, "npm_"),
  "pypi-token": (c) => `pypi-AgEIcHlwaS5vcmc${c.text(130, base64url)}`,
  "rubygems-token": (c) => `rubygems_${c.text(48, hex)}`,
  "docker-token": (c) => `dckr_pat_${c.text(27, base64url)}`,
  "jfrog-token": (c) => `cmVmdGtuOjAx${c.text(52)}`,
  "openai-key": (c) => `sk-proj-${c.text(60, base64url)}T3BlbkFJ${c.text(60, base64url)}`,
  "anthropic-key": (c) => `sk-ant-api03-${c.text(93, base64url)}AA`,
  "huggingface-token": (c) => `hf_${c.text(34)}`,
  "replicate-token": (c) => `r8_${c.text(37)}`,
  "model-provider-key": (c) => `gsk_${c.text(52)}`,
  "databricks-token": (c) => `dapi${c.text(32, hex)}`,
  "digitalocean-token": (c) => `dop_v1_${c.text(64, hex)}`,
  "heroku-key": (c) => `HRKU-AA${c.text(58, base64url)}`,
  "netlify-token": (c) => `nfp_${c.text(36)}`,
  "cloudflare-key": (c) => `v1.0-${c.text(24, hex)}-${c.text(146, hex)}`,
  "vault-token": (c) => `hvs.${c.text(24, base64url)}`,
  "terraform-token": (c) => `${c.text(14)}.atlasv1.${c.text(67, base64url)}`,
  "pulumi-token": (c) => `pul-${c.text(40, hex)}`,
  "doppler-token": (c) => `dp.pt.${c.text(43)}`,
  "new-relic-key": (c) => `NRAK-${c.text(27, `${upper}${digits}`)}`,
  "grafana-token": (c) => `glsa_${c.text(32)}_${c.text(8, hex)}`,
  "sentry-token": (c) => `sntryu_${c.text(64, hex)}`,
  "dynatrace-token": (c) => `dt0c01.${c.text(24, base32)}.${c.text(64, base32)}`,
  "launchdarkly-key": (c) => `sdk-${uuid(c)}`,
  "sonar-token": (c) => `squ_${c.text(40, hex)}`,
  "buildkite-token": (c) => `bkua_${c.text(40, hex)}`,
  "circleci-token": (c) => `CCIPAT_${c.text(22)}_${c.text(40, hex)}`,
  "planetscale-token": (c) => `pscale_tkn_${c.text(43, base64url)}`,
  "supabase-token": (c) => `sbp_${c.text(40, hex)}`,
  "linear-key": (c) => `lin_api_${c.text(40)}`,
  "notion-token": (c) => `ntn_${c.text(46)}`,
  "airtable-token": (c) => `pat${c.text(14)}.${c.text(64, hex)}`,
  "figma-token": (c) => `figd_${c.text(40, base64url)}`,
  "postman-key": (c) => `PMAK-${c.text(24, hex)}-${c.text(34, hex)}`,
  "hubspot-token": (c) => `pat-na1-${uuid(c)}`,
  "tailscale-key": (c) => `tskey-auth-${c.text(17)}-${c.text(32)}`,
  "age-key": (c) => `AGE-SECRET-KEY-1${c.text(58, `${digits}${upper}`)}`,
  jwt,
  "private-key": privateKey,
};

/** Kinds without a prefix: told by their form, or by the name beside them. */
const others: Readonly<Partial<Record<Kind, (c: Chance) => { readonly text: string; readonly secret: string }>>> = {
  "datadog-api-key": (c) => beside(c, "DD_API_KEY", c.text(32, hex)),
  "datadog-app-key": (c) => beside(c, "dd_app_key", c.text(40, hex)),
  "aws-secret-access-key": (c) => beside(c, "aws_secret_access_key", c.text(40, base64)),
  "azure-storage-key": (c) =>
    around(
      "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=",
      `${c.text(86, base64)}==`,
      ";EndpointSuffix=core.windows.net",
    ),
  "azure-shared-access-key": (c) =>
    around(
      "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=",
      `${c.text(43, base64)}=`,
      "",
    ),
  "azure-sas": (c) =>
    around(
      "https://acme.blob.core.windows.net/c?sv=2022-11-02&sr=c&sig=",
      encodeURIComponent(`${c.text(43, base64)}=`),
      "",
    ),
  "opsgenie-key": (c) => around("GenieKey ", uuid(c), ""),
  "url-password": (c) => around("postgres://app:", c.text(16), "@db.example.com:5432/shop"),
  "http-authorization": (c) => around("Authorization: Bearer ", c.text(40), ""),
  "secret-field": (c) => beside(c, c.of(["password", "client_secret", "auth_token"]), c.text(18)),
  email: (c) => alone(`${c.of(words)}.${c.of(words)}${c.below(100)}@${c.of(words)}.example.com`),
  phone: (c) =>
    alone(
      c.of([
        `+49 30 ${c.text(8, digits)}`,
        `+1-415-${c.text(3, digits)}-${c.text(4, digits)}`,
        `(415) ${c.text(3, digits)}-${c.text(4, digits)}`,
      ]),
    ),
  "credit-card": (c) =>
    alone(
      c.of([
        withLuhn(`4${c.text(14, digits)}`),
        withLuhn(`51${c.text(13, digits)}`),
        (withLuhn(`4${c.text(14, digits)}`).match(/.{4}/g) ?? []).join(" "),
      ]),
    ),
  iban: (c) => alone(iban(c)),
  ssn: (c) => alone(`${String(100 + c.below(500))}-${String(10 + c.below(89))}-${String(1000 + c.below(8999))}`),
  ipv4: (c) => alone([11 + c.below(200), c.below(256), c.below(256), 1 + c.below(254)].join(".")),
  ipv6: (c) => alone(["2001", "db8", ...Array.from({ length: 6 }, () => c.text(4, hex))].join(":")),
  mac: (c) => alone(Array.from({ length: 6 }, () => c.text(2, hex)).join(":")),
};

const alone = (secret: string): { text: string; secret: string } => ({ text: secret, secret });
const around = (before: string, secret: string, after: string): { text: string; secret: string } => ({
  text: before + secret + after,
  secret,
});
const beside = (c: Chance, name: string, secret: string): { text: string; secret: string } =>
  around(c.of([`${name}=`, `${name}: `, `"${name}": "`]), secret, "");

export const prefixedKinds = Object.keys(prefixed) as readonly Kind[];
export const otherKinds = Object.keys(others) as readonly Kind[];

export const sampleOf = (c: Chance, kind: Kind): Sample => {
  const make = prefixed[kind];
  if (make !== undefined) {
    const text = make(c);
    // Of a webhook's URL what stands behind the part that all of them have.
    return { kind, text, secret: text.replace(/^https:\/\/[^/]+\/(services\/|api\/webhooks\/)?/, "") };
  }
  const other = others[kind]?.(c);
  if (other === undefined) throw new Error(`no sample of ${kind}`);
  return { kind, ...other };
};
