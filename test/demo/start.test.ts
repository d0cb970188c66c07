/** `npm start` for somebody who has just cloned the repository, and what people do to it afterwards. */

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Browser } from "./browser.ts";
import { Newcomer, type Running, isOpenToOthers, kill, nobody } from "./newcomer.ts";

const up = /Dogwatch is up: (http:\/\/127\.0\.0\.1:\d+)/;
const played = /Ctrl-C stops it\./;
const asked = /Ctrl-C calls it off/;
const answeredBy = "npm start -- --answer approve";
/** Generous: it must pass on a machine that is busy with other tests. */
const patience = 240_000;

let here: Newcomer;
/** How many sessions earlier starts have left. */
let before = 0;
beforeAll(() => {
  here = new Newcomer();
});
afterAll(() => here.leave());

const nothingRuns = (newcomer = here): Promise<void> =>
  expect.poll(() => newcomer.processes(), { timeout: 20_000 }).toEqual([]);

/** Starts, and sees that the sample job is recorded beside everything that was recorded before. */
async function startAndPlay(newcomer = here, sessionsBefore = before): Promise<{ npm: Running; url: string }> {
  const npm = newcomer.run(answeredBy);
  const url = await npm.says(up);
  await npm.says(played);
  const sessions = await newcomer.sessions(url);
  expect(sessions).toHaveLength(sessionsBefore + 1);
  // Eight of the agent, the deletion once more when it is approved, and two looks at the monitor.
  expect(sessions[0]).toMatchObject({ calls: 11, state: "closed" });
  if (newcomer === here) before = sessions.length;
  return { npm, url };
}

describe("npm start", { timeout: patience }, () => {
  test("plays a job, shows what it did in words, and ends wholly at Ctrl-C", async () => {
    const { npm, url } = await startAndPlay();
    const session = (await here.sessions(url))[0]?.id ?? "";
    npm.interrupt();
    const { code, output } = await npm.ended;
    expect(code).toBe(0);
    expect(output).toContain(
      "agent: delete a dashboard: refused, dogwatch: DeleteDashboard is denied by rule no-dashboard-deletes",
    );
    expect(output).toMatch(/● dogwatch\[bot\] asks in pull request 7, on \.github\/workflows\/agent\.yml\n/);
    expect(output).toMatch(/ {2}Delete monitor \d+ “Checkout latency average”\n/);
    expect(output).toMatch(/● mona replies: \/approve [A-Z0-9]{6,10}\n/);
    expect(output).toContain("● dogwatch[bot] replies: Approved. Exactly this request passes, once.");
    expect(output).toContain("agent: delete the monitor that it replaces: done");
    expect(output).toMatch(/Operation +Calls +Decision +Status/);
    expect(output).toMatch(/v1\.MonitorsApi\.DeleteMonitor +2 +approve +asked, 200/);
    expect(output).toMatch(/approve by github:mona \(comment, /);
    expect(output).toMatch(
      new RegExp(`signs you in.*\\n  ${url}/sign-in/once/\\S+\\n  its page .*/sessions/${session}\\n`),
    );
    expect(output).not.toMatch(/::[a-z-]+::|<\/?[a-z0-9]+>|&#\d+;/);
    await nothingRuns();
  });

  test("started beside itself it says where the first one is, and does it no harm", async () => {
    const { npm, url } = await startAndPlay();
    const configuration = readFileSync(join(here.folder, "data/demo.yaml"), "utf8");
    const second = await here.run("npm start").ended;
    expect(second.output).toMatch(
      new RegExp(`Dogwatch already runs in this folder: ${url} \\(process \\d+\\)\\. Stop it with Ctrl-C .* kill \\d+`),
    );
    expect(second.code).toBe(2);
    expect(readFileSync(join(here.folder, "data/demo.yaml"), "utf8")).toBe(configuration);
    expect(await here.sessions(url)).toHaveLength(before);
    kill(npm.pid, "SIGTERM");
    await npm.ended;
    await nothingRuns();
  });

  test("ends when its npm is killed, and a start at once after that waits for it", async () => {
    const { npm } = await startAndPlay();
    kill(npm.pid, "SIGKILL");
    const again = await startAndPlay();
    kill(again.npm.pid, "SIGKILL");
    await nothingRuns();
  });

  test("starts again when gateway and database were killed, one or both", async () => {
    const first = await startAndPlay();
    for (const pid of here.pids("dogwatch.mjs start")) kill(pid, "SIGKILL");
    await first.npm.ended;

    const second = await startAndPlay();
    const killed = postmaster() ?? 0;
    kill(killed, "SIGKILL");
    await expect.poll(postmaster, { timeout: 30_000 }).not.toBeOneOf([killed, null]);
    await expect
      .poll(() => here.sessions(second.url).then((sessions) => sessions.length, String), { timeout: 30_000 })
      .toBe(before);
    for (const line of here.processes()) kill(Number.parseInt(line, 10), "SIGKILL");

    const third = await startAndPlay();
    third.npm.interrupt();
    await third.npm.ended;
    await nothingRuns();
  });

  test("leaves nothing behind when it is interrupted in the middle of the job", async () => {
    const npm = here.run("npm start");
    await npm.says(/run: node/);
    npm.interrupt();
    const { output } = await npm.ended;
    expect(output).toContain("Dogwatch session closed");
    before += 1;
    await nothingRuns();
  });

  test("ends a relay that a killed gateway has left behind", async () => {
    const npm = here.run("npm start");
    await npm.says(/run: node/);
    for (const line of here.processes()) if (!line.includes("relay.js")) kill(Number.parseInt(line, 10), "SIGKILL");
    await npm.ended;
    expect(here.processes().join()).toContain("relay.js");
    before += 1;
    const next = await startAndPlay();
    next.npm.interrupt();
    await next.npm.ended;
    await nothingRuns();
  });

  test("npx dogwatch demo does the same, and ends when its npx is killed", async () => {
    const npx = here.run("npx dogwatch demo --answer approve");
    await npx.says(played);
    before += 1;
    kill(npx.pid, "SIGKILL");
    await nothingRuns();
  });

  test("for a plain user where root has recorded: whose the folder is, and what to do", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root can be somebody else");
    skip(!isOpenToOthers(), "a plain user cannot come into this checkout");
    const plain = new Newcomer(nobody);
    onTestFinished(() => plain.leave());
    mkdirSync(join(plain.folder, "data"), { mode: 0o700 });
    const { code, output } = await plain.run("npm start").ended;
    expect(output).toMatch(
      /\/?data\S* cannot be used \(EACCES\): give it to the user who runs Dogwatch, or remove data\//,
    );
    expect(output).not.toContain("    at ");
    expect(code).toBe(2);
  });

  test("runs for a plain user, and keeps what it writes from all others", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root can be somebody else");
    skip(!isOpenToOthers(), "a plain user cannot come into this checkout");
    const plain = new Newcomer(nobody);
    onTestFinished(() => plain.leave());
    const { npm } = await startAndPlay(plain, 0);
    for (const secret of ["data/demo-token", "data/demo-github-app.pem", "data/postgres/password"])
      expect(statSync(join(plain.folder, secret)).mode & 0o077, secret).toBe(0);
    npm.interrupt();
    await npm.ended;
    await nothingRuns(plain);
  });
});

describe("the job waits for a person", { timeout: patience }, () => {
  /** Starts, and waits until somebody is asked. */
  const startAndAsk = async () => {
    const npm = here.run("npm start");
    const url = await npm.says(up);
    await npm.says(asked);
    const [pull, page] = [/^ +(http\S+\/pull\/7)#discussion_r\d+$/m, /^ +(http\S+\/approvals\/\S+)$/m];
    before += 1;
    return { npm, url, pull: await npm.says(pull), page: await npm.says(page), browser: new Browser() };
  };
  const end = async (npm: Running): Promise<string> => {
    npm.interrupt();
    const { code, output } = await npm.ended;
    expect(code).toBe(0);
    await nothingRuns();
    return output;
  };

  test("who replies in the pull request: it does not count for who started the job, and lets the call pass for another", async () => {
    const { npm, pull, browser } = await startAndAsk();
    const code = await npm.says(/reply \/approve ([A-Z0-9]{6,10}) in the pull request/);
    expect(await browser.open(pull)).toContain(`>/approve ${code}</textarea>`);
    await browser.submit(/\/reply\//, { login: "octocat", body: `/approve ${code}` });
    await npm.says(/● dogwatch\[bot\] replies: This does not count\./);
    expect(browser.text).toContain("<b>octocat</b>");
    await browser.submit(/\/reply\//, { login: "mona", body: `/approve ${code}` });
    await npm.says(/agent: delete the monitor that it replaces: done/);
    await npm.says(played);
    // The comment and the check run follow what happened, at the pace that GitHub asks for.
    await expect.poll(() => browser.open(pull), { timeout: 60_000 }).toMatch(/<b>and sent<\/b>[\s\S]*<b>and sent<\/b>/);
    expect(browser.text).toContain("<b>This does not count.</b>");
    expect(browser.text).toMatch(/<b>Dogwatch[^<]*<\/b> <span>success<\/span>/);
    await end(npm);
  });

  test("who presses the button of the check run", async () => {
    const { npm, pull, browser } = await startAndAsk();
    const button = /name="identifier" value="(deny:[A-Z0-9]{6,10})"/;
    await expect.poll(() => browser.open(pull), { timeout: 20_000 }).toMatch(button);
    const [, identifier = ""] = button.exec(browser.text) ?? [];
    await browser.submit(/\/press$/, { login: "mona", identifier });
    await npm.says(/agent: delete the monitor that it replaces: refused, dogwatch: /);
    await npm.says(played);
    expect(await end(npm)).toMatch(/deny by github:mona \(check/);
  });

  test("who signs in with GitHub and answers on the approval's page", async () => {
    const { npm, page, browser } = await startAndAsk();
    await browser.open(page);
    const [, away = ""] = /href="(\/sign-in\/github[^"]*)"/.exec(browser.text) ?? [];
    await browser.open(away.replaceAll("&amp;", "&"));
    expect(browser.text).toContain("Sign in as mona");
    await browser.submit(/authorize/, { login: "mona" });
    expect(browser.url).toBe(page);
    expect(browser.text).toContain("Checkout latency average");
    await browser.submit(/\/approvals\//, { verdict: "approve", reason: "" });
    await npm.says(/agent: delete the monitor that it replaces: done/);
    await npm.says(played);
    expect(await end(npm)).toMatch(/approve by github:mona \(page/);
  });

  test("and Ctrl-C calls it off: nothing was sent, nothing is left behind", async () => {
    const { npm } = await startAndAsk();
    const output = await end(npm);
    expect(output).toContain("Dogwatch session closed: 9 calls, 1 denied");
    expect(output).not.toContain("agent: delete the monitor that it replaces");
  });

  test("who is played: the reviewer denies, the job is played once, and its exit code is the command's", async () => {
    const { code, output } = await here.run("npm start -- --once --answer deny").ended;
    before += 1;
    expect(output).toMatch(/● mona replies: \/deny [A-Z0-9]{6,10} we still need it\n/);
    expect(output).toMatch(/agent: delete the monitor that it replaces: refused, dogwatch: .*we still need it/);
    expect(code).toBe(0);
    await nothingRuns();
  });

  test("who is played once without a word about it: approves", async () => {
    const { code, output } = await here.run("npx dogwatch demo --once").ended;
    before += 1;
    expect(output).toContain("agent: delete the monitor that it replaces: done");
    expect(code).toBe(0);
  });

  test("an answer that there is not is wrong usage", async () => {
    const { code, output } = await here.run("npm start -- --answer maybe").ended;
    expect(output).toMatch(/approve, deny, none/);
    expect(code).toBe(2);
  });
});

/** Process id of the database; null while there is none. */
function postmaster(): number | null {
  const file = join(here.folder, "data/postgres/cluster/postmaster.pid");
  return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : null;
}
