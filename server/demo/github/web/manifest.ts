/**
 * Making a GitHub App from a manifest: the page that asks, and the way back with a code.
 *
 * @see https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */

import { z } from "zod";
import { html } from "../../../web/html.ts";
import { withQuery } from "./oauth.ts";
import { type Page, page, redirect } from "./page.ts";
import type { Visit } from "./visit.ts";

const address = z.url({ protocol: /^https?$/ });

/** Keys that GitHub does not know are refused, as it does. */
const manifest = z.strictObject({
  name: z.string().min(1).max(34).optional(),
  url: address,
  hook_attributes: z.strictObject({ url: address, active: z.boolean().default(true) }).optional(),
  redirect_url: address,
  callback_urls: z.array(address).max(10).default([]),
  setup_url: address.optional(),
  description: z.string().optional(),
  public: z.boolean().default(false),
  default_events: z.array(z.string()).default([]),
  default_permissions: z.record(z.string(), z.enum(["read", "write"])).default({}),
  request_oauth_on_install: z.boolean().optional(),
  setup_on_update: z.boolean().optional(),
});

export function showManifest(visit: Visit): Page {
  const { visitors, form, query, params } = visit;
  const text = form.get("manifest") ?? "";
  const state = query.get("state") ?? form.get("state") ?? "";
  const owner = params["organization"] ?? visitors.presetLogin ?? "";
  const read = readManifest(text);
  if ("page" in read) return read.page;
  if (visitors.presetLogin !== null) return make(visit, { text, state, owner, name: read.manifest.name ?? "" });
  const users = visit.world.accounts.users.map(({ login }) => html`<option>${login}</option>`);
  return page(
    "Create a GitHub App",
    html`<p>It asks for ${Object.entries(read.manifest.default_permissions).map(([name, access]) => html`<code>${name}: ${access}</code> `)}</p>
<form method="post" action="/settings/apps/manifest">
<input type="hidden" name="manifest" value="${text}"><input type="hidden" name="state" value="${state}">
<label>Name <input name="name" value="${read.manifest.name ?? ""}"></label>
${owner === "" ? html`<label>for <select name="owner">${users}</select></label>` : html`<input type="hidden" name="owner" value="${owner}">`}
<button>Create GitHub App${owner === "" ? "" : ` for ${owner}`}</button></form>`,
  );
}

export const confirmManifest = (visit: Visit): Page => {
  const value = (name: string): string => visit.form.get(name) ?? "";
  return make(visit, { text: value("manifest"), state: value("state"), owner: value("owner"), name: value("name") });
};

type Making = { readonly text: string; readonly state: string; readonly owner: string; readonly name: string };

function make({ world, visitors }: Visit, { text, state, owner, name }: Making): Page {
  const read = readManifest(text);
  if ("page" in read) return read.page;
  if (world.accounts.find(owner) === null) return page("Not found", "There is no such account.", 404);
  if (name === "") return page("Create a GitHub App", "Name can't be blank", 422);
  const { url, hook_attributes, callback_urls, setup_url, default_events, default_permissions } = read.manifest;
  const hasWebhook = hook_attributes?.active === true;
  const code = visitors.manifest({
    hasWebhook,
    app: {
      owner,
      name,
      external_url: url,
      callback_urls,
      permissions: default_permissions,
      events: default_events,
      ...(hasWebhook ? { webhook_url: hook_attributes.url } : {}),
      ...(setup_url === undefined ? {} : { setup_url }),
    },
  });
  return redirect(withQuery(read.manifest.redirect_url, { code, state: state === "" ? null : state }));
}

function readManifest(text: string): { readonly manifest: z.output<typeof manifest> } | { readonly page: Page } {
  const refuse = (why: string): { readonly page: Page } => ({
    page: page("Invalid GitHub App configuration", why, 422),
  });
  try {
    const read = manifest.safeParse(JSON.parse(text));
    return read.success ? { manifest: read.data } : refuse(z.prettifyError(read.error));
  } catch {
    return refuse("The manifest is no JSON.");
  }
}
