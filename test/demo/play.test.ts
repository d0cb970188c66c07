/** The scene of `npm start` with somebody in it: the job waits, and a person answers in one of the three ways. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openScene, type Played, type Scene } from "../../server/demo/play.ts";
import { plain } from "../../server/demo/summaryText.ts";
import { Browser } from "./browser.ts";

/** Generous: nothing is decided by it. */
const patience = { timeout: 120_000, interval: 50 };

let folder: string;
let scene: Scene;
let lines: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-scene-"));
  scene = await openScene({ dataDir: folder, print: (line) => lines.push(line), style: plain, reply: "none" });
}, patience.timeout);
afterAll(async () => {
  await scene?.close();
  rmSync(folder, { recursive: true, force: true });
}, patience.timeout);

const output = (): string => lines.join("\n");

const says = async (wanted: RegExp): Promise<string> => {
  await expect.poll(output, patience).toMatch(wanted);
  const found = wanted.exec(output());
  return found?.[1] ?? found?.[0] ?? "";
};

let played: Promise<Played>;
let browser: Browser;
let code: string;
let pull: string;
let page: string;
beforeEach(async () => {
  lines = [];
  browser = new Browser();
  played = scene.play();
  await says(/Ctrl-C calls it off/);
  code = await says(/reply \/approve ([A-Z0-9]{6,10}) in the pull request/);
  pull = await says(/^ +(http\S+\/pull\/7)#discussion_r\d+$/m);
  page = await says(/^ +(http\S+\/approvals\/\S+)$/m);
}, patience.timeout);

describe("the job waits for a person", { timeout: patience.timeout }, () => {
  test("who replies in the pull request: not for who started the job, but for somebody else the call passes", async () => {
    expect(await browser.open(pull)).toContain(`>/approve ${code}</textarea>`);
    await browser.submit(/\/reply\//, { login: "octocat", body: `/approve ${code}` });
    await says(/● dogwatch\[bot\] replies: This does not count\./);
    await browser.submit(/\/reply\//, { login: "mona", body: `/approve ${code}` });
    expect(await played).toMatchObject({ exitCode: 0 });
    expect(output()).toContain("agent: delete the monitor that it replaces: done");
    // The comment and the check run follow what happened, at the pace that GitHub asks for.
    const sentInBoth = /<b>and sent<\/b>[\s\S]*<b>and sent<\/b>/;
    await expect.poll(() => browser.open(pull), patience).toMatch(sentInBoth);
    expect(browser.text).toContain("<b>This does not count.</b>");
    expect(browser.text).toMatch(/<b>Dogwatch[^<]*<\/b> <span>success<\/span>/);
  });

  test("who presses a button of the check run", async () => {
    const button = new RegExp(`name="identifier" value="(deny:${code})"`);
    await expect.poll(() => browser.open(pull), patience).toMatch(button);
    await browser.submit(/\/press$/, { login: "mona", identifier: `deny:${code}` });
    expect(await played).toMatchObject({ exitCode: 0 });
    expect(output()).toMatch(/agent: delete the monitor that it replaces: refused, dogwatch: /);
    expect(output()).toMatch(/deny by github:mona \(check/);
  });

  test("who signs in with GitHub and answers on the approval's page", async () => {
    await browser.open(page);
    const [, away = ""] = /href="(\/sign-in\/github[^"]*)"/.exec(browser.text) ?? [];
    await browser.open(away.replaceAll("&amp;", "&"));
    expect(browser.text).toContain("Sign in as mona");
    await browser.submit(/authorize/, { login: "mona" });
    expect(browser.url).toBe(page);
    expect(browser.text).toContain("Checkout latency average");
    await browser.submit(/\/approvals\//, { verdict: "approve", reason: "" });
    expect(await played).toMatchObject({ exitCode: 0 });
    expect(output()).toContain("agent: delete the monitor that it replaces: done");
    expect(output()).toMatch(/approve by github:mona \(page/);
  });
});
