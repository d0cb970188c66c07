/** The pages on which people sign in: as themselves with a provider, or with an access token. */

import { html } from "./html.ts";
import type { Page } from "./layout.ts";

export type SignInWays = {
  /** The page that was asked for, a path of ours. */
  readonly to: string;
  /** With which people can sign in as themselves here. */
  readonly providers: readonly { readonly name: string; readonly title: string }[];
  readonly complaint: string | null;
};

export const signInPage = ({ to, providers, complaint }: SignInWays): Page => ({
  title: "Sign in",
  body: html`${complaint === null ? null : html`<p class="notice" role="alert">${complaint}</p>`}
${providers.length > 0 ? html`<h2>As yourself</h2><p>To answer approvals, and to see what you may see.</p>${providers.map(({ name, title }) => signInButton(name, title, to))}<h2>With an access token</h2>` : null}
<p>Paste an access token of <code>access.tokens</code> in dogwatch.yaml, of role auditor or admin.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="to" value="${to}">
<label>Access token <input type="password" name="token" autocomplete="off" required ${providers.length > 0 ? null : html`autofocus`}></label>
<button>Sign in</button>
</form>`,
});

/** Comes back to `to`. */
const signInButton = (name: string, title: string, to: string) =>
  html`<p><a class="button" href="/sign-in/${name}?to=${encodeURIComponent(to)}">Sign in with ${title}</a></p>`;

export const gitHubButton = (to: string) => signInButton("github", "GitHub", to);

export const messagePage = (title: string, message: string): Page => ({ title, body: html`<p>${message}</p>` });

/** What went wrong, and what to do. */
export const refusedPage = ({ refused, mend }: { readonly refused: string; readonly mend: string }): Page => ({
  title: "Not signed in",
  body: html`<p class="notice" role="alert">${refused}</p><p>${mend} <a href="/sign-in">Sign in</a></p>`,
});
