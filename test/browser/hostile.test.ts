/** Recordings that mean harm, in a real browser: shown whole and as text, nothing in them runs, and the page stays at hand. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../standins/database.ts";
import { auditorToken, startWorld, type World } from "../standins/world.ts";
import { drawn, findChromium, signInWithToken, startChromium, type TestBrowser, type Watched } from "./chromium.ts";
import { attack, hostile, openRecorder, openRecording, type Recorded, recordOne } from "./scene.ts";

const chromium = await findChromium();
const patience = 120_000;

test("hostile recordings in a browser", (context) => {
  context.skip(chromium.program === null, chromium.why ?? "");
  expect(chromium.program).not.toBe("");
});

describe.skipIf(chromium.program === null)("in Chromium", () => {
  let world: World;
  let database: FreshDatabase;
  let recorded: Recorded;
  let browser: TestBrowser;
  let watched: Watched;
  let session: string;
  const numbers = new Map<string, number>();

  beforeAll(async () => {
    database = await freshDatabase();
    world = await startWorld(() => ({ status: 200, body: "{}" }), { database });
    recorded = await openRecorder(database);
    session = await openRecording(recorded.store, {
      workflow: attack,
      actor: "\u202egnp",
      repository: attack,
      ref: attack,
    });
    for (const [name, response] of Object.entries(hostile)) {
      const { store } = recorded;
      const path = `/api/v1/monitor/${attack}\u202e`;
      numbers.set(
        name,
        await recordOne(store, session, {
          opening: { path, client: attack, query: attack },
          request: response,
          response,
          closing: { error: attack },
        }),
      );
    }
    browser = await startChromium(chromium.program ?? "", world.url);
    watched = await browser.open();
    await signInWithToken(watched.page, auditorToken);
  }, patience);
  afterAll(async () => {
    await browser.close();
    await recorded.close();
    await world.close();
  }, patience);

  const open = async (path: string): Promise<string> => {
    const { page, complaints } = watched;
    complaints.length = 0;
    await page.goto(path);
    await drawn(page);
    return page.locator("main").innerText();
  };
  /** Nothing ran, nothing was complained of, nothing unseen is in the page, and it still answers. */
  const expectHarmless = async (): Promise<void> => {
    const { page, complaints } = watched;
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
    expect(complaints).toEqual([]);
  };

  test.each(Object.keys(hostile))(
    "%s",
    async (name) => {
      await open(`/sessions/${session}/calls/${numbers.get(name)}`);
      await watched.page.locator(".body-top").nth(1).waitFor();
      await watched.page.locator(".tree, pre").nth(1).waitFor();
      await expectHarmless();
    },
    patience,
  );

  test.each(["/sessions", "/sessions/SESSION#call-1", "/overview", "/sessions?q=monitor"])(
    "%s names callers who mean harm",
    async (path) => {
      await open(path.replace("SESSION", session));
      await watched.page.locator(".session, .row, .chart").first().waitFor();
      await expectHarmless();
    },
    patience,
  );

  test(
    "what is hidden is seen, and what is long goes on when it is asked for",
    async () => {
      const { page } = watched;
      expect(await open(`/sessions/${session}/calls/${numbers.get("bidi")}`)).toContain("invoice");
      await page.locator(".tree .esc").first().waitFor();
      expect(await page.locator(".tree").first().innerText()).toContain(String.raw`invoice\u{202e}gnp.exe`);
      await open(`/sessions/${session}/calls/${numbers.get("line")}`);
      const body = page.getByRole("region", { name: "Body of the response" });
      const before = (await body.innerText()).length;
      expect(before).toBeLessThan(10_000);
      await body.getByRole("button", { name: /more of/ }).click();
      await page.waitForFunction(`document.querySelectorAll("pre")[1].textContent.length > 100000`);
      await open(`/sessions/${session}/calls/${numbers.get("deep")}`);
      for (let depth = 0; depth < 12; depth++) {
        const folded = page.locator(".tree").first().locator("[aria-expanded=false]").first();
        if ((await folded.count()) === 0) break;
        await folded.click();
      }
      await open(`/sessions/${session}/calls/${numbers.get("binary")}`);
      expect(await page.getByRole("region", { name: "Bytes of the response's body" }).innerText()).toContain(
        "ff fe 00 c3 28 3c 73 3e 80",
      );
      await open(`/sessions/${session}/calls/${numbers.get("zipped")}`);
      await page.getByText("decoded from gzip").first().waitFor();
      await page.locator(".tree", { hasText: "zipped" }).first().waitFor();
      await expectHarmless();
    },
    patience,
  );
});
