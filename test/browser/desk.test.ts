/** The pages at which people decide, in a real browser: an edited policy is tried, a question is answered, by mouse and by keyboard. */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { auditorToken } from "../standins/world.ts";
import { home, openJob, type PeopleScene, sendCall, startPeople } from "../journeys/people/scene.ts";
import {
  drawn,
  expectAccessible,
  findChromium,
  signInWithToken,
  startChromium,
  type TestBrowser,
  type Viewing,
  type Watched,
} from "./chromium.ts";
import { attack } from "./scene.ts";

const chromium = await findChromium();
const patience = 120_000;

/** Pictures: see looks.ts. */
const wanted = process.env["DOGWATCH_PICTURES"];
const pictures = fileURLToPath(new URL("../../build/pictures/", import.meta.url));
const documents = fileURLToPath(new URL("../../docs/", import.meta.url));

test("deciding in a browser", (context) => {
  context.skip(chromium.program === null, chromium.why ?? "");
  expect(chromium.program).not.toBe("");
});

const deceit = `${attack}\u202egnp.exe\u200b\u2066\u001b[31m`;
const hidden = /[\u202a-\u202e\u2066-\u2069\u200b\u0000\u001b\u0008]/;

const edited = `policy:
  rules:
    - name: reads
      effect: allow
      when: operation.access == "read"
    - name: no-monitor-deletes
      effect: deny
      operations: DeleteMonitor
    - name: app-edits-monitors
      effect: allow
      callers: { repository: acme/app }
      operations: [UpdateMonitor]
    - name: dashboards-are-private
      effect: deny
      operations: { api: DashboardsApi }
`;
const wrong = edited
  .replace("operation.access", "operation.acess")
  .replace("operations: DeleteMonitor", "operations: DeletMonitor");
const endless = `policy: { rules: [{ name: endless, effect: deny, when: "${Array.from({ length: 9 }, (_, i) => `[0,1,2,3,4,5,6,7,8,9].all(v${i}, `).join("")}v0 >= 0${")".repeat(9)}" }] }`;

describe.skipIf(chromium.program === null)("in Chromium", () => {
  let scene: PeopleScene;
  let browser: TestBrowser;
  let watched: Watched | null = null;

  beforeAll(async () => {
    // Longer than any browser takes to come to an answer.
    scene = await startPeople({ more: "hold: 10m" });
    browser = await startChromium(chromium.program ?? "", scene.url);
    const shop = scene.github.repositories.add("acme/shop");
    const other = await openJob(scene.github, scene.url, { repository: shop, actor: "mona" });
    for (let i = 0; i < 20; i++)
      await sendCall(scene.url, other, { method: "GET", path: `/api/v1/dashboard/abc-def-${i}`, body: undefined });
    const job = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
    for (const path of [
      "/api/v1/monitor/4212",
      "/api/v1/monitor",
      "/api/v1/dashboard",
      "/api/v1/dashboard/abc-def-ghi",
    ])
      await sendCall(scene.url, job, { method: "GET", path, body: undefined });
    await scene.ask();
    await scene.ask({ method: "PUT", body: JSON.stringify({ name: "Checkout latency p90" }) });
  }, patience);
  afterAll(async () => {
    await browser.close();
    await scene.close();
  }, patience);
  beforeEach(() => {
    watched = null;
  });
  afterEach(async () => {
    // Signing in leads over GitHub: the only other place that a browser goes to.
    const complaints = (watched?.complaints ?? []).filter((one) => !one.startsWith(`elsewhere: ${scene.github.url}`));
    await watched?.page.context().close();
    if (complaints.length > 0) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
  });

  const as = async (login: string, to: string, viewing: Viewing = {}): Promise<Page> => {
    watched = await browser.open(viewing);
    const { page } = watched;
    scene.github.visitors.preset(login);
    try {
      await page.goto(`${home}/sign-in/github?to=${encodeURIComponent(to)}`);
      await page.waitForURL(home + to);
    } finally {
      scene.github.visitors.preset(null);
    }
    if (viewing.scripts !== false) await drawn(page);
    return page;
  };
  const auditor = async (to: string, viewing: Viewing = {}): Promise<Page> => {
    watched = await browser.open(viewing);
    await signInWithToken(watched.page, auditorToken, to);
    if (viewing.scripts !== false) await drawn(watched.page);
    return watched.page;
  };
  /** Nothing ran, and nothing unseen is on the page. */
  const expectHarmless = async (page: Page): Promise<void> => {
    expect(await page.evaluate("globalThis.hacked")).toBeUndefined();
    expect(await page.evaluate("document.querySelectorAll('main img, main script, main [onerror]').length")).toBe(0);
    expect(await page.evaluate("document.querySelector('main').innerText")).not.toMatch(hidden);
  };
  /** What makes the page wider than its window; what scrolls by itself does not. */
  const tooWide = (page: Page): Promise<unknown> =>
    page.evaluate(`document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
      [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth)
        .map(({ outerHTML }) => outerHTML.slice(0, 120))`);
  const shoot = async (page: Page, name: string): Promise<void> => {
    if (wanted === undefined) return;
    mkdirSync(pictures, { recursive: true });
    // Tall enough for the end of it.
    await page.setViewportSize({ width: 1360, height: 1120 });
    const picture = await page.screenshot({ path: `${pictures}${name}.png` });
    if (wanted === "docs" && name !== "approvals") writeFileSync(`${documents}${name}.png`, picture);
  };

  describe("an edited policy", () => {
    test(
      "its problems are at their lines, and what it would have decided otherwise leads to the calls",
      async () => {
        const page = await auditor("/policy");
        const area = page.getByLabel("Policy (the block");
        expect(await area.inputValue()).toContain("- name: writes-need-a-human\n      effect: approve\n");
        await area.fill(wrong);
        await page.getByRole("button", { name: "Try it" }).click();
        const problem = page.getByRole("button", { name: "Line 5, column 23" });
        await problem.waitFor();
        expect(await page.locator("#trial-problems").innerText()).toContain("did you mean access?");
        await expectAccessible(page);
        await problem.click();
        expect(
          await page.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart)"),
        ).toMatch(/^acess == "read"/);
        expect((await page.locator(".editor .wrong").allInnerTexts()).map((text) => text.trim())).toEqual([
          "● 5",
          "● 8",
        ]);
        await area.fill(edited);
        await area.press("Control+Enter");
        const changes = page.getByRole("region", { name: "What changes" });
        await changes.waitFor();
        const row = changes.locator("tr", { hasText: "v1.DashboardsApi.ListDashboards" });
        expect(await row.innerText()).toMatch(/allow by reads\s+deny by dashboards-are-private/);
        expect(await page.getByRole("region", { name: "How often each rule decides" }).innerText()).toMatch(
          /dashboards-are-private\s+0\s+22/,
        );
        await expectAccessible(page);
        await page.evaluate("document.querySelector('#try').scrollIntoView()");
        await shoot(page, "backtest");
        await row.getByRole("link", { name: "call 3" }).click();
        await page.waitForURL(/\/sessions\/[0-9a-f-]{36}\/calls\/3$/);
      },
      patience,
    );

    test(
      "is stopped by whoever asked, and the next one runs",
      async () => {
        const page = await auditor("/policy");
        await page.getByLabel("Policy (the block").fill(endless);
        await page.getByRole("button", { name: "Try it" }).click();
        await page.getByRole("button", { name: "Stop" }).click();
        await page.getByText("It was not tried: it was stopped.").waitFor();
        await page.getByRole("button", { name: "Back to the text as it was" }).click();
        // The gateway hears of it a moment later.
        for (;;) {
          await page.getByRole("button", { name: "Try it" }).click();
          await page.locator("[role=status]:has-text('decided again'), .notice:has-text('still running')").waitFor();
          if ((await page.getByText("still running").count()) === 0) break;
          (watched as Watched).complaints.length = 0;
        }
      },
      patience,
    );

    test(
      "is tried without scripts, and what it says is text",
      async () => {
        const page = await auditor("/policy", { scripts: false });
        await page.fill(
          "textarea[name=text]",
          `policy:\n  rules:\n    - name: ${JSON.stringify(deceit)}\n      effect: allow\n`,
        );
        await page.getByRole("button", { name: "Try it" }).click();
        await page.getByText("This text cannot be used").waitFor();
        expect(await page.locator("#try-result").innerText()).toContain("Line 3, column 13: policy.rules.0.name");
        await expectHarmless(page);
        await page.fill("textarea[name=text]", edited);
        await page.selectOption("select[name=days]", "14");
        await page.getByRole("button", { name: "Try it" }).click();
        await page.getByRole("region", { name: "What changes" }).waitFor();
        expect(await page.inputValue("textarea[name=text]")).toBe(edited);
        expect(await page.inputValue("select[name=days]")).toBe("14");
      },
      patience,
    );

    test(
      "says what is wrong as text, and fits a phone in the dark",
      async () => {
        const page = await auditor("/policy", { phone: true, dark: true });
        const area = page.getByLabel("Policy (the block");
        await area.fill(
          `policy:\n  rules:\n    - name: ${JSON.stringify(deceit)}\n      effect: ${JSON.stringify(deceit)}\n`,
        );
        await page.getByRole("button", { name: "Try it" }).click();
        await page.locator("#trial-problems").waitFor();
        await expectHarmless(page);
        expect(await tooWide(page)).toEqual([]);
        await area.fill(edited);
        await page.getByRole("button", { name: "Try it" }).click();
        await page.getByRole("region", { name: "What changes" }).waitFor();
        await expectAccessible(page);
        expect(await tooWide(page)).toEqual([]);
      },
      patience,
    );
  });

  describe("a question", () => {
    test(
      "is approved, and the request goes on",
      async () => {
        const { approval, answer } = await scene.ask({
          method: "PUT",
          body: JSON.stringify({ name: "Checkout latency p95" }),
        });
        const page = await as("octocat", `/approvals/${approval.id}`);
        expect(await page.locator("pre .add").first().innerText()).toContain("p95");
        await expectAccessible(page);
        await shoot(page, "approval");
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
      },
      patience,
    );

    test(
      "is denied with a reason, by keyboard alone, from the list of those that wait",
      async () => {
        const { approval, answer } = await scene.ask();
        const page = await as("octocat", "/approvals?state=pending");
        expect(await page.locator("h2").first().innerText()).toBe("Waiting for an answer");
        await page.keyboard.press("j");
        expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe(`/approvals/${approval.id}`);
        await page.keyboard.press("Enter");
        await page.waitForURL(`**/approvals/${approval.id}`);
        await drawn(page);
        // A key leads to a button, and does not press it.
        await page.keyboard.press("d");
        expect(await page.evaluate("document.activeElement.value")).toBe("deny");
        await page.keyboard.press("a");
        expect(await page.evaluate("document.activeElement.value")).toBe("approve");
        await page.keyboard.press("r");
        await page.keyboard.type("drain the queue first");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.locator(".state.denied").waitFor();
        expect((await answer).status).toBe(403);
        expect(await scene.approval(approval.id)).toMatchObject({
          state: "denied",
          reason: "denied by github:octocat: drain the queue first",
        });
      },
      patience,
    );

    test(
      "appears in an open list, runs down, and shows on its own page what became of it elsewhere",
      async () => {
        const list = await as("octocat", "/approvals");
        const { approval } = await scene.ask();
        const item = list.locator(`a[href="/approvals/${approval.id}"]`);
        await item.waitFor();
        const left = await item.locator("time").first().innerText();
        expect(left).toMatch(/^\d+ m \d+ s$/);
        await item.locator("time").first().filter({ hasNotText: left }).waitFor();
        await expectAccessible(list);
        await shoot(list, "approvals");
        await item.click();
        await drawn(list);
        const clock = list.locator("time[data-until]");
        const before = await clock.innerText();
        await clock.filter({ hasNotText: before }).waitFor();
        const other = await scene.as("hubot");
        await other.submit(await other.open(`${home}/approvals/${approval.id}`), /Deny/, {
          verdict: "deny",
          reason: "elsewhere",
        });
        await list.locator(".state.denied:has-text('elsewhere')").waitFor();
        await list.goBack();
        await drawn(list);
        await list.locator(`a[href="/approvals/${approval.id}"]:has-text("denied")`).waitFor();
      },
      patience,
    );

    test(
      "takes no answer of whoever lost the right meanwhile, and says why",
      async () => {
        const { approval } = await scene.ask();
        const page = await as("octocat", `/approvals/${approval.id}`);
        scene.github.repositories.permit(scene.repository, "octocat", "read");
        try {
          await page.getByRole("button", { name: "Approve" }).click();
          await page.getByText("This answer does not count").waitFor();
          expect(await page.getByRole("alert").innerText()).toContain("asks for the permission `write` or more");
          // Chromium notes every answer that is no success.
          (watched as Watched).complaints.length = 0;
          await page.getByRole("link", { name: "Back to the question" }).click();
          await page.getByText("it does not count").waitFor();
        } finally {
          scene.github.repositories.permit(scene.repository, "octocat", "write");
        }
        expect(await scene.approval(approval.id)).toMatchObject({ state: "pending" });
      },
      patience,
    );

    test(
      "is found and answered without scripts",
      async () => {
        const { approval, answer } = await scene.ask();
        const page = await as("octocat", "/approvals", { scripts: false });
        await page.getByRole("link", { name: "waiting", exact: true }).click();
        await page.locator(`a[href="/approvals/${approval.id}"]`).click();
        await page.getByRole("button", { name: "Deny" }).click();
        await page.locator(".state.denied").waitFor();
        expect((await answer).status).toBe(403);
      },
      patience,
    );

    test(
      "with hostile names, paths and reasons is text, on a phone and in the dark too",
      async () => {
        const { approval } = await scene.ask({
          method: "PUT",
          body: JSON.stringify({ name: deceit, [deceit]: deceit }),
        });
        const page = await as("octocat", `/approvals/${approval.id}`, { phone: true, dark: true });
        await expectHarmless(page);
        expect(await tooWide(page)).toEqual([]);
        await expectAccessible(page);
        await page.fill("textarea[name=reason]", deceit.replaceAll("\u001b", ""));
        await page.getByRole("button", { name: "Deny" }).click();
        await page.locator(".state.denied").waitFor();
        await expectHarmless(page);
        expect(await page.locator("main").innerText()).toContain(String.raw`\u{202e}gnp.exe`);
        await page.goto("/approvals?state=denied");
        await drawn(page);
        await page.locator(`a[href="/approvals/${approval.id}"]`).waitFor();
        await expectHarmless(page);
        expect(await tooWide(page)).toEqual([]);
        await expectAccessible(page);
      },
      patience,
    );
  });
});
