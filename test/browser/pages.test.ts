/** The pages in a real browser: ten thousand calls, live, played back, from the keyboard, in light and dark and on a phone. */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../standins/database.ts";
import { send } from "../standins/send.ts";
import { auditorToken, startWorld, type World } from "../standins/world.ts";
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
import { closing, opening } from "../store/specimens.ts";
import { openRecorder, openRecording, recordJob, type Recorded, recordMany } from "./scene.ts";

const chromium = await findChromium();
const many = 10_000;
const patience = 120_000;

/** Where pictures go: for looking at, and those of the documents (`npm run pictures`) into theirs. */
const forDocuments = process.env["DOGWATCH_PICTURES"] === "docs";
const pictures = fileURLToPath(new URL("../../build/pictures/", import.meta.url));
const documents = fileURLToPath(new URL("../../docs/", import.meta.url));

test("the pages in a browser", (context) => {
  context.skip(chromium.program === null, chromium.why ?? "");
  expect(chromium.program).not.toBe("");
});

describe.skipIf(chromium.program === null)("in Chromium", () => {
  let world: World;
  let database: FreshDatabase;
  let recorded: Recorded;
  let browser: TestBrowser;
  /** Sessions: a very long one, and one job's. */
  let long: string;
  let job: string;
  let watched: Watched | null = null;

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    database = await freshDatabase();
    world = await startWorld(() => ({ status: 200, body: "{}" }), {
      database,
      rules: `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: everything-else, effect: allow, when: 'operation.access in ["write", "submit"]' }
    - { name: no-monitor-deletes, effect: deny, when: 'operation.name == "DeleteMonitor"' }`,
    });
    recorded = await openRecorder(database);
    long = await openRecording(recorded.store, {
      repository: "acme/warehouse",
      workflow: "Nightly clean-up",
      actor: "hubot",
    });
    await recordMany(recorded.store, long, { count: many, minutes: 12 });
    await recorded.store.sessions.close(long, "closed");
    job = await openRecording(recorded.store);
    await recordJob(recorded.store, job, await policyInForce(world));
    // As if it had been open while its calls came.
    await database.query("UPDATE sessions SET opened_at = opened_at - interval '155 seconds' WHERE id = $1", [job]);
    await recorded.store.sessions.close(job, "closed");
    browser = await startChromium(chromium.program ?? "", world.url);
  }, patience);
  afterAll(async () => {
    await browser.close();
    await recorded.close();
    await world.close();
  }, patience);
  beforeEach(() => {
    watched = null;
  });
  afterEach(async () => {
    const { complaints, page } = watched ?? { complaints: [], page: null };
    await page?.context().close();
    if (complaints.length > 0) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
  });

  const auditor = async (viewing: Viewing = {}): Promise<Page> => {
    watched = await browser.open(viewing);
    await signInWithToken(watched.page, auditorToken);
    return watched.page;
  };
  const open = async (page: Page, path: string): Promise<void> => {
    await page.goto(path);
    await drawn(page);
  };
  const selected = async (page: Page): Promise<string> => page.locator("[role=row][aria-selected=true] .n").innerText();

  test(
    "a session of ten thousand calls is there whole, and its denials are one key away",
    async () => {
      const page = await auditor();
      await open(page, `/sessions/${long}`);
      await page.waitForSelector("[role=grid][aria-rowcount='10001']");
      // What is not seen is not drawn.
      expect(await page.locator("[role=row]").count()).toBeLessThan(80);
      await page.keyboard.press("n");
      await page.waitForSelector(".inspector .call");
      expect(await selected(page)).toBe("61");
      await page.keyboard.press("n");
      expect(await selected(page)).toBe("122");
      await page.waitForURL("**#call-122");
      await page.locator("[role=grid]").press("End");
      await page.waitForSelector("[aria-rowindex='10001'][aria-selected=true]");
      await page.reload();
      await drawn(page);
      await page.waitForSelector("[aria-rowindex='10001'][aria-selected=true]");
      await page.locator(".map").click({ position: { x: 70, y: 60 } });
      expect(await page.locator("[role=row][aria-selected=true]").innerText()).toContain("denied");
    },
    patience,
  );

  test(
    "a running session grows before one's eyes, and stays at its end while it is followed",
    async () => {
      const { store } = recorded;
      const running = await openRecording(store, { workflow: "Runs" });
      await recordMany(store, running, { count: 120, minutes: 1 });
      const page = await auditor();
      await open(page, `/sessions/${running}`);
      await page.waitForSelector("[aria-rowindex='121']");
      const call = await store.sink.open(opening(running, { received_at: new Date(), decided_at: new Date() }));
      await page.waitForSelector("[aria-rowindex='122'] .going");
      await store.sink.close(call, closing({ done_at: new Date() }));
      await page.waitForSelector("[aria-rowindex='122']:not(:has(.going))");
      await recordMany(store, running, { count: 40, minutes: 0.01 });
      await page.waitForSelector("[aria-rowindex='162']");
      await store.sessions.close(running, "closed");
      await page.waitForSelector(".call-title .badge:has-text('closed')");
    },
    patience,
  );

  test(
    "a session is played back at its own pace: paused, stepped through, hurried",
    async () => {
      const page = await auditor();
      await open(page, `/sessions/${job}`);
      await page.getByLabel("Speed").selectOption("50");
      await page.getByRole("button", { name: "Play" }).click();
      await page.waitForSelector("[role=row].future");
      // Long waits are cut short, so it ends; and where it ends it stops.
      await page.waitForSelector("[aria-rowindex='19'][aria-selected=true]");
      await page.getByRole("button", { name: "Play" }).waitFor();
      await page.getByLabel("Speed").selectOption("0.25");
      await page.locator("[role=grid]").press("Home");
      await page.keyboard.press(" ");
      await page.getByRole("button", { name: "Pause" }).waitFor();
      await page.keyboard.press(" ");
      await page.getByRole("button", { name: "Play" }).waitFor();
      expect(await selected(page)).toBe("1");
      await page.keyboard.press(".");
      await page.keyboard.press(".");
      await page.keyboard.press(",");
      expect(await selected(page)).toBe("2");
      await page.getByRole("button", { name: "Next denial" }).click();
      expect(await selected(page)).toBe("12");
      await page.locator("[role=grid]").press("Enter");
      await page.waitForURL(`**/sessions/${job}/calls/12`);
    },
    patience,
  );

  test(
    "a call shows what an update changed, goes to a shell, and has an address for every value",
    async () => {
      const page = await auditor();
      await open(page, `/sessions/${job}/calls/9`);
      const diff = page.getByRole("region", { name: "What changed" });
      await diff.waitFor();
      expect(await diff.locator(".del").allInnerTexts()).toContain('-       "critical": 2');
      // As it is written, not as a parser would write it.
      expect(await diff.locator(".add").allInnerTexts()).toContain('+       "critical": 2.5');
      await page.getByRole("button", { name: "Copy as curl" }).click();
      await page.getByText("Copied").waitFor();
      const copied = String(await page.evaluate("navigator.clipboard.readText()"));
      expect(copied).toMatch(/^curl -X 'PUT' 'https:\/\/api\.datadoghq\.com\/api\/v1\/monitor\/4212' /);
      expect(copied).toContain('-H "DD-API-KEY: $DD_API_KEY"');
      expect(copied).not.toContain("[masked]");
      await open(page, `/sessions/${job}/calls/9#response$.options.thresholds.critical`);
      await page.waitForSelector(".tree li.here:has-text('2.5')");
      expect(await page.locator(".tree mark.mask").first().getAttribute("title")).toContain("email");
      expect(await page.locator(".verdict").first().innerText()).toContain('operation.access in ["write", "submit"]');
      await page.keyboard.press("]");
      await page.waitForURL("**/calls/10");
    },
    patience,
  );

  test(
    "the search box completes, the address is the search, and a search can be kept",
    async () => {
      const page = await auditor();
      await open(page, "/sessions");
      await page.keyboard.press("/");
      await page.keyboard.type("has:den");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/sessions?q=has%3Adenied");
      const titles = await page.locator(".session .title").allInnerTexts();
      expect(titles.length).toBeGreaterThanOrEqual(2);
      expect(titles.every((title) => title.includes("denied"))).toBe(true);
      await page.fill("#q", "operation:UpdateMonitor access:write workflow:tidy status:200");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".found .session");
      expect(await page.locator(".found .session").count()).toBe(2);
      await page.getByRole("button", { name: "Save this search" }).click();
      await open(page, "/sessions");
      await page.getByRole("link", { name: "operation:UpdateMonitor" }).click();
      await drawn(page);
      await page.waitForSelector(".found .session");
      await page.fill("#q", "operation:NoSuchThing");
      await page.keyboard.press("Enter");
      await page.getByText("No call is meant").waitFor();
    },
    patience,
  );

  test(
    "the keys are explained, and lead everywhere",
    async () => {
      const page = await auditor();
      await open(page, "/sessions");
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await page.waitForURL("**/overview");
      await page.waitForSelector(".chart");
    },
    patience,
  );

  test(
    "pages are complete without scripts",
    async () => {
      const page = await auditor({ scripts: false });
      await page.goto(`/sessions/${long}`);
      expect(await page.locator("tbody tr").count()).toBe(200);
      await page.getByRole("link", { name: "More" }).click();
      expect(await page.locator("tbody tr td").first().innerText()).toBe("201");
      await page.goto(`/sessions/${job}/calls/12`);
      expect(await page.locator("main").innerText()).toContain("no-monitor-deletes");
      await page.goto("/overview");
      expect(await page.locator("main").innerText()).toContain("Without scripts");
    },
    patience,
  );

  const views = [
    { name: "sessions", path: () => "/sessions", ready: ".session" },
    { name: "session", path: () => `/sessions/${job}#call-9`, ready: ".inspector .diff" },
    { name: "long", path: () => `/sessions/${long}`, ready: "[aria-rowcount='10001']" },
    { name: "call", path: () => `/sessions/${job}/calls/9`, ready: ".diff" },
    { name: "overview", path: () => "/overview", ready: ".chart" },
    { name: "policy", path: () => "/policy", ready: ".ranked" },
    { name: "approvals", path: () => "/approvals", ready: "h2" },
  ] as const;

  test.each([
    { kind: "light", viewing: {} },
    { kind: "dark", viewing: { dark: true } },
    { kind: "phone", viewing: { phone: true } },
  ])(
    "nothing stands in anybody's way: $kind",
    async ({ kind, viewing }) => {
      const page = await auditor(viewing);
      // The very long session and the policy look like others.
      for (const { name, path, ready } of views.filter(({ name }) => kind === "light" || !/long|policy/.test(name))) {
        await page.goto(path());
        await page.waitForSelector(ready);
        // Of a light picture and a dark one the structure is the same.
        await expectAccessible(page);
        expect(
          await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
          name,
        ).toBe(true);
        const picture = await page.screenshot({ path: `${pictures}${name}-${kind}.png` });
        if (forDocuments && kind === "light" && /^(session|overview)$/.test(name))
          writeFileSync(`${documents}${name}.png`, picture);
      }
    },
    patience,
  );
});

/** The digest that a call's decision names. */
async function policyInForce(world: World): Promise<string> {
  const { session_id, access_token } = await world.openSession();
  await send(world.url, { method: "GET", target: "/api/v1/monitor", headers: [["DD-API-KEY", access_token]] });
  const [call] = await world.endedCalls(session_id);
  return call?.decision.policy ?? "";
}
