/** The frame of every page: no external request, dark and light, and complete without scripts. */

import { assetPaths } from "./assets.ts";
import { type Html, type Piece, html } from "./html.ts";

/** What a page says, before it is framed. */
export type Page = {
  readonly title: string;
  readonly body: Piece;
  /** Which part of the script takes this page over; what the server wrote stays until it has something better to show. */
  readonly view?: View;
};

export type View =
  | "sessions"
  | "session"
  | "search"
  | "call"
  | "overview"
  | "policy"
  | "approvals"
  | "approval"
  | "replay"
  | "undo";

const sections = [
  { href: "/sessions", name: "Sessions" },
  { href: "/search", name: "Search" },
  { href: "/approvals", name: "Approvals" },
  { href: "/overview", name: "Overview" },
  { href: "/policy", name: "Policy" },
] as const;

/** Who looks, and what waits for people. */
export type Frame = {
  /** Null where it is not known, or nobody's business. */
  readonly pending: number | null;
  readonly signedIn: readonly string[];
  /** What the forms of this page carry, so that no other site's page can send them; null where nobody is signed in. */
  readonly form: string | null;
};

/** For strangers, and for pages that say that something went wrong. */
export const nobody: Frame = { pending: null, signedIn: [], form: null };

export const layout = ({ title, body, view }: Page, frame: Frame): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Dogwatch</title>
<link rel="icon" href="${assetPaths.icon}">
<link rel="stylesheet" href="${assetPaths.styles}">
${frame.form === null ? null : html`<script type="module" src="${assetPaths.script}"></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top"><a class="home" href="/">Dogwatch</a><nav aria-label="Pages">${sections.map((section) => sectionLink(section, frame.pending))}</nav>
${frame.form === null ? null : html`<form class="out" method="post" action="/sign-out"><span class="soft">${frame.signedIn.join(" · ")}</span> <input type="hidden" name="form" value="${frame.form}"><button class="plain">Sign out</button></form>`}</header>
<main id="main" tabindex="-1"${view === undefined ? null : html` data-view="${view}"`}>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;

const sectionLink = ({ href, name }: (typeof sections)[number], pending: Frame["pending"]): Html =>
  html`<a href="${href}">${name}${href !== "/approvals" || pending === null || pending === 0 ? null : html` <span class="count">${pending}<span class="unseen"> waiting</span></span>`}</a> `;
