/**
 * Makes a GitHub App from a manifest: what it asks for, where the browser takes that, and what GitHub hands over afterwards.
 *
 * @see https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */

import { z } from "zod";
import { Secret } from "../model/connection.ts";
import { GitHubFailure } from "../model/github.ts";
import type { CreatedApp } from "../model/gitHubApp.ts";
import { isLoopback } from "../model/loopback.ts";
import { forTeams, forWork, type Permissions } from "./permissions.ts";
import { digits } from "./shapes.ts";

export type ManifestAsked = {
  /** What the App is called; it must be unique on its GitHub, and can be changed on the page that makes it. */
  readonly name: string;
  readonly publicUrl: string;
  /** Where GitHub sends the browser with the code. */
  readonly redirect: string;
  /** Where people come back to who sign in. */
  readonly callback: string;
  /** Where people come to who have installed it. */
  readonly installed: string;
  /** Whether runs without a pull request are asked about in an issue. */
  readonly issues: boolean;
  /** Whether rules name teams. */
  readonly teams: boolean;
};

export type Manifest = {
  readonly name: string;
  readonly url: string;
  readonly hook_attributes: { readonly url: string; readonly active: true };
  readonly redirect_url: string;
  readonly callback_urls: readonly string[];
  readonly setup_url: string;
  readonly public: false;
  readonly default_permissions: Permissions;
  readonly default_events: readonly string[];
};

/** The longest name that GitHub takes. */
export const longestName = 34;

const events = ["pull_request", "pull_request_review_comment", "issue_comment", "check_run"] as const;

export const manifestOf = (asked: ManifestAsked): Manifest => ({
  name: asked.name.slice(0, longestName),
  url: asked.publicUrl,
  hook_attributes: { url: `${asked.publicUrl}/webhooks/github`, active: true },
  redirect_url: asked.redirect,
  callback_urls: [asked.callback],
  setup_url: asked.installed,
  public: false,
  default_permissions: permissionsOf(asked),
  default_events: events,
});

/** No more than what approvals need: docs/github-app.md says what each is for. */
export const permissionsOf = ({ issues, teams }: Pick<ManifestAsked, "issues" | "teams">): Permissions => ({
  ...forWork({ issues }),
  ...(teams ? forTeams : {}),
});

/** Where the form with the manifest goes. `organization`: null for the App of a person. */
export const newAppUrl = (web: string, organization: string | null, state: string): string =>
  `${web}${organization === null ? "" : `/organizations/${encodeURIComponent(organization)}`}/settings/apps/new?state=${encodeURIComponent(state)}`;

/**
 * The web address of a GitHub → its API's; null for what cannot be one. `https://github.com` → `https://api.github.com`,
 * `https://acme.ghe.com` → `https://api.acme.ghe.com`, `https://ghe.example.com` → `https://ghe.example.com/api/v3`.
 */
export function apiAddress(web: string): string | null {
  const url = URL.canParse(web) ? new URL(web) : null;
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return null;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) return null;
  if (url.pathname !== "/") return null;
  return url.host === "github.com" || /^[^.]+\.ghe\.com$/.test(url.host)
    ? `https://api.${url.host}`
    : `${url.origin}/api/v3`;
}

const conversion = z.object({
  id: digits,
  slug: z.string().regex(/^[\w-]{1,100}$/),
  name: z.string(),
  owner: z.object({ login: z.string() }).nullish(),
  html_url: z.url(),
  client_id: z.string().regex(/^[\w.-]{1,100}$/),
  client_secret: z.string().min(1),
  webhook_secret: z.string().min(1).nullable(),
  pem: z.string().includes("PRIVATE KEY"),
});

/** ms */
const patience = 20_000;

/** What GitHub hands over for the code that the browser brought, once. @throws GitHubFailure */
export async function convert(apiUrl: string, code: string, send: typeof fetch): Promise<CreatedApp> {
  const { status, json } = await post(`${apiUrl}/app-manifests/${encodeURIComponent(code)}/conversions`, send);
  if (status === 404 || status === 422)
    throw new GitHubFailure(
      "refused",
      "GitHub does not know the code that the browser brought: it was used before, or is older than an hour; if the App was made, delete it in GitHub's settings, and begin again",
    );
  if (status !== 201)
    throw new GitHubFailure("refused", `GitHub answered ${status} when it was asked for the new App; begin again`);
  const made = conversion.safeParse(json);
  if (!made.success || made.data.webhook_secret === null)
    throw new GitHubFailure(
      "uncertain",
      "GitHub made an App, and its answer lacks a part that is needed; delete the App in GitHub's settings, and begin again",
    );
  const { id, slug, name, owner, html_url, client_id, client_secret, webhook_secret, pem } = made.data;
  return {
    appId: id,
    slug,
    name,
    owner: owner?.login ?? "",
    url: html_url,
    apiUrl,
    clientId: client_id,
    clientSecret: new Secret(client_secret),
    webhookSecret: new Secret(webhook_secret),
    privateKey: new Secret(pem),
  };
}

/** Before a browser is sent there: an App whose key cannot be fetched afterwards is good for nothing. @throws GitHubFailure */
export async function reach(apiUrl: string, send: typeof fetch): Promise<void> {
  try {
    // Whatever it answers: a server of one's own may show nothing to strangers.
    const response = await send(`${apiUrl}/`, {
      headers: { "user-agent": "dogwatch" },
      redirect: "manual",
      signal: AbortSignal.timeout(patience),
    });
    await response.body?.cancel();
  } catch {
    throw new GitHubFailure(
      "unreachable",
      `${apiUrl} could not be reached: check the address, and this machine's way out`,
    );
  }
}

async function post(url: string, send: typeof fetch): Promise<{ readonly status: number; readonly json: unknown }> {
  try {
    const response = await send(url, {
      method: "POST",
      headers: {
        accept: "application/vnd.github+json",
        "user-agent": "dogwatch",
        "x-github-api-version": "2022-11-28",
      },
      redirect: "error",
      signal: AbortSignal.timeout(patience),
    });
    return { status: response.status, json: await response.json().catch(() => null) };
  } catch {
    throw new GitHubFailure(
      "unreachable",
      `${new URL(url).origin} could not be reached for the new App: check this machine's way out; if the App was made, delete it in GitHub's settings, and begin again`,
    );
  }
}
