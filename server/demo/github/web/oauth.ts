/**
 * Signing in with GitHub: the page that asks, and the exchange of its code for a token.
 *
 * @see https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 */

import { html } from "../../../web/html.ts";
import type { Account, App } from "../state.ts";
import { fitsChallenge } from "../visitors.ts";
import { type Page, page, redirect } from "./page.ts";
import type { Visit } from "./visit.ts";

export function authorizePage(visit: Visit): Page {
  const { world, visitors, query } = visit;
  const asked = readAuthorization(visit, query);
  if ("page" in asked) return asked.page;
  const login = visitors.presetLogin;
  if (login !== null) return accept(visit, asked, world.accounts.named(login));
  const hidden = [...query].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  return page(
    `Sign in to ${asked.app.name}`,
    html`<p>Who are you? There are no passwords here.</p><form method="post" action="/login/oauth/authorize">${hidden}${world.accounts.users.map(
      ({ login: name }) => html`<button name="login" value="${name}">Sign in as ${name}</button>`,
    )}<button name="login" value="">Cancel</button></form>`,
  );
}

export function agree(visit: Visit): Page {
  const { world, form } = visit;
  const asked = readAuthorization(visit, form);
  if ("page" in asked) return asked.page;
  const login = form.get("login") ?? "";
  if (login === "")
    return redirect(
      withQuery(asked.redirect_uri, {
        error: "access_denied",
        error_description: "The user has denied your application access.",
        state: asked.state,
      }),
    );
  const account = world.accounts.find(login);
  return account === null ? page("Who are you?", "There is no such user.", 422) : accept(visit, asked, account);
}

type Asked = {
  readonly app: App;
  readonly redirect_uri: string;
  readonly state: string | null;
  readonly challenge: string | null;
};

function readAuthorization({ world }: Visit, asked: URLSearchParams): Asked | { readonly page: Page } {
  const app = world.apps.identified(asked.get("client_id") ?? "");
  if (app === null) return { page: page("Not found", "There is no App with this client id.", 404) };
  const redirect_uri = asked.get("redirect_uri") ?? app.callback_urls[0] ?? "";
  if (!app.callback_urls.includes(redirect_uri))
    return { page: page("Be careful!", "The redirect_uri is not associated with this application.", 400) };
  const method = asked.get("code_challenge_method");
  if (method !== null && method !== "S256") return { page: page("Refused", "Only S256 is supported.", 400) };
  return { app, redirect_uri, state: asked.get("state"), challenge: asked.get("code_challenge") };
}

function accept({ visitors }: Visit, { app, redirect_uri, state, challenge }: Asked, account: Account): Page {
  const code = visitors.authorize({ app, account, redirect_uri, challenge });
  return redirect(withQuery(redirect_uri, { code, state }));
}

export function withQuery(address: string, values: Readonly<Record<string, string | null>>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(values)) if (value !== null) url.searchParams.set(name, value);
  return String(url);
}

/** Refusals are answers with status 200, as GitHub gives them. */
export function exchangeCode({ world, visitors, form, headers }: Visit): Page {
  const answer = (values: Record<string, string | number>): Page =>
    headers["accept"]?.includes("json") === true
      ? { status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(values) }
      : {
          status: 200,
          headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
          body: String(
            new URLSearchParams(
              Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)])),
            ),
          ),
        };
  const refuse = (error: string, error_description: string): Page =>
    answer({
      error,
      error_description,
      error_uri:
        "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors",
    });
  const app = world.apps.identified(form.get("client_id") ?? "");
  if (app === null || form.get("client_secret") !== app.client_secret)
    return refuse("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.");
  const authorization = visitors.takeCode(form.get("code") ?? "");
  if (authorization === null || authorization.app !== app)
    return refuse("bad_verification_code", "The code passed is incorrect or expired.");
  const redirect_uri = form.get("redirect_uri");
  if (redirect_uri !== null && redirect_uri !== authorization.redirect_uri)
    return refuse(
      "redirect_uri_mismatch",
      "The redirect_uri MUST match the registered callback URL for this application.",
    );
  if (!fitsChallenge(authorization, form.get("code_verifier") ?? undefined))
    return refuse("bad_verification_code", "The code passed is incorrect or expired.");
  const { token, seconds } = visitors.token(authorization.account, app);
  return answer({ access_token: token, expires_in: seconds, token_type: "bearer", scope: "" });
}
