/** Searches in a browser: completed, pointed at where they are wrong, read on, kept, taken along, and of nothing that is not theirs to see. */

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { openJob, sendCall } from "../journeys/people/scene.ts";
import { drawn, expectAccessible } from "./chromium.ts";
import { openRecording, recordOne } from "./scene.ts";
import { inBrowser, open, openSearch, readOn, type Stage } from "./stage.ts";
import { bodyOf } from "../store/specimens.ts";

/** More than two pages of them. */
const plenty = 120;

/** A session in which every call says this word; it is found from then on. */
async function recordPlenty({ recorded: { store } }: Stage, word: string): Promise<string> {
  const session = await openRecording(store, { workflow: "Says a word" });
  for (let n = 0; n < plenty; n++)
    await recordOne(store, session, { response: bodyOf(JSON.stringify({ said: word, n })) });
  await store.indexer.catchUp();
  return session;
}

export const searching = (stage: () => Stage): void => {
  inBrowser(
    "the search box completes fields and values that were seen, and a search can be kept",
    { stage },
    async ({ page, stage: { job } }) => {
      await open(page, "/sessions");
      await page.keyboard.press("/");
      await page.keyboard.type("oper");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      expect(await page.locator("#q").inputValue()).toBe("operation:");
      await page.keyboard.type("UpdateM");
      await page.getByRole("option", { name: "operation:UpdateMonitor" }).waitFor();
      await expectAccessible(page);
      await page.keyboard.press("ArrowDown");
      expect(await page.locator("#q").getAttribute("aria-activedescendant")).toBe("completion-0");
      await page.keyboard.press("Tab");
      await page.keyboard.type(`acc`);
      await page.getByRole("option", { name: /^access:/ }).click();
      await page.keyboard.type(`wri`);
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.keyboard.type(`session:${job}`);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/search?q=*");
      expect(new URL(page.url()).searchParams.get("q")).toBe(`operation:UpdateMonitor access:write session:${job}`);
      await drawn(page);
      expect(await page.locator(".hit").count()).toBe(2);
      await page.getByRole("button", { name: "Save this search" }).click();
      await open(page, "/search");
      await page.getByRole("link", { name: "operation:UpdateMonitor" }).click();
      await page.waitForURL("**/search?q=*");
      await drawn(page);
      expect(await page.locator(".hit").count()).toBe(2);
      await page.getByRole("button", { name: /^Forget / }).click();
      await open(page, "/search");
      await page.getByRole("link", { name: "Denied today" }).waitFor();
      expect(await page.locator("[aria-label='Saved searches']").count()).toBe(0);
    },
  );

  inBrowser(
    "what is kept is there for nobody else who signs in in the same browser",
    { stage },
    async ({ page, stage }) => {
      await open(page, "/search?q=nothinglikethis");
      await page.getByRole("button", { name: "Save this search" }).click();
      await page.getByRole("link", { name: "nothinglikethis" }).waitFor();
      await page.context().clearCookies();
      const cookies = await stage.person("octocat");
      await page.context().addCookies(cookies.map((cookie) => ({ ...cookie, url: "http://gateway.test" })));
      await open(page, "/search?q=somethingelse");
      await page.getByRole("button", { name: "Save this search" }).waitFor();
      expect(await page.locator("main").innerText()).not.toContain("nothinglikethis");
    },
  );

  inBrowser(
    "older calls are read without leaving the page, none twice, with what was found marked",
    { stage, context: "shared" },
    async ({ page, stage }) => {
      const session = await recordPlenty(stage, "plentyful");
      await openSearch(page, "plentyful", 50);
      expect(await page.getByRole("status").first().innerText()).toBe("50 calls, newest first; there may be more.");
      await readOn(page);
      expect(await page.getByRole("status").first().innerText()).toBe("120 calls.");
      const links = await page
        .locator(".hit .title a")
        .evaluateAll((all) => all.map((one) => (one as unknown as { pathname: string }).pathname));
      expect(links).toEqual(Array.from({ length: plenty }, (_, n) => `/sessions/${session}/calls/${plenty - n}`));
      expect(new Set(await page.locator(".hit mark").allInnerTexts())).toEqual(new Set(["plentyful"]));
      expect(await page.locator(".hit mark").count()).toBe(plenty);
      await expectAccessible(page);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: "JSON Lines" }).click(),
      ]);
      const lines = readFileSync((await download.path()) ?? "", "utf8")
        .trim()
        .split("\n");
      expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
        Array.from({ length: plenty }, (_, n) => plenty - n),
      );
    },
  );

  inBrowser(
    "where a search is wrong is pointed at under the box, which keeps it, and says so to whoever listens",
    { stage, viewing: { phone: true } },
    async ({ page }) => {
      await open(page, "/search?q=checkout%20statsu%3A404");
      expect(await page.getByRole("alert").innerText()).toContain("Column 10: there is no field 'statsu'");
      expect(await page.locator(".wrong mark").innerText()).toBe("s");
      expect(await page.locator("#q").inputValue()).toBe("checkout statsu:404");
      expect(await page.locator("#q").getAttribute("aria-invalid")).toBe("true");
      const id = await page.locator("#q").getAttribute("aria-describedby");
      expect(await page.locator(`#${id}`).getAttribute("role")).toBe("alert");
    },
  );

  inBrowser(
    "who signed in with GitHub completes, finds and follows nothing of a repository that they may not read",
    { stage, viewing: { cookies: [] } },
    async ({ page, stage }) => {
      const { github, url, repository } = stage.scene;
      const hidden = github.repositories.add("acme/hidden");
      const [theirs, others] = [
        await openJob(github, url, { repository, actor: "mona" }),
        await openJob(github, url, { repository: hidden, actor: "mona" }),
      ];
      for (const session of [theirs, others])
        await sendCall(url, session, { method: "GET", path: "/api/v1/monitor/31337", body: undefined });
      for (const { session_id } of [theirs, others]) await stage.scene.endedCalls(session_id);
      await stage.recorded.store.indexer.catchUp();
      const cookies = await stage.person("octocat");
      await page.context().addCookies(cookies.map((cookie) => ({ ...cookie, url: "http://gateway.test" })));
      await open(page, "/search?q=monitor%2F31337");
      expect(await page.locator(".hit").count()).toBe(1);
      expect(await page.locator("main").innerText()).not.toMatch(/acme\/hidden/);
      await page.fill("#q", "repo:");
      await page.getByRole("option", { name: "repo:acme/app" }).waitFor();
      expect(await page.getByRole("option").allInnerTexts()).toEqual(["repo:acme/app"]);
      await page.fill("#q", "operation:");
      await page.getByRole("option", { name: "operation:GetMonitor" }).waitFor();
      // Sessions of other repositories did much else.
      expect((await page.getByRole("option").allInnerTexts()).join()).not.toMatch(/SubmitMetrics|DeleteMonitor/);
      await page.goto(`/search?q=session%3A${others.session_id}`);
      expect(await page.getByRole("status").first().innerText()).toMatch(/^No call is found/);
      const gone = await page.evaluate(
        `fetch("/v1/sessions/${theirs.session_id}/events").then(async (answer) => { const { status } = answer; await answer.body.cancel(); return status; })`,
      );
      expect(gone).toBe(200);
    },
  );
};
