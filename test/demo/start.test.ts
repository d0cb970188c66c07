/** `npm start` for somebody who has just cloned the repository, and what people do to it afterwards. */

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Newcomer, type Running, isOpenToOthers, kill, nobody } from "./newcomer.ts";

const up = /Dogwatch is up: (http:\/\/127\.0\.0\.1:\d+)/;
const played = /Ctrl-C stops it\./;
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
  expect.poll(() => newcomer.processes(), { timeout: 60_000 }).toEqual([]);

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

/** A second one in the same folder. */
async function besides(url: string): Promise<void> {
  const configuration = readFileSync(join(here.folder, "data/demo.yaml"), "utf8");
  const second = await here.run("npm start").ended;
  expect(second.output).toMatch(
    new RegExp(`Dogwatch already runs in this folder: ${url} \\(process \\d+\\)\\. Stop it with Ctrl-C .* kill \\d+`),
  );
  expect(second.code).toBe(2);
  expect(readFileSync(join(here.folder, "data/demo.yaml"), "utf8")).toBe(configuration);
  expect(await here.sessions(url)).toHaveLength(before);
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

  test("started beside itself it says where the first one is, and does it no harm; npm, gateway and database may be killed, and it starts again", async () => {
    const first = await startAndPlay();
    await besides(first.url);
    kill(first.npm.pid, "SIGKILL");
    // At once: it waits for the one whose npm is gone.
    const second = await startAndPlay();
    for (const pid of here.pids("dogwatch.mjs start")) kill(pid, "SIGKILL");
    await second.npm.ended;

    const third = await startAndPlay();
    const killed = postmaster() ?? 0;
    kill(killed, "SIGKILL");
    await expect.poll(postmaster, { timeout: 60_000 }).not.toBeOneOf([killed, null]);
    await expect
      .poll(() => here.sessions(third.url).then((sessions) => sessions.length, String), { timeout: 60_000 })
      .toBe(before);
    for (const line of here.processes()) kill(Number.parseInt(line, 10), "SIGKILL");
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

  test("leaves nothing behind when whoever read what it says has gone", async () => {
    const npm = here.run(answeredBy);
    await npm.says(/run: node/);
    npm.child.stdout?.destroy();
    const { output } = await npm.ended;
    expect(output).not.toContain("EPIPE");
    before += 1;
    await nothingRuns();
  });

  test("ends a relay that a killed gateway has left behind; npx dogwatch demo does the same, and ends when its npx is killed", async () => {
    const npm = here.run("npm start");
    await npm.says(/run: node/);
    for (const line of here.processes()) if (!line.includes("relay.js")) kill(Number.parseInt(line, 10), "SIGKILL");
    await npm.ended;
    expect(here.processes().join()).toContain("relay.js");
    before += 1;
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

describe("the job that waits for a person", { timeout: patience }, () => {
  test("is called off by Ctrl-C: nothing was sent, nothing is left behind", async () => {
    const npm = here.run("npm start");
    await npm.says(/Ctrl-C calls it off/);
    before += 1;
    npm.interrupt();
    const { code, output } = await npm.ended;
    expect(code).toBe(0);
    expect(output).toContain("Dogwatch session closed: 9 calls, 1 denied");
    expect(output).not.toContain("agent: delete the monitor that it replaces");
    await nothingRuns();
  });

  test("is denied by the reviewer that is asked for, played once, and ends as it should", async () => {
    const { code, output } = await here.run("npm start -- --once --answer deny").ended;
    before += 1;
    expect(output).toMatch(/● mona replies: \/deny [A-Z0-9]{6,10} we still need it\n/);
    expect(output).toMatch(/agent: delete the monitor that it replaces: refused, dogwatch: .*we still need it/);
    expect(code).toBe(0);
    await nothingRuns();
  });

  test("is approved where it is played once without a word about it", async () => {
    const { code, output } = await here.run("npx dogwatch demo --once").ended;
    before += 1;
    expect(output).toContain("agent: delete the monitor that it replaces: done");
    expect(code).toBe(0);
  });

  test("is not answered by what is no answer", async () => {
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
