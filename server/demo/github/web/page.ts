/** The frame of the stand-in's pages: no script, nothing from elsewhere. */

import { type Html, type Piece, html } from "../../../web/html.ts";

export type Page = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export const page = (title: string, body: Piece, status = 200): Page => ({
  status,
  headers: {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy":
      "default-src 'none'; style-src 'self'; form-action *; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
  },
  body: frame(title, body).text,
});

export const redirect = (location: string): Page => ({
  status: 303,
  headers: { location, "cache-control": "no-store" },
  body: "",
});

export const missing = (what: string): Page => page("Not found", html`<p>${what}</p>`, 404);

const frame = (title: string, body: Piece): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · stand-in for GitHub</title>
<link rel="stylesheet" href="/assets/standin.css">
</head>
<body>
<header><a href="/">Stand-in for GitHub</a> <span>on this machine only</span></header>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;

export const stylesheet: Page = {
  status: 200,
  headers: { "content-type": "text/css; charset=utf-8" },
  body: `:root { color-scheme: light dark; --ink: light-dark(#1f2328, #e6edf3); --soft: light-dark(#59636e, #9198a1); --line: light-dark(#d1d9e0, #3d444d);
  --bg: light-dark(#fff, #0d1117); --card: light-dark(#f6f8fa, #151b23); --link: light-dark(#0969da, #58a6ff); --go: light-dark(#1a7f37, #3fb950); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--bg); }
header { padding: .7rem 1.2rem; border-bottom: 1px solid var(--line); background: var(--card); } header a { font-weight: 700; color: inherit; text-decoration: none; }
header span, .soft { color: var(--soft); }
main { max-width: 62rem; margin: 0 auto; padding: 1rem 1.2rem 4rem; } h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
a { color: var(--link); } code, pre { font: .875em/1.5 ui-monospace, monospace; } pre { overflow: auto; max-height: 30rem; padding: .7rem; background: var(--card); border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.comment { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; overflow-wrap: anywhere; } .comment > header { padding: .4rem .9rem; border-radius: .5rem .5rem 0 0; } .comment > div { padding: .1rem .9rem .6rem; }
.thread { margin: 1.5rem 0; padding-left: .9rem; border-left: 3px solid var(--line); } .alert { border-left: 4px solid var(--link); padding: .1rem .9rem; }
.alert.tip { border-color: var(--go); } .alert.caution, .alert.warning { border-color: #d1242f; }
td { padding: .25rem .6rem; vertical-align: top; border: 1px solid var(--line); } table { border-collapse: collapse; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: flex-start; margin: .6rem 0; } textarea { flex: 1 1 20rem; min-height: 3.2rem; } textarea, select, input, button { font: inherit; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--bg); color: var(--ink); }
button { background: var(--go); color: #fff; border-color: transparent; cursor: pointer; } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
`,
};
