/** The page on which a person who holds an access token signs in. */

import { type Html, html } from "./html.ts";
import { layout } from "./layout.ts";

/** `to`: the page that was asked for, a path of ours. */
export const signInPage = (to: string, complaint: string | null): Html =>
  layout(
    "Sign in",
    html`${complaint === null ? null : html`<p class="notice" role="alert">${complaint}</p>`}
<p>Recordings are shown to people with a role. Paste an access token of <code>access.tokens</code> in dogwatch.yaml.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="to" value="${to}">
<label>Access token <input type="password" name="token" autocomplete="off" required autofocus></label>
<button>Sign in</button>
</form>`,
  );

export const messagePage = (title: string, message: string): Html => layout(title, html`<p>${message}</p>`);
