/** The pages on which people sign in: as themselves with GitHub, or with an access token. */

import { html } from "./html.ts";
import type { Page } from "./layout.ts";

export type SignInWays = {
  /** The page that was asked for, a path of ours. */
  readonly to: string;
  /** Whether people can sign in with GitHub here. */
  readonly github: boolean;
  readonly complaint: string | null;
};

export const signInPage = ({ to, github, complaint }: SignInWays): Page => ({
  title: "Sign in",
  body: html`${complaint === null ? null : html`<p class="notice" role="alert">${complaint}</p>`}
${github ? html`<h2>As yourself</h2><p>To answer approvals, and to see those of repositories that GitHub lets you read.</p>${gitHubButton(to)}<h2>With an access token</h2>` : null}
<p>Recordings are shown to people with a role. Paste an access token of <code>access.tokens</code> in dogwatch.yaml.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="to" value="${to}">
<label>Access token <input type="password" name="token" autocomplete="off" required ${github ? null : html`autofocus`}></label>
<button>Sign in</button>
</form>`,
});

/** Comes back to `to`. */
export const gitHubButton = (to: string) =>
  html`<p><a class="button" href="/sign-in/github?to=${encodeURIComponent(to)}">Sign in with GitHub</a></p>`;

export const messagePage = (title: string, message: string): Page => ({ title, body: html`<p>${message}</p>` });

/** What went wrong, and what to do. */
export const refusedPage = ({ refused, mend }: { readonly refused: string; readonly mend: string }): Page => ({
  title: "Not signed in",
  body: html`<p class="notice" role="alert">${refused}</p><p>${mend} <a href="/sign-in">Sign in</a></p>`,
});
