/** What all browser tests share: one gateway before the stand-in for GitHub, one recording, one Chromium; each test has a context of its own. */

import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { Browser as PlainBrowser } from "../standins/browser.ts";
import { createTurns } from "../standins/turns.ts";
import { Line } from "../standins/line.ts";
import { auditorToken } from "../standins/world.ts";
import {
  home,
  openJob,
  type PeopleScene,
  sendCall,
  signIn,
  signInWithToken,
  startPeople,
} from "../journeys/people/scene.ts";
import { drawn, startChromium, type TestBrowser, type Viewing, type Watched } from "./chromium.ts";
import { type Errands, startErrands } from "../journeys/people/errandScene.ts";
import { openRecorder, openRecording, recordJob, type Recorded, recordMany } from "./scene.ts";

export const many = 10_000;
/** Of a machine that does much else. */
export const patience = 300_000;

export type Stage = {
  readonly scene: PeopleScene;
  readonly recorded: Recorded;
  /** Sandboxes beside: what jobs of acme/shop work on, and where sessions are replayed. */
  readonly errands: Errands;
  readonly browser: TestBrowser;
  /** To `lineHome`: one test may cut it. */
  readonly line: Line;
  /** Sessions: a very long one that is still open, and one job's. */
  readonly long: string;
  readonly job: string;
  /** Of whoever sees everything. */
  readonly cookies: NonNullable<Viewing["cookies"]>;
  /** Of somebody who signed in with GitHub; one at a time, for the stand-in asks nobody who they are. */
  person(login: string): Promise<NonNullable<Viewing["cookies"]>>;
  close(): Promise<void>;
};

/** Calls of acme/app wait for people; the recorded sessions are of other repositories. */
const rules = `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: everything-else, effect: allow, when: 'operation.access in ["write", "submit"] && caller.repository != "acme/app"' }
    - { name: no-monitor-deletes, effect: deny, when: 'operation.name == "DeleteMonitor" && caller.repository != "acme/app"' }
    - { name: writes-need-a-human, effect: approve, when: 'operation.access in ["write", "destructive"] && caller.repository == "acme/app"' }`;

export async function openStage(program: string): Promise<Stage> {
  const errands = await startErrands();
  const scene = await startPeople({ rules, connections: errands.connections });
  const recorded = await openRecorder(scene.scene.database);
  const line = await Line.to(scene.url);
  const [{ long, job }, browser, cookies] = await Promise.all([
    record(scene, recorded),
    startChromium(program, scene.url, line.url),
    cookiesOf(scene, (browser) => signInWithToken(browser, auditorToken)),
  ]);
  const inTurn = createTurns();
  return {
    scene,
    recorded,
    errands,
    browser,
    line,
    long,
    job,
    cookies,
    person: (login) =>
      inTurn(() => cookiesOf(scene, (browser) => signIn(browser, scene.github, { login, to: "/approvals" }))),
    close: async () => {
      await browser.close();
      await recorded.close();
      await line.close();
      await scene.close();
      await errands.close();
    },
  };
}

async function cookiesOf(
  scene: PeopleScene,
  enter: (browser: PlainBrowser) => Promise<unknown>,
): Promise<NonNullable<Viewing["cookies"]>> {
  const browser = new PlainBrowser({ hosts: { [home]: scene.url } });
  await enter(browser);
  return [...browser.cookies(home)].map(([name, { value }]) => ({ name, value }));
}

async function record(scene: PeopleScene, { store }: Recorded): Promise<Pick<Stage, "long" | "job">> {
  const long = await openRecording(store, {
    repository: "acme/warehouse",
    workflow: "Nightly clean-up",
    actor: "hubot",
  });
  await recordMany(store, long, { count: many, minutes: 12 });
  // At its leisure the gateway takes half a minute for so many, and searches go through them one by one until then.
  await store.indexer.catchUp();
  const job = await openRecording(store);
  await recordJob(store, job, await policyInForce(scene));
  // As if it had been open while its calls came.
  await scene.scene.database.query("UPDATE sessions SET opened_at = opened_at - interval '155 seconds' WHERE id = $1", [
    job,
  ]);
  await store.sessions.close(job, "closed");
  return { long, job };
}

/** The digest that a call's decision names. */
async function policyInForce(scene: PeopleScene): Promise<string> {
  const opened = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
  await sendCall(scene.url, opened, { method: "GET", path: "/api/v1/monitor", body: undefined });
  const [call] = await scene.endedCalls(opened.session_id);
  return call?.decision.policy ?? "";
}

export const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(path);
  await drawn(page);
};

/** A search is given so much time: of what is found, the page has a whole page as soon as there was enough. */
export async function openSearch(page: Page, words: string, hits: number): Promise<void> {
  do await open(page, `/search?q=${encodeURIComponent(words)}`);
  while ((await page.locator(".hit").count()) < hits);
}

/** Goes on to the end: where there was no time to look through everything, there may be more once again. */
export async function readOn(page: Page): Promise<void> {
  for (const more = page.getByRole("button", { name: "More" }); (await more.count()) > 0; ) {
    await more.click();
    await page.locator(".further button[aria-disabled=true]").waitFor({ state: "detached" });
  }
}

export type Looking = { readonly page: Page; readonly watched: Watched; readonly stage: Stage };

export type Browse = {
  readonly stage: () => Stage;
  readonly viewing?: Viewing;
  /** A context costs a second of a processor: it is shared by who keeps nothing in it. Without `viewing`. */
  readonly context?: "shared";
  /** Complaints that a test means to bring about. */
  readonly expected?: (complaint: string, stage: Stage) => boolean;
};

/** A test in a context of its own, in which the browser has nothing to complain of. Signed in as who sees everything, unless cookies are given. */
export function inBrowser(
  name: string,
  { stage, viewing = {}, context, expected }: Browse,
  look: (looking: Looking) => Promise<void>,
): void {
  test(
    // oxlint-disable-next-line vitest/valid-title -- it comes as a parameter
    name,
    async () => {
      const { browser, cookies } = stage();
      const watched = await (context === "shared"
        ? browser.openBeside({ cookies })
        : browser.open({ cookies, ...viewing }));
      try {
        await look({ page: watched.page, watched, stage: stage() });
        const complaints = watched.complaints.filter((one) => expected?.(one, stage()) !== true);
        expect(complaints, "the browser complained").toEqual([]);
      } finally {
        await (context === "shared" ? watched.page : watched.page.context()).close();
      }
    },
    patience,
  );
}
