/** The search page: the box, what was found with the places where it was found, or what could not be understood and where. Whole without scripts. */

import type { SearchHitJson } from "../contract.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";
import {
  exportFormatNames,
  filters,
  hasTerm,
  markedPieces,
  pointAt,
  searchAddress,
  suggestedSearches,
  whereWords,
  withTerm,
} from "./searching.ts";
import { gitHubButton } from "./signIn.ts";

export type Searched = { readonly q: string } & (
  | { readonly kind: "not asked" }
  | { readonly kind: "misunderstood"; readonly column: number; readonly message: string }
  | {
      readonly kind: "found";
      readonly items: readonly SearchHitJson[];
      readonly next_cursor: string | null;
      /** Whether newer ones are on pages before. */
      readonly isFirst: boolean;
    }
);

export const searchPage = (searched: Searched): Page => ({
  title: "Search",
  view: "search",
  body: html`${searchForm(searched.q, searched.kind === "misunderstood" ? "wrong" : null)}
${searched.kind === "misunderstood" ? wrongPlace(searched) : null}
${suggested(searched.q)}
${searched.kind === "not asked" ? language : html`${filterLinks(searched.q)}${searched.kind === "found" ? found(searched) : null}`}`,
});

/** Also on other pages, where it leads here. */
export const searchForm = (
  q: string,
  problem: "wrong" | null = null,
): Html => html`<form class="search" role="search" action="/search">
<div class="box"><label class="unseen" for="q">Search in calls</label>
<input id="q" name="q" value="${q}" placeholder="Search in calls: repo:acme/app status:4xx checkout" autocomplete="off" spellcheck="false"${problem === null ? null : html` aria-invalid="true" aria-describedby="${problem}"`}></div>
<button>Search</button>
</form>`;

const wrongPlace = ({ q, column, message }: Searched & { kind: "misunderstood" }): Html => {
  const { before, at, after } = pointAt(q, column);
  return html`<div id="wrong" class="wrong" role="alert"><pre>${before}<mark>${at}</mark>${after}</pre>
<p>Column ${column}: ${message}</p></div>`;
};

const suggested = (q: string): Html => html`<ul class="chips" aria-label="Searches that are worth a link">
${suggestedSearches.map((one) => html`<li><a class="chip" href="${searchAddress(one.q)}"${one.q === q ? html` aria-current="true"` : null}>${one.name}</a></li>`)}</ul>`;

const filterLinks = (q: string): Html => html`<nav class="filters" aria-label="Filters"><dl>
${filters.map(
  ({ field, label, values }) =>
    html`<div><dt>${label}</dt><dd>${values.map(({ value, name }) => {
      const isOn = hasTerm(q, field, value);
      return html`<a href="${searchAddress(withTerm(q, field, isOn ? null : value))}"${isOn ? html` aria-current="true"` : null}>${name}</a> `;
    })}</dd></div>`,
)}</dl></nav>`;

const found = ({
  q,
  items,
  next_cursor,
  isFirst,
}: Searched & { kind: "found" }): Html => html`<section class="found" aria-label="Calls that were found">
<p class="soft" role="status">${countOf(items.length, { isFirst, isWhole: next_cursor === null })}</p>
${items.length > 0 ? html`<ol class="list">${items.map(hitItem)}</ol>` : null}
${next_cursor === null ? null : html`<p class="further"><a class="button quiet" href="${searchAddress(q)}&amp;cursor=${encodeURIComponent(next_cursor)}" data-cursor="${next_cursor}">${items.length === 0 ? "Look further back" : "More"}</a></p>`}
<p class="exports">Take along all that is found: ${exportFormatNames.map(({ format, name }) => html`<a href="/v1/search/export?q=${encodeURIComponent(q)}&amp;format=${format}" download>${name}</a> `)}</p>
</section>`;

const countOf = (
  count: number,
  { isFirst, isWhole }: { readonly isFirst: boolean; readonly isWhole: boolean },
): string => {
  if (count === 0 && isWhole)
    return isFirst ? "No call is found. Take a word out of the search, or a filter." : "No older call is found.";
  if (count === 0) return "None yet: there was no time to look through everything.";
  const calls = `${count} ${isFirst ? "" : "older "}call${count === 1 ? "" : "s"}`;
  return isWhole ? `${calls}.` : `${calls}, newest first; there may be more.`;
};

const hitItem = (hit: SearchHitJson): Html => {
  const here = `/sessions/${hit.session_id}/calls/${hit.n}`;
  const name = hit.operation.slice(hit.operation.lastIndexOf(".") + 1);
  return html`<li class="hit">
<div class="title"><a href="${here}">${name}</a> <span class="badge ${hit.decision.effect}">${hit.decision.effect}</span> <span class="badge">${hit.status ?? hit.state}</span> <span class="soft">${hit.access}</span>
<time class="soft" datetime="${hit.received_at}">${hit.received_at}</time></div>
<div class="detail"><a href="/sessions/${hit.session_id}#call-${hit.n}">${hit.repository ?? hit.subject}</a> · ${hit.connection} · <code>${hit.method} ${shortened(hit.path, 300)}</code></div>
${hit.excerpts.map(({ where, text, marks }) => html`<div class="excerpt"><span class="soft">${whereWords[where] ?? where}</span> <code>${markedPieces(text, marks).map((piece) => (piece.isFound ? html`<mark>${piece.text}</mark>` : piece.text))}</code></div>`)}</li>`;
};

const shortened = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);

const language = html`<h2>What a search looks like</h2>
<dl>
<dt><code>payment</code></dt><dd>stands somewhere in the path, the operation, the decision, an error, a body</dd>
<dt><code>"payment failed"</code></dt><dd>stands there exactly so</dd>
<dt><code>operation:Delete*</code></dt><dd>of these operations; also <code>access:</code> <code>decision:</code> <code>rule:</code> <code>connection:</code> <code>session:</code> <code>repo:</code> <code>pr:</code> <code>run:</code> <code>actor:</code></dd>
<dt><code>status:&gt;=400</code></dt><dd>also <code>4xx</code> and <code>400..499</code>; likewise <code>duration:&gt;1s</code></dd>
<dt><code>after:1d</code></dt><dd>received in the last day; also <code>before:2026-05-04</code></dd>
<dt><code>one two OR -three</code></dt><dd>both, or not the third; parentheses group</dd>
</dl>`;

export type NoSearch = {
  readonly who: { readonly kind: "token"; readonly role: string } | { readonly kind: "person"; readonly name: string };
  /** Whether people can sign in with GitHub here. */
  readonly gitHub: boolean;
};

/** For whoever finds nothing whatever they ask: why, and what works for them. */
export const noSearchPage = ({ who, gitHub }: NoSearch): Page => ({
  title: "Search",
  body: html`<p class="notice">${
    who.kind === "token"
      ? `An access token of role ${who.role} has no repositories, so nothing can be searched with it.`
      : `You are signed in as ${who.name}. Searches go through the calls of repositories that GitHub lets somebody read, and your provider says nothing of repositories.`
  }</p>
<h2>What works</h2>
<ul>
${gitHub ? html`<li>Signed in with GitHub, you find the calls of the repositories that GitHub lets you read. ${gitHubButton("/search")}</li>` : null}
${who.kind === "person" ? html`<li>The questions whose rule names one of your groups are under <a href="/approvals">Approvals</a>.</li>` : null}
<li>Roles <code>auditor</code> and <code>admin</code> find everything: whoever writes dogwatch.yaml gives them.</li>
</ul>`,
});
