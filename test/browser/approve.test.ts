/** Somebody answers in a real browser: signed in with GitHub, on the page that shows the question. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { home, type PeopleScene, startPeople } from "../journeys/people/scene.ts";
import { expectAccessible, findChromium, startChromium, type TestBrowser, type Watched } from "./chromium.ts";

const chromium = await findChromium();
const patience = 120_000;

test("answering in a browser", (context) => {
  context.skip(chromium.program === null, chromium.why ?? "");
  expect(chromium.program).not.toBe("");
});

describe.skipIf(chromium.program === null)("in Chromium", () => {
  let scene: PeopleScene;
  let browser: TestBrowser;

  beforeAll(async () => {
    scene = await startPeople();
    browser = await startChromium(chromium.program ?? "", scene.url);
  }, patience);
  afterAll(async () => {
    await browser.close();
    await scene.close();
  }, patience);

  const as = async (login: string, to: string): Promise<Watched> => {
    const watched = await browser.open();
    scene.github.visitors.preset(login);
    try {
      await watched.page.goto(`${home}/sign-in/github?to=${encodeURIComponent(to)}`);
      await watched.page.waitForURL(home + to);
    } finally {
      scene.github.visitors.preset(null);
    }
    return watched;
  };
  /** Signing in leads over GitHub: the only other place that a browser goes to. */
  const complaintsOf = ({ complaints }: Watched): readonly string[] =>
    complaints.filter((one) => !one.startsWith(`elsewhere: ${scene.github.url}`));

  test(
    "approves, and the request goes on",
    async () => {
      const { approval, answer } = await scene.ask({
        method: "PUT",
        body: JSON.stringify({ name: "Checkout latency p95" }),
      });
      const watched = await as("octocat", `/approvals/${approval.id}`);
      const { page } = watched;
      expect(await page.locator("pre .add").first().innerText()).toContain("p95");
      await expectAccessible(page);
      await page.fill("textarea[name=reason]", "looks right");
      await page.getByRole("button", { name: "Approve" }).click();
      await page.locator(".state:has-text('Approved')").waitFor();
      expect((await answer).status).toBe(200);
      expect((await scene.approval(approval.id)).answers).toMatchObject([
        {
          verdict: "approve",
          by: expect.stringContaining("octocat"),
          via: "page",
          accepted: true,
          reason: "looks right",
        },
      ]);
      expect(complaintsOf(watched)).toEqual([]);
      await page.context().close();
    },
    patience,
  );

  test(
    "denies with a reason, from a list that has what waits first",
    async () => {
      const { approval, answer } = await scene.ask();
      const watched = await as("octocat", "/approvals");
      const { page } = watched;
      expect(await page.locator("h2").first().innerText()).toBe("Waiting for an answer");
      await page.locator(`a[href="/approvals/${approval.id}"]`).click();
      await page.fill("textarea[name=reason]", "not on a Friday");
      await page.getByRole("button", { name: "Deny" }).click();
      await page.locator(".state.denied").waitFor();
      expect((await answer).status).toBe(403);
      expect(complaintsOf(watched)).toEqual([]);
      await page.context().close();
    },
    patience,
  );
});
