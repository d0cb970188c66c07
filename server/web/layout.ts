/** The frame of every page: no script, no external request, dark and light. */

import { type Html, type Piece, html } from "./html.ts";

/** What a page says, before it is framed. */
export type Page = { readonly title: string; readonly body: Piece };

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

export const layout = ({ title, body }: Page, { pending, signedIn, form }: Frame): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Dogwatch</title>
<link rel="stylesheet" href="/assets/dogwatch.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><a class="home" href="/">Dogwatch</a><nav aria-label="Pages"><a href="/sessions">Sessions</a> <a href="/approvals">Approvals${pending === null || pending === 0 ? null : html` <span class="count">${pending} waiting</span>`}</a></nav>
${form === null ? null : html`<form class="out" method="post" action="/sign-out"><span class="soft">${signedIn.join(" · ")}</span> <input type="hidden" name="form" value="${form}"><button class="plain">Sign out</button></form>`}</header>
<main id="main">
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;

export const stylesheet = `
:root { color-scheme: light dark; --bg: light-dark(#fbfbfd, #14161b); --ink: light-dark(#1c2330, #e6e9ef); --soft: light-dark(#586174, #a3acbd);
  --line: light-dark(#dfe3ea, #2c313c); --card: light-dark(#fff, #1b1e25); --link: light-dark(#1f57c3, #8fb4ff);
  --good: light-dark(#11663a, #74d6a0); --bad: light-dark(#a3202c, #ff9aa2); --warn: light-dark(#7a4b00, #f3c677); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; align-items: baseline; padding: .8rem 1.2rem; border-bottom: 1px solid var(--line); background: var(--card); }
.home { font-weight: 700; color: var(--ink); text-decoration: none; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem 1.2rem 4rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
a { color: var(--link); } a:focus-visible, input:focus-visible, button:focus-visible, textarea:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: .85rem; white-space: nowrap; } tr:last-child td { border-bottom: 0; }
/* The last two columns of most tables are numbers. */
table:not(.words) th:nth-last-child(-n + 2) { text-align: right; } tbody tr:hover { background: var(--bg); } td time { white-space: nowrap; font-size: .875rem; } td code { overflow-wrap: anywhere; }
time { font-variant-numeric: tabular-nums; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; } pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem; max-height: 40rem; overflow: auto; }
.allow { color: var(--good); } .deny { color: var(--bad); } .approve, .observe { color: var(--warn); } .soft { color: var(--soft); }
form { display: grid; gap: .8rem; max-width: 28rem; } input, textarea { font: inherit; padding: .5rem; border: 1px solid var(--soft); border-radius: .4rem; background: var(--card); color: var(--ink); width: 100%; margin-top: .3rem; }
input[type="checkbox"] { width: auto; margin: 0 .4rem 0 0; }
button, .button { font: inherit; padding: .5rem 1rem; border: 0; border-radius: .4rem; background: var(--link); color: var(--bg); justify-self: start; cursor: pointer; display: inline-block; text-decoration: none; }
button.yes { background: var(--good); } button.no { background: var(--bad); } .buttons { display: flex; flex-wrap: wrap; gap: .8rem; }
button.plain { background: none; color: var(--link); padding: 0; text-decoration: underline; }
.out { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; margin-left: auto; max-width: none; } .count { color: var(--warn); font-weight: 600; }
.state { border-left: 4px solid var(--soft); padding: .5rem .8rem; background: var(--card); } .state p { margin: .2rem 0; }
.state.pending { border-color: var(--warn); } .state.approved, .state.consumed { border-color: var(--good); } .state.denied { border-color: var(--bad); }
iframe.live { width: 100%; height: 3.2rem; border: 0; color-scheme: light dark; } body.live { background: none; padding: .3rem 0; }
.add { color: var(--good); } .del { color: var(--bad); } summary { cursor: pointer; font-weight: 600; margin-top: 1.5rem; } pre.whole { max-height: none; }
.notice { border-left: 4px solid var(--bad); padding: .5rem .8rem; background: var(--card); }
@media (max-width: 40rem) { table { min-width: 48rem; } dl { grid-template-columns: 1fr; } dt { margin-top: .5rem; } }
`;
