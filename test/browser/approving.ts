/** Somebody answers in a real browser: signed in with GitHub, on the page that shows the question. */

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { expectAccessible } from "./chromium.ts";
import { inBrowser, open, type Stage } from "./stage.ts";
import { home } from "../journeys/people/scene.ts";

/** Over GitHub, as a person comes; its address is the only other place that a browser goes to. */
const signIn = (page: Page, { scene, inTurn }: Stage, to: string): Promise<void> =>
  inTurn(async () => {
    scene.github.visitors.preset("octocat");
    try {
      await page.goto(`${home}/sign-in/github?to=${encodeURIComponent(to)}`);
      await page.waitForURL(home + to);
    } finally {
      scene.github.visitors.preset(null);
    }
  });

export const approving = (stage: () => Stage): void => {
  inBrowser(
    "approves, and the request goes on",
    { stage, viewing: { cookies: [] }, expected: (one, { scene }) => one.startsWith(`elsewhere: ${scene.github.url}`) },
    async ({ page, stage }) => {
      const { approval, answer } = await stage.scene.ask({
        method: "PUT",
        body: JSON.stringify({ name: "Checkout latency p95" }),
      });
      await signIn(page, stage, `/approvals/${approval.id}`);
      expect(await page.locator("pre .add").first().innerText()).toContain("p95");
      await expectAccessible(page);
      await page.fill("textarea[name=reason]", "looks right");
      await page.getByRole("button", { name: "Approve" }).click();
      await page.locator(".state:has-text('Approved')").waitFor();
      expect((await answer).status).toBe(200);
      expect((await stage.scene.approval(approval.id)).answers).toMatchObject([
        {
          verdict: "approve",
          by: expect.stringContaining("octocat"),
          via: "page",
          accepted: true,
          reason: "looks right",
        },
      ]);
    },
  );

  inBrowser(
    "denies with a reason, from a list that has what waits first",
    { stage, viewing: { cookies: [] } },
    async ({ page, stage }) => {
      const { approval, answer } = await stage.scene.ask({ path: "/api/v1/monitor/4213" });
      const cookies = await stage.person("octocat");
      await page.context().addCookies(cookies.map((cookie) => ({ ...cookie, url: home })));
      await open(page, "/sessions");
      await page.goto("/approvals");
      expect(await page.locator("h2").first().innerText()).toBe("Waiting for an answer");
      await page.locator(`a[href="/approvals/${approval.id}"]`).click();
      await page.fill("textarea[name=reason]", "not on a Friday");
      await page.getByRole("button", { name: "Deny" }).click();
      await page.locator(".state.denied").waitFor();
      expect((await answer).status).toBe(403);
    },
  );
};
