/** Replaying and undoing in a browser: started, watched and read side by side; planned, confirmed, waited for and done. */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect } from "vitest";
import type { Repository } from "../../server/demo/github/state.ts";
import { addShop, put, shopJob } from "../journeys/people/errandScene.ts";
import { adminToken, home } from "../journeys/people/scene.ts";
import { aDashboard, aMonitor } from "../journeys/undo/scene.ts";
import { expectAccessible, signInWithToken } from "./chromium.ts";
import { attack } from "./scene.ts";
import { inBrowser, open, patience, type Stage } from "./stage.ts";

/** Pictures: see looks.ts. */
const wanted = process.env["DOGWATCH_PICTURES"];
const pictures = fileURLToPath(new URL("../../build/pictures/", import.meta.url));
const documents = fileURLToPath(new URL("../../docs/", import.meta.url));

const deceit = `${attack}\u202egnp.exe\u200b\u2066\u001b[31m`;
const hidden = /[\u202a-\u202e\u2066-\u2069\u200b\u0000\u001b\u0008]/;

export const errandPages = (stage: () => Stage): void => {
  describe.concurrent("replaying and undoing", () => {
    /** Sessions of acme/shop. */
    let [job, hostile] = ["", ""];
    let shop: Repository;

    beforeAll(async () => {
      const { scene, errands } = stage();
      // Nobody whom another test shows what they see.
      scene.github.accounts.add("gardener");
      shop = addShop(scene, ["gardener", "hubot"]);
      const latency = await put(errands.datadog, "/api/v1/monitor", {
        ...aMonitor,
        options: { thresholds: { critical: 2, warning: 1.5 } },
      });
      // What was there before, and is otherwise in the sandbox.
      await put(errands.lab, "/api/v1/monitor", {
        ...aMonitor,
        priority: 3,
        query: aMonitor.query.replace("2", "2.5"),
        options: { thresholds: { critical: 2.5, warning: 1.5 } },
      });
      job = await shopJob(scene, shop, [
        ["GET", "/api/v1/monitor"],
        ["GET", `/api/v1/monitor/${latency.id}`],
        ["PUT", `/api/v1/monitor/${latency.id}`, { priority: 5, tags: ["team:checkout", "quiet"] }],
        ["POST", "/api/v1/dashboard", { ...aDashboard, title: "Checkout, while it is slow" }],
        [
          "POST",
          "/api/v2/series",
          { series: [{ metric: "shop.jobs", points: [{ timestamp: 1_764_000_000, value: 1 }] }] },
        ],
      ]);
      const evil = await put(errands.datadog, "/api/v1/dashboard", {
        ...aDashboard,
        title: deceit,
        description: deceit,
      });
      hostile = await shopJob(scene, shop, [
        ["GET", "/api/v1/dashboard"],
        ["GET", `/api/v1/dashboard/${evil.id}`],
        ["PUT", `/api/v1/dashboard/${evil.id}`, { ...aDashboard, title: "Renamed" }],
        ["POST", "/api/v1/dashboard", { ...aDashboard, title: deceit, description: deceit }],
      ]);
    }, patience);

    /** Of whoever may start something: they sign in when the test begins, and not before. */
    const asGardener = async (page: Page): Promise<void> => {
      const cookies = await stage().person("gardener");
      await page.context().clearCookies();
      await page.context().addCookies(cookies.map(({ name, value }) => ({ name, value, url: home })));
    };

    const start = async (page: Page, session: string): Promise<void> => {
      await page.goto(`/sessions/${session}/replays`);
      await page.getByLabel("Sandbox").selectOption("lab");
      await page.getByRole("button", { name: "Replay this session" }).click();
      await page.waitForURL("**/replays/*");
      await page.locator(".state:has-text('It is over')").waitFor();
      await page.locator(".replayed").waitFor();
    };

    inBrowser("a replay is started, watched and read side by side", { stage }, async ({ page }) => {
      await asGardener(page);
      await open(page, `/sessions/${job}`);
      await page.getByRole("link", { name: "Replay…" }).click();
      await start(page, job);
      expect(await page.locator(".state").innerText()).toContain("1 answer differs. 2 calls were not sent.");
      const line = page.locator("#call-1");
      expect(await line.locator("summary").innerText()).toMatch(/≠\s*different.*\d differences/s);
      // By keyboard: to the first line, and open it.
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      const table = line.getByRole("region", { name: "What differs in call 1" });
      expect(await table.innerText()).toMatch(/body\[0\]\.options\.thresholds\.critical\s+2\s+2\.5/);
      const differing = await table.locator("tbody tr").count();
      const sides = line.locator(".sides section");
      for (const [side, critical] of [
        [sides.nth(0), "2"],
        [sides.nth(1), "2.5"],
      ] as const) {
        await side
          .locator(".tree .differs")
          .nth(differing - 1)
          .waitFor();
        const marked = await side.locator(".tree .differs").allInnerTexts();
        expect(marked.map((text) => text.replaceAll(/\s+/g, " ")).join("\n")).toContain(`"critical": ${critical}`);
        expect(marked).toHaveLength(differing);
      }
      await expectAccessible(page);
      await shoot(page, "replay");
      expect(await sides.nth(0).getByRole("link", { name: "call 1" }).getAttribute("href")).toBe(
        `/sessions/${job}/calls/1`,
      );
      await page.getByRole("link", { name: /different 1/ }).click();
      await page.locator("#call-1").waitFor();
      expect(await page.locator(".replayed > li").count()).toBe(1);
      await page.getByRole("button", { name: "Delete what it created" }).click();
      await page.locator(".facts:has-text('Cleaned up: 1 deleted')").waitFor();
    });

    inBrowser(
      "a session is undone: confirmed, waited for, and gone on with by itself",
      { stage },
      async ({ page, stage }) => {
        await asGardener(page);
        await open(page, `/sessions/${job}`);
        await page.getByRole("link", { name: "Undo…" }).click();
        await page.locator(".state:has-text('Nothing has been sent')").waitFor();
        await page.locator("main[data-drawn]").waitFor();
        const steps = page.locator(".steps > li");
        await steps.nth(1).locator("summary").waitFor();
        expect(await page.locator(".steps").innerText()).toContain("Cannot be undone");
        const button = page.getByRole("button", { name: "Do it" });
        await button.click();
        // Nothing was confirmed, and nothing was sent.
        expect(
          await page.evaluate("document.querySelector('form.undo input[type=checkbox]').validity.valueMissing"),
        ).toBe(true);
        await page.getByLabel("I have read the plan").check();
        await button.click();
        await page.getByText("It goes on by itself").waitFor();
        const asked = page.getByRole("link", { name: "The question to people" });
        expect(await asked.count()).toBe(2);
        await steps.filter({ hasText: "PUT" }).locator("summary").click();
        await expectAccessible(page);
        await shoot(page, "undo");
        const hubot = await stage.scene.as("hubot");
        for (const link of await asked.all()) {
          const question = await hubot.open(home + (await link.getAttribute("href")));
          await hubot.submit(question, /Deny/, { verdict: "approve", reason: "" });
        }
        await page.locator(".state:has-text('2 of 2 steps done')").waitFor();
        const monitors = (await (
          await fetch(`${stage.errands.datadog.url}/api/v1/monitor`, {
            headers: { "dd-api-key": "k", "dd-application-key": "a" },
          })
        ).json()) as object[];
        expect(monitors).toMatchObject([{ priority: aMonitor.priority, tags: aMonitor.tags }]);
      },
    );

    inBrowser(
      "hostile recordings are text on a phone in the dark, in differences and in plans",
      { stage, viewing: { phone: true, dark: true } },
      async ({ page }) => {
        await asGardener(page);
        await start(page, hostile);
        await page.locator("#call-1 summary").click();
        await page.locator("#call-1 .tree .differs").first().waitFor();
        await expectHarmless(page);
        await expectAccessible(page, "structure");
        await shoot(page, "replay", "phone");
        await open(page, `/sessions/${hostile}/undo`);
        for (const summary of await page.locator(".steps summary").all()) await summary.click();
        await page.locator(".steps .tree").first().waitFor();
        await expectHarmless(page);
        await expectAccessible(page, "contrast");
        await shoot(page, "undo", "phone");
      },
    );

    inBrowser(
      "a replay at the recorded pace is seen to come on, and is stopped",
      { stage },
      async ({ page, stage }) => {
        await page.context().clearCookies();
        await signInWithToken(page, adminToken, `/sessions/${stage.job}/replays`);
        await expectAccessible(page);
        await page.getByLabel("Pace").selectOption("recorded");
        await page.getByRole("button", { name: "Replay this session" }).click();
        await page.waitForURL("**/replays/*");
        // The recorded session took two minutes; its first calls came within seconds.
        const turns = async (): Promise<number> =>
          Number(/(\d+) of 18 calls so far/.exec(await page.locator(".state").innerText())?.[1] ?? Number.NaN);
        const before = await turns();
        expect(before).toBeLessThan(18);
        await page
          .locator(".state", { hasText: "so far" })
          .filter({ hasNotText: `${before} of 18` })
          .waitFor();
        expect(await turns()).toBeGreaterThan(before);
        await page.getByRole("button", { name: "Stop it" }).click();
        await page.locator(".state:has-text('It was stopped: by boss (admin).')").waitFor();
        expect(await page.locator(".state").innerText()).toMatch(/\d+ calls? had no turn/);
        await page.goto(`/sessions/${stage.job}/replays`);
        expect(await page.getByRole("region", { name: "Replays so far" }).innerText()).toContain(
          "with the recorded pauses",
        );
      },
    );

    inBrowser("whoever only looks has the plan and no button", { stage, context: "shared" }, async ({ page }) => {
      await open(page, `/sessions/${hostile}/undo`);
      await page.getByText("You cannot do this").waitFor();
      await page.goto(`/sessions/${hostile}/replays`);
      await page.getByText("You cannot start one").waitFor();
      expect(await page.locator("main button").count()).toBe(0);
    });
  });
};

/** Nothing ran, nothing unseen is on the page, and it is no wider than its window. */
async function expectHarmless(page: Page): Promise<void> {
  expect(await page.evaluate("globalThis.hacked")).toBeUndefined();
  expect(
    await page.evaluate("document.querySelectorAll('main img, main script, main svg, main [onerror]').length"),
  ).toBe(0);
  const text = await page.locator("main").innerText();
  expect(text).not.toMatch(hidden);
  expect(text).toContain(String.raw`\u{202e}gnp.exe`);
  expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
}

/** Pictures check nothing, and cost more than what does. Those of phones are for looking at alone. */
async function shoot(page: Page, name: string, kind: "document" | "phone" = "document"): Promise<void> {
  if (wanted === undefined) return;
  mkdirSync(pictures, { recursive: true });
  if (kind === "document") await page.setViewportSize({ width: 1360, height: 1000 });
  const picture = await page.screenshot({ path: `${pictures}${name}-${kind}.png`, fullPage: kind === "phone" });
  if (wanted === "docs" && kind === "document") writeFileSync(`${documents}${name}.png`, picture);
}
