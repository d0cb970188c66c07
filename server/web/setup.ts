/** The pages that make the GitHub App: what it will be called and ask for, the way to GitHub, and what to do when it is there. */

import type { AppInstallation, KeptApp, Trial } from "../model/gitHubApp.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export type SetupForm = {
  /** Where this form goes. */
  readonly action: string;
  /** What it carries so that no other site's page can send it. */
  readonly form: string;
  readonly web: string;
  readonly name: string;
  /** The App that is configured; null while there is none. */
  readonly appId: string | null;
};

/** The first step: which GitHub, whose App. */
export const setupPage = ({ action, form, web, name, appId }: SetupForm, complaint: Html | null): Page => ({
  title: "Set up the GitHub App",
  body: html`${complaint}
<p>Dogwatch asks people in pull requests through a GitHub App of your own. GitHub makes it from what is filled in here; its key goes into this gateway's <code>dataDir</code> and nowhere else.</p>
${appId === null ? null : html`<p>App <code>${appId}</code> is configured. <a href="/setup/github/installed">See where it is installed, and try it</a></p>`}
<form method="post" action="${action}">
<input type="hidden" name="form" value="${form}">
<label>GitHub <input name="web" value="${web}" required></label>
<label>Organization that owns the App <span class="soft">(empty: you)</span> <input name="organization"></label>
<label>Name <span class="soft">(unique on that GitHub)</span> <input name="name" value="${name}" maxlength="34" required></label>
<label><input type="checkbox" name="issues" value="yes">Ask in an issue where a run has no pull request <span class="soft">(needs issues: write)</span></label>
${appId === null ? null : html`<label><input type="checkbox" name="replace" value="yes">Let the new App take the place of App ${appId}</label>`}
<button>Go on</button>
</form>`,
});

export type DepartureForm = {
  /** On GitHub. */
  readonly action: string;
  readonly manifest: {
    readonly default_permissions: Readonly<Record<string, string>>;
    readonly default_events: readonly string[];
  };
};

/** The second step: the browser takes the manifest to GitHub. */
export const departurePage = ({ action, manifest }: DepartureForm): Page => ({
  title: "Make the GitHub App",
  body: html`<p>GitHub shows you the App's name, and makes it when you agree. It will ask for this, and for nothing else:</p>
<div class="scroll" tabindex="0" role="region" aria-label="Permissions"><table class="words"><thead><tr><th scope="col">Permission</th><th scope="col">Access</th><th scope="col">What for</th></tr></thead><tbody>${Object.entries(
    manifest.default_permissions,
  ).map(
    ([name, access]) => html`<tr><td><code>${name}</code></td><td>${access}</td><td>${reasons[name] ?? ""}</td></tr>`,
  )}</tbody></table></div>
<p>It subscribes to ${manifest.default_events.map((event, index) => html`${index === 0 ? "" : ", "}<code>${event}</code>`)}.</p>
<form method="post" action="${action}">
<input type="hidden" name="manifest" value="${JSON.stringify(manifest)}">
<button>Make it on ${new URL(action).host}</button>
</form>`,
});

const reasons: Readonly<Record<string, string>> = {
  metadata: "which repository it is, and what an answerer may do there",
  pull_requests: "the question, in the pull request; its answers; whose pull request it is",
  checks: "the question as a check run with buttons",
  actions: "which commit and pull request a run belongs to, and who set it off",
  issues: "questions and answers of runs without a pull request, and comments on a timeline",
  members: "who is in the teams that rules name",
};

export type MadeApp = {
  readonly name: string;
  readonly url: string;
  readonly installUrl: string;
  readonly kept: KeptApp;
};

/** `next`: what makes the gateway use it. */
export const createdPage = ({ name, url, installUrl, kept }: MadeApp, next: string): Page => ({
  title: "The GitHub App is there",
  body: html`<p><a href="${url}" rel="noreferrer">${name}</a> was made. Its key and secrets are in <code>${kept.folder}</code>.${kept.before === null ? null : html` Those of the App before are in <code>${kept.before}</code>.`}</p>
${
  kept.unwritten === null
    ? html`<p>The configuration names it now:</p>`
    : html`<p class="notice" role="alert"><strong>The configuration was not changed</strong>: ${kept.unwritten}. Put this into it:</p>`
}
<pre tabindex="0" aria-label="The github section">${kept.yaml}</pre>
<h2>What is left to do</h2>
<ol><li><a href="${installUrl}" rel="noreferrer">Install the App</a> on the repositories whose jobs ask.</li><li>${next}</li></ol>`,
});

/** Where it is installed, and a form to try it. `form`: null where nobody can. */
export const installedPage = (
  {
    installUrl,
    installations,
    form,
  }: {
    readonly installUrl: string;
    readonly installations: readonly AppInstallation[];
    readonly form: string | null;
  },
  outcome: Html | null,
): Page => ({
  title: "Where the GitHub App is installed",
  body: html`${outcome}
${installations.length === 0 ? html`<p>Nowhere yet.</p>` : html`<ul>${installations.map(installationItem)}</ul>`}
<p><a class="button" href="${installUrl}" rel="noreferrer">Install it</a></p>
${
  form === null
    ? null
    : html`<h2>Try it</h2><p>Writes a comment in a pull request, reads it back and changes it.</p>
<form method="post" action="/setup/github/verify"><input type="hidden" name="form" value="${form}">
<label>Pull request <span class="soft">(OWNER/REPO#NUMBER or its address)</span> <input name="pull" required></label><button>Write a test comment</button></form>`
}`,
});

const installationItem = ({ account, url, repositories, lacking }: AppInstallation): Html =>
  html`<li><a href="${url}" rel="noreferrer">${account}</a>, ${repositories === "all" ? "all repositories" : "selected repositories"}: ${
    lacking.length === 0
      ? "everything that is needed is granted."
      : html`<strong class="deny">lacks ${lacking.join(", ")}</strong>: add it in the App's settings, then accept it there.`
  }</li>`;

export const trialOutcome = ({ url, problems }: Trial): Html =>
  html`${problems.map((problem) => html`<p class="notice" role="alert">${problem}</p>`)}
${url === null ? null : html`<p class="state approved">Dogwatch can write there: <a href="${url}" rel="noreferrer">the test comment</a></p>`}`;

export const complaintOf = ({ refused, mend }: { readonly refused: string; readonly mend: string }): Html =>
  html`<p class="notice" role="alert">${refused} ${mend}</p>`;

export const setupRefusedPage = (refusal: { readonly refused: string; readonly mend: string }): Page => ({
  title: "The GitHub App was not set up",
  body: html`${complaintOf(refusal)}<p><a href="/setup/github">Begin again</a></p>`,
});

/** For whoever may not do this. */
export const adminsOnlyPage: Page = {
  title: "Not shown",
  body: html`<p>The GitHub App is set up by somebody who signs in with an access token of role admin.</p><p><a href="/sign-in?to=%2Fsetup%2Fgithub">Sign in</a></p>`,
};
