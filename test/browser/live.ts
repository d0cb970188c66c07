/** Sessions as they happen, in a browser: by events, over interruptions, without a stream, unseen, and until somebody may not see them. */

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { openJob, sendCall } from "../journeys/people/scene.ts";
import { closing, opening } from "../store/specimens.ts";
import { lineHome } from "./chromium.ts";
import { openRecording, recordMany } from "./scene.ts";
import { inBrowser, open, type Stage } from "./stage.ts";

/** What the page asked about a session. */
const asked = (page: Page): { readonly outlines: string[]; readonly streams: { url: string; id: string | null }[] } => {
  const outlines: string[] = [];
  const streams: { url: string; id: string | null }[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (url.includes("/outline")) outlines.push(url);
    if (!url.includes("/events")) return;
    const stream: { url: string; id: string | null } = { url, id: null };
    streams.push(stream);
    void request.allHeaders().then((headers) => (stream.id = headers["last-event-id"] ?? null));
  });
  return { outlines, streams };
};

const rows = (page: Page, count: number): Promise<unknown> =>
  page.waitForSelector(`[role=grid][aria-rowcount='${count + 1}']`);
/** Calls that are seen at the end of the list, in order. */
const lastNumbers = async (page: Page): Promise<readonly number[]> =>
  (await page.locator("[role=row] .n[role=gridcell]").allInnerTexts()).map(Number);

const openCall = ({ recorded: { store } }: Stage, session: string) =>
  store.sink.open(opening(session, { received_at: new Date(), decided_at: new Date() }));

const setSeen = (page: Page, state: "visible" | "hidden"): Promise<unknown> =>
  page.evaluate(
    `Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`,
  );

export const livePages = (stage: () => Stage): void => {
  inBrowser(
    "a running session grows before one's eyes by its events, and stays at its end while it is followed",
    { stage },
    async ({ page, stage }) => {
      const { store } = stage.recorded;
      const running = await openRecording(store, { workflow: "Runs" });
      await recordMany(store, running, { count: 120, minutes: 1 });
      const { outlines, streams } = asked(page);
      await open(page, `/sessions/${running}`);
      await page.waitForSelector("[aria-rowindex='121']");
      const call = await openCall(stage, running);
      await page.waitForSelector("[aria-rowindex='122'] .going");
      await store.sink.close(call, closing({ done_at: new Date() }));
      await page.waitForSelector("[aria-rowindex='122']:not(:has(.going))");
      await recordMany(store, running, { count: 40, minutes: 0.01 });
      await page.waitForSelector("[aria-rowindex='162']");
      const numbers = await lastNumbers(page);
      expect(numbers).toEqual(numbers.map((_, index) => 161 - numbers.length + 1 + index));
      await store.sessions.close(running, "closed");
      await page.waitForSelector(".call-title .badge:has-text('closed')");
      // Read once, then told.
      expect(outlines).toHaveLength(1);
      expect(streams.map(({ url }) => new URL(url).searchParams.get("last_event_id"))).toEqual(["120"]);
    },
  );

  inBrowser(
    "a session of ten thousand calls goes on, and answers while it does",
    { stage },
    async ({ page, stage }) => {
      const { long } = stage;
      await open(page, `/sessions/${long}`);
      await page.waitForSelector("[role=grid][aria-rowcount='10001']");
      await stage.recorded.store.sink.close(await openCall(stage, long), closing({ done_at: new Date() }));
      await page.waitForSelector("[role=grid][aria-rowcount='10002']");
      await page.waitForSelector("[aria-rowindex='10002']");
      await page.keyboard.press("n");
      await page.waitForSelector("[role=row][aria-selected=true]:has-text('denied')");
    },
  );

  inBrowser(
    "nothing is lost and nothing is there twice when the connection breaks and comes back",
    { stage, expected: (one) => /line\.test|net::ERR_/.test(one) },
    async ({ page, stage }) => {
      const { line, recorded } = stage;
      const running = await openRecording(recorded.store, { workflow: "Breaks off" });
      await recordMany(recorded.store, running, { count: 30, minutes: 0.1 });
      const first = await openCall(stage, running);
      const { streams } = asked(page);
      await open(page, `${lineHome}/sessions/${running}`);
      await page.waitForSelector("[aria-rowindex='32'] .going");
      await recordMany(recorded.store, running, { count: 5, minutes: 0.01 });
      await rows(page, 36);
      line.cut();
      await recorded.store.sink.close(first, closing({ done_at: new Date() }));
      await recordMany(recorded.store, running, { count: 10, minutes: 0.01 });
      const second = await openCall(stage, running);
      line.mend();
      await rows(page, 47);
      await page.waitForSelector("[aria-rowindex='32']:not(:has(.going))");
      await page.waitForSelector("[aria-rowindex='48'] .going");
      await recorded.store.sink.close(second, closing({ done_at: new Date() }));
      await page.waitForSelector("[aria-rowindex='48']:not(:has(.going))");
      const numbers = await lastNumbers(page);
      expect(numbers).toEqual(numbers.map((_, index) => 47 - numbers.length + 1 + index));
      // The browser itself said what it had heard last: call 36, while 31 had not ended.
      expect(streams.at(0)?.id).toBeNull();
      // What the browser sent with a request is told a moment after it.
      while (!streams.some(({ id }) => id === "36-31")) await page.waitForTimeout(20);
      expect(streams.filter(({ url }) => new URL(url).searchParams.get("last_event_id") !== "31-31")).toEqual([]);
    },
  );

  inBrowser(
    "without a stream, since too many listen, it is asked again and again, and a stream is tried later",
    { stage, expected: (one) => /status of 503/.test(one) },
    async ({ page, stage }) => {
      const { store } = stage.recorded;
      const running = await openRecording(store, { workflow: "Is not streamed" });
      await recordMany(store, running, { count: 10, minutes: 0.1 });
      await page.route("**/events?*", (route) =>
        route.fulfill({ status: 503, json: { errors: ["dogwatch: too many listen at this gateway"] } }),
      );
      const { outlines } = asked(page);
      await open(page, `/sessions/${running}`);
      await rows(page, 10);
      const call = await openCall(stage, running);
      await page.waitForSelector("[aria-rowindex='12'] .going");
      await store.sink.close(call, closing({ done_at: new Date() }));
      await page.waitForSelector("[aria-rowindex='12']:not(:has(.going))");
      await store.sessions.close(running, "closed");
      await page.waitForSelector(".call-title .badge:has-text('closed')");
      expect(outlines.length).toBeGreaterThan(1);
      expect(await page.locator(".notice").count()).toBe(0);
    },
  );

  inBrowser(
    "a page that nobody sees holds no stream, and has caught up when it is seen",
    { stage },
    async ({ page, stage }) => {
      const { store } = stage.recorded;
      const running = await openRecording(store, { workflow: "Is put aside" });
      await recordMany(store, running, { count: 10, minutes: 0.1 });
      const listened = page.waitForResponse(/\/events\?/);
      const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/events"));
      await open(page, `/sessions/${running}`);
      await listened;
      await rows(page, 10);
      await setSeen(page, "hidden");
      await ended;
      await recordMany(store, running, { count: 10, minutes: 0.1 });
      expect(await page.locator("[role=grid]").getAttribute("aria-rowcount")).toBe("11");
      await setSeen(page, "visible");
      await rows(page, 20);
    },
  );

  inBrowser(
    "whoever may not read the repository any more is told nothing more of its sessions, and why",
    { stage, viewing: { cookies: [] }, expected: (one) => /status of 404/.test(one) },
    async ({ page, stage }) => {
      const { github, url } = stage.scene;
      const repository = github.repositories.add("acme/lost");
      github.repositories.permit(repository, "octocat", "read");
      const session = await openJob(github, url, { repository, actor: "mona" });
      const call = () => sendCall(url, session, { method: "GET", path: "/api/v1/monitor/1", body: undefined });
      await call();
      const cookies = await stage.person("octocat");
      await page.context().addCookies(cookies.map((cookie) => ({ ...cookie, url: "http://gateway.test" })));
      const listened = page.waitForResponse(/\/events\?/);
      await open(page, `/sessions/${session.session_id}`);
      expect((await listened).status()).toBe(200);
      await call();
      await rows(page, 2);
      github.repositories.permit(repository, "octocat", "none");
      // As a stream does by itself within a minute, it ends, comes back and is looked at again.
      await setSeen(page, "hidden");
      await call();
      await setSeen(page, "visible");
      await page.locator(".notice", { hasText: `there is no session ${session.session_id}` }).waitFor();
      expect(await page.locator("[role=grid]").getAttribute("aria-rowcount")).toBe("3");
    },
  );
};
