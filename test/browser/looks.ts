/** How pages look, in light and dark and on a phone: nothing stands in anybody's way. Takes the pictures of the documents. */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { expectAccessible } from "./chromium.ts";
import { inBrowser, type Stage } from "./stage.ts";

/** Pictures are taken when somebody wants them: for looking at, and with `docs` (`npm run pictures`) those of the documents into theirs. */
const wanted = process.env["DOGWATCH_PICTURES"];
const pictures = fileURLToPath(new URL("../../build/pictures/", import.meta.url));
const documents = fileURLToPath(new URL("../../docs/", import.meta.url));

type View = { readonly name: string; readonly path: (stage: Stage) => string; readonly ready: string };

const views: readonly View[] = [
  { name: "sessions", path: () => "/sessions", ready: ".session" },
  { name: "session", path: ({ job }) => `/sessions/${job}#call-9`, ready: ".inspector .diff" },
  { name: "long", path: ({ long }) => `/sessions/${long}`, ready: "[aria-rowcount^='1000']" },
  { name: "call", path: ({ job }) => `/sessions/${job}/calls/9`, ready: ".diff" },
  { name: "overview", path: () => "/overview", ready: ".chart" },
  { name: "policy", path: () => "/policy", ready: ".ranked" },
  { name: "approvals", path: () => "/approvals", ready: "h2" },
  {
    name: "search",
    path: ({ job }) => `/search?q=${encodeURIComponent(`checkout latency session:${job}`)}`,
    ready: "[role=combobox]",
  },
  { name: "search-new", path: () => "/search", ready: "[role=combobox]" },
  { name: "search-wrong", path: () => "/search?q=checkout+statsu%3A404", ready: "[role=combobox]" },
];
/** The very long session, the policy and what a search looks like look like others. */
const onceOnly = /^(long|policy|search-new)$/;

export const looks = (stage: () => Stage): void => {
  for (const { kind, viewing, what } of [
    { kind: "light", viewing: {}, what: "everything" },
    // Of a light picture and a dark one the structure is the same, of a light one and a phone's the colours.
    { kind: "dark", viewing: { dark: true }, what: "contrast" },
    { kind: "phone", viewing: { phone: true }, what: "structure" },
  ] as const) {
    const seen = views.filter(({ name }) => kind === "light" || !onceOnly.test(name));
    const half = Math.ceil(seen.length / 2);
    for (const some of [seen.slice(0, half), seen.slice(half)])
      inBrowser(
        `nothing stands in anybody's way, ${kind}: ${some.map(({ name }) => name).join(", ")}`,
        { stage, viewing },
        async ({ page, stage }) => {
          for (const view of some) {
            await page.goto(view.path(stage));
            await page.waitForSelector(view.ready);
            await expectAccessible(page, what);
            expect(
              await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
              view.name,
            ).toBe(true);
            if (wanted !== undefined) await take(page, view.name, kind);
          }
        },
      );
  }
};

/** Pictures check nothing, and cost more than what does. */
async function take(page: Page, name: string, kind: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  const picture = await page.screenshot({ path: `${pictures}${name}-${kind}.png` });
  if (wanted === "docs" && kind === "light" && /^(session|overview|search)$/.test(name))
    writeFileSync(`${documents}${name}.png`, picture);
}
