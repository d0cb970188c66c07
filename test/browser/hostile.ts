/** Recordings that mean harm, in a real browser: shown whole and as text, nothing in them runs, and the page stays at hand. */

import { beforeAll, describe, expect } from "vitest";
import { bodyOf } from "../store/specimens.ts";
import { drawn } from "./chromium.ts";
import { attack, hostile, openRecording, recordOne } from "./scene.ts";
import { inBrowser, type Looking, open, openSearch, patience, readOn, type Stage } from "./stage.ts";

/** More than a page of a search. */
const plenty = 60;
const deceiving = `needle \u202egnp.exe \u001b]0;owned\u0007\u001b[2J \u200b needle ${attack}`;
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/** Nothing ran, nothing unseen is in the page, and it still answers. */
async function expectHarmless({ page }: Pick<Looking, "page">): Promise<void> {
  expect(await page.evaluate("globalThis.hacked")).toBeUndefined();
  expect(
    await page.evaluate(
      "document.querySelectorAll('main img, main script, main iframe, main [onerror], main [onload]').length",
    ),
  ).toBe(0);
  expect(await page.evaluate("document.documentElement.textContent")).not.toMatch(
    /[\u202a-\u202e\u2066-\u2069\u200b\u0000\u001b\u0008]/,
  );
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
}

export const hostilePages = (stage: () => Stage): void => {
  describe.concurrent("recordings that mean harm", () => {
    let session = "";
    const numbers = new Map<string, number>();

    beforeAll(async () => {
      const { store } = stage().recorded;
      session = await openRecording(store, {
        workflow: attack,
        actor: "\u202egnp",
        repository: attack,
        ref: attack,
      });
      for (const [name, response] of Object.entries(hostile)) {
        const path = `/api/v1/monitor/${attack}\u202e`;
        const exchange = {
          opening: { path, client: attack, query: attack },
          request: response,
          response,
          closing: { error: attack },
        };
        numbers.set(name, await recordOne(store, session, exchange));
      }
      for (let n = 0; n < plenty; n++) await recordOne(store, session, { response: bodyOf(deceiving) });
      await store.indexer.catchUp();
    }, patience);

    const callOf = (name: string): string => `/sessions/${session}/calls/${numbers.get(name)}`;

    const bodies = Object.keys(hostile);
    for (const names of [bodies.slice(0, 5), bodies.slice(5, 9), bodies.slice(9)])
      inBrowser(names.join(", "), { stage, context: "shared" }, async ({ page, watched }) => {
        for (const name of names) {
          await open(page, callOf(name));
          await page.locator(".body-top").nth(1).waitFor();
          await page.locator(".tree, pre").nth(1).waitFor();
          await expectHarmless({ page });
          expect(watched.complaints, name).toEqual([]);
        }
      });

    inBrowser(
      "lists, a waterfall and charts name callers who mean harm",
      { stage, context: "shared" },
      async ({ page, watched }) => {
        for (const path of ["/sessions", `/sessions/${session}#call-1`, "/overview"]) {
          await open(page, path);
          await page.locator(".session, .row, .chart").first().waitFor();
          await expectHarmless({ page });
          expect(watched.complaints, path).toEqual([]);
        }
      },
    );

    inBrowser("a search finds them, shows where, and reads on", { stage, context: "shared" }, async ({ page }) => {
      await openSearch(page, `needle session:${session}`, 50);
      expect(await page.locator(".hit").count()).toBe(50);
      await readOn(page);
      expect(await page.locator(".hit").count()).toBe(plenty);
      for (const hit of [page.locator(".hit").first(), page.locator(".hit").last()]) {
        expect(await hit.locator("mark").allInnerTexts()).toEqual(["needle", "needle"]);
        // What moves a terminal or turns writing around was replaced before it came here.
        expect(await hit.locator(".excerpt").innerText()).toContain(
          "\ufffdgnp.exe \ufffd]0;owned\ufffd\ufffd[2J \ufffd needle",
        );
      }
      await page.locator("#q").focus();
      await page.fill("#q", "repo:");
      await page.getByRole("option").first().waitFor();
      await expectHarmless({ page: await blurred(page) });
    });

    inBrowser("what is searched for is text too, also when it is kept", { stage }, async ({ page, watched }) => {
      for (const q of [
        quoted(attack),
        attack,
        "\u202ex statsu:\u202e",
        "turned \u202earound \u200b",
        "invoice",
        "masked.invalid",
      ]) {
        await open(page, `/search?q=${encodeURIComponent(q)}`);
        // What is not understood is shown where it is wrong, and cannot be kept.
        if ((await page.locator(".wrong").count()) === 0) {
          await page.getByRole("button", { name: "Save this search" }).click();
          await page.locator("[aria-label='Saved searches'] [aria-current]").waitFor();
        }
        await expectHarmless({ page });
        expect(watched.complaints, q).toEqual([]);
      }
    });

    inBrowser(
      "what is hidden is seen, and what is long goes on when it is asked for",
      { stage, context: "shared" },
      async ({ page }) => {
        await open(page, callOf("bidi"));
        await page.locator(".tree .esc").first().waitFor();
        expect(await page.locator(".tree").first().innerText()).toContain(String.raw`invoice\u{202e}gnp.exe`);
        await open(page, callOf("line"));
        const body = page.getByRole("region", { name: "Body of the response" });
        const before = (await body.innerText()).length;
        expect(before).toBeLessThan(10_000);
        await body.getByRole("button", { name: /more of/ }).click();
        await page.waitForFunction(`document.querySelectorAll("pre")[1].textContent.length > 100000`);
        await open(page, callOf("deep"));
        for (let depth = 0; depth < 12; depth++) {
          const folded = page.locator(".tree").first().locator("[aria-expanded=false]").first();
          if ((await folded.count()) === 0) break;
          await folded.click();
        }
        await open(page, callOf("binary"));
        expect(await page.getByRole("region", { name: "Bytes of the response's body" }).innerText()).toContain(
          "ff fe 00 c3 28 3c 73 3e 80",
        );
        await open(page, callOf("zipped"));
        await page.getByText("decoded from gzip").first().waitFor();
        await page.locator(".tree", { hasText: "zipped" }).first().waitFor();
        await expectHarmless({ page });
      },
    );
  });
};

/** Keys are keys again. */
async function blurred(page: Looking["page"]): Promise<Looking["page"]> {
  await page.locator("h1").click();
  await drawn(page);
  return page;
}
