/** The scene of `npm start` with somebody in it: the job waits, and a person answers in one of the three ways. */

import { rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openScene, type Played, type Scene } from "../../server/demo/play.ts";
import { plain } from "../../server/demo/summaryText.ts";
import { Browser } from "../standins/browser.ts";
import { scratchFolder } from "../standins/scratch.ts";

/** Generous: nothing is decided by it. */
const patience = { timeout: 120_000, interval: 50 };

let folder: string;
let scene: Scene;
let lines: string[] = [];
beforeAll(async () => {
  folder = scratchFolder("dogwatch-scene-");
  scene = await openScene({ dataDir: folder, print: (line) => lines.push(line), style: plain, reply: "none" });
}, patience.timeout);
afterAll(async () => {
  await scene?.close();
  rmSync(folder, { recursive: true, force: true });
}, patience.timeout);

const output = (): string => lines.join("\n");

const shown = async (): Promise<string> => (await browser.open(pull)).text;

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
    const asking = await browser.open(pull);
    expect(asking.text).toContain(`>/approve ${code}</textarea>`);
    const refused = await browser.submit(asking, /\/reply\//, { login: "octocat", body: `/approve ${code}` });
    await says(/● dogwatch\[bot\] replies: This does not count\./);
    await browser.submit(refused, /\/reply\//, { login: "mona", body: `/approve ${code}` });
    expect(await played).toMatchObject({ exitCode: 0 });
    expect(output()).toContain("agent: delete the monitor that it replaces: done");
    // The comment and the check run follow what happened, at the pace that GitHub asks for.
    const sentInBoth = /<b>and sent<\/b>[\s\S]*<b>and sent<\/b>/;
    await expect.poll(shown, patience).toMatch(sentInBoth);
    expect(await shown()).toContain("<b>This does not count.</b>");
    expect(await shown()).toMatch(/<b>Dogwatch[^<]*<\/b> <span>success<\/span>/);
  });

  test("who presses a button of the check run", async () => {
    const button = new RegExp(`name="identifier" value="(deny:${code})"`);
    await expect.poll(shown, patience).toMatch(button);
    await browser.submit(await browser.open(pull), /\/press /, { login: "mona", identifier: `deny:${code}` });
    expect(await played).toMatchObject({ exitCode: 0 });
    expect(output()).toMatch(/agent: delete the monitor that it replaces: refused, dogwatch: /);
    expect(output()).toMatch(/deny by github:mona \(check/);
  });

  test("who signs in with GitHub and answers on the approval's page", async () => {
    const away = await browser.follow(await browser.open(page), /GitHub/);
    expect(away.text).toContain("Sign in as mona");
    const back = await browser.submit(away, /authorize/, { login: "mona" });
    expect(back.url).toBe(page);
    expect(back.text).toContain("Checkout latency average");
    await browser.submit(back, /\/approvals\//, { verdict: "approve" });
    expect(await played).toMatchObject({ exitCode: 0 });
    expect(output()).toContain("agent: delete the monitor that it replaces: done");
    expect(output()).toMatch(/approve by github:mona \(page/);
  });
});
