/** Installing a GitHub App: on which account, for which of its repositories. */

import { html } from "../../../web/html.ts";
import { fullNameOf } from "../repositories.ts";
import type { App, Installation } from "../state.ts";
import { withQuery } from "./oauth.ts";
import { type Page, missing, page, redirect } from "./page.ts";
import type { Visit } from "./visit.ts";

export const installPage = (visit: Visit): Page =>
  withApp(visit, (app) => {
    const { world, visitors, query } = visit;
    if (visitors.presetLogin !== null)
      return installed(visit, app, world.apps.install(app, { account: app.owner.login }));
    const repositories = world.repositories.of(app.owner);
    return page(
      `Install ${app.name}`,
      html`<p>On <b>${app.owner.login}</b>. Leave all unchecked for all repositories, later ones too.</p>
<form method="post" action="/apps/${app.slug}/installations/new"><input type="hidden" name="state" value="${query.get("state") ?? ""}">
${repositories.map((each) => html`<label><input type="checkbox" name="repository" value="${each.id}"> ${fullNameOf(each)}</label>`)}
<button>Install</button></form>`,
    );
  });

export const confirmInstallation = (visit: Visit): Page =>
  withApp(visit, (app) => {
    const { world, form } = visit;
    const chosen = new Set(form.getAll("repository").map(Number));
    const repositories = world.repositories.of(app.owner).filter(({ id }) => chosen.has(id));
    const account = app.owner.login;
    return installed(visit, app, world.apps.install(app, chosen.size === 0 ? { account } : { account, repositories }));
  });

function installed({ query, form }: Visit, app: App, { id }: Installation): Page {
  const state = query.get("state") ?? form.get("state");
  if (app.setup_url === null) return page(`${app.name} is installed`, html`<p>Installation <code>${id}</code>.</p>`);
  const values = { installation_id: String(id), setup_action: "install", state: state === "" ? null : state };
  return redirect(withQuery(app.setup_url, values));
}

function withApp({ world, params }: Visit, then: (app: App) => Page): Page {
  const app = world.apps.find(params["slug"] ?? "");
  return app === null ? missing("There is no such App.") : then(app);
}
