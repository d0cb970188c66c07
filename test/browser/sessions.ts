/** Sessions and calls in a browser: ten thousand calls, played back, from the keyboard, without scripts. */

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { auditorToken } from "../standins/world.ts";
import { expectAccessible, signInWithToken } from "./chromium.ts";
import { inBrowser, open, type Stage } from "./stage.ts";

const selected = async (page: Page): Promise<string> => page.locator("[role=row][aria-selected=true] .n").innerText();

export const sessionPages = (stage: () => Stage): void => {
  inBrowser(
    "a session of ten thousand calls is there whole, and its denials are one key away",
    { stage },
    async ({ page, stage: { long } }) => {
      await open(page, `/sessions/${long}`);
      await page.waitForSelector("[role=grid][aria-rowcount^='1000']");
      // What is not seen is not drawn.
      expect(await page.locator("[role=row]").count()).toBeLessThan(80);
      await page.keyboard.press("n");
      await page.waitForSelector(".inspector .call");
      expect(await selected(page)).toBe("61");
      await page.keyboard.press("n");
      expect(await selected(page)).toBe("122");
      await page.waitForURL("**#call-122");
      await page.locator("[role=grid]").press("End");
      await page.waitForSelector("[aria-rowindex^='1000'][aria-selected=true]");
      await page.reload();
      await page.waitForSelector("[aria-rowindex^='1000'][aria-selected=true]");
      await page.locator(".map").click({ position: { x: 70, y: 60 } });
      expect(await page.locator("[role=row][aria-selected=true]").innerText()).toContain("denied");
    },
  );

  inBrowser(
    "a session is played back at its own pace: paused, stepped through, hurried",
    { stage, context: "shared" },
    async ({ page, stage: { job } }) => {
      await open(page, `/sessions/${job}`);
      await page.getByLabel("Speed").selectOption("0.25");
      await page.getByRole("button", { name: "Play" }).click();
      await page.waitForSelector("[role=row].future");
      await page.getByLabel("Speed").selectOption("50");
      // Long waits are cut short, so it ends; and where it ends it stops.
      await page.waitForSelector("[aria-rowindex='19'][aria-selected=true]");
      await page.getByRole("button", { name: "Play" }).waitFor();
      await page.getByLabel("Speed").selectOption("0.25");
      await page.locator("[role=grid]").press("Home");
      await page.locator("[role=row][aria-selected=true] .n", { hasText: /^1$/ }).waitFor();
      await page.keyboard.press(" ");
      await page.getByRole("button", { name: "Pause" }).waitFor();
      await page.keyboard.press(" ");
      await page.getByRole("button", { name: "Play" }).waitFor();
      // Where a slow machine had come to by then.
      const paused = Number(await selected(page));
      expect(paused).toBeLessThan(11);
      await page.keyboard.press(".");
      await page.keyboard.press(".");
      await page.keyboard.press(",");
      expect(await selected(page)).toBe(String(paused + 1));
      await page.getByRole("button", { name: "Next denial" }).click();
      expect(await selected(page)).toBe("12");
      await page.locator("[role=grid]").press("Enter");
      await page.waitForURL(`**/sessions/${job}/calls/12`);
    },
  );

  inBrowser(
    "a call shows what an update changed, goes to a shell, and has an address for every value",
    { stage, context: "shared" },
    async ({ page, stage: { job } }) => {
      await open(page, `/sessions/${job}/calls/9`);
      const diff = page.getByRole("region", { name: "What changed" });
      await diff.waitFor();
      expect(await diff.locator(".del").allInnerTexts()).toContain('-       "critical": 2');
      // As it is written, not as a parser would write it.
      expect(await diff.locator(".add").allInnerTexts()).toContain('+       "critical": 2.5');
      // It says so for two seconds only.
      const said = page.getByText("Copied").waitFor();
      await page.getByRole("button", { name: "Copy as curl" }).click();
      await said;
      const copied = String(await page.evaluate("navigator.clipboard.readText()"));
      expect(copied).toMatch(/^curl -X 'PUT' 'https:\/\/api\.datadoghq\.com\/api\/v1\/monitor\/4212' /);
      expect(copied).toContain('-H "DD-API-KEY: $DD_API_KEY"');
      expect(copied).not.toContain("[masked]");
      await open(page, `/sessions/${job}/calls/9#response$.options.thresholds.critical`);
      await page.waitForSelector(".tree li.here:has-text('2.5')");
      expect(await page.locator(".tree mark.mask").first().getAttribute("title")).toContain("email");
      await page.locator(".verdict .when").first().waitFor();
      expect(await page.locator(".verdict").first().innerText()).toContain('operation.access in ["write", "submit"]');
      await page.keyboard.press("]");
      await page.waitForURL("**/calls/10");
    },
  );

  inBrowser(
    "the keys are explained, and lead everywhere; signed in with a token",
    { stage, viewing: { cookies: [] } },
    async ({ page }) => {
      await signInWithToken(page, auditorToken);
      await open(page, "/sessions?show=denied");
      const titles = await page.locator(".session .title").allInnerTexts();
      expect(titles.length).toBeGreaterThanOrEqual(2);
      expect(titles.every((title) => title.includes("denied"))).toBe(true);
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await page.waitForURL("**/overview");
      await page.waitForSelector(".chart");
      await page.keyboard.press("/");
      await page.waitForURL("**/search");
    },
  );

  inBrowser(
    "pages are complete without scripts",
    { stage, viewing: { scripts: false } },
    async ({ page, stage: { job, long } }) => {
      await page.goto(`/sessions/${long}`);
      expect(await page.locator("tbody tr").count()).toBe(200);
      await page.getByRole("link", { name: "More" }).click();
      expect(await page.locator("tbody tr td").first().innerText()).toBe("201");
      await page.goto(`/sessions/${job}/calls/12`);
      expect(await page.locator("main").innerText()).toContain("no-monitor-deletes");
      await page.goto("/overview");
      expect(await page.locator("main").innerText()).toContain("Without scripts");
      await page.goto("/sessions");
      await page.fill("#q", `session:${job} latency`);
      await page.keyboard.press("Enter");
      await page.waitForURL("**/search?q=*");
      expect(await page.locator(".hit mark").first().innerText()).toBe("latency");
      await page.getByRole("link", { name: "write", exact: true }).click();
      expect(await page.locator("#q").inputValue()).toBe(`session:${job} latency access:write`);
      await page.fill("#q", "statsu:404");
      await page.getByRole("button", { name: "Search" }).click();
      expect(await page.getByRole("alert").innerText()).toContain("Column 1: there is no field 'statsu'");
    },
  );
};
