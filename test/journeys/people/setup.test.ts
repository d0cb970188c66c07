/** Making the GitHub App on a running gateway: by an admin, in the browser that began it, and never over an App that is there. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, Visited } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import { adminToken, eventually, home, type PeopleScene, signInWithToken, startPeople } from "./scene.ts";

let scene: PeopleScene;
let dataDir: string;

beforeAll(async () => {
  scene = await startPeople({ github: null });
  dataDir = join(dirname(scene.scene.file), "data");
});
afterAll(() => scene.close());

const wordsOf = (page: Visited): string => textOf(page.html).replaceAll(/\s+/g, " ");

const withToken = async (token: string): Promise<Browser> => {
  const browser = scene.browser();
  await signInWithToken(browser, token);
  return browser;
};

const fill = (more: Readonly<Record<string, string>> = {}) => ({
  web: scene.github.url,
  organization: "acme",
  name: "Watch",
  ...more,
});

/** The page with the way to GitHub. */
const depart = async (browser: Browser, more: Readonly<Record<string, string>> = {}): Promise<Visited> =>
  browser.submit(await browser.open(`${home}/setup/github`), /setup\/github /, fill(more));

/** Where GitHub would send the browser, which is not followed. */
async function cameBack(departure: Visited): Promise<URL> {
  const form = all(departure.html, "form").find(({ attributes }) =>
    attributes.get("action")?.includes("/settings/apps/new"),
  );
  const manifest = all(form as never, "input").find(({ attributes }) => attributes.get("name") === "manifest");
  scene.github.visitors.preset("mona");
  const away = await fetch(form?.attributes.get("action") ?? "", {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ manifest: manifest?.attributes.get("value") ?? "" }),
  });
  scene.github.visitors.preset(null);
  return new URL(away.headers.get("location") ?? "");
}

const nothingWasMade = (): void => {
  expect(existsSync(join(dataDir, "github"))).toBe(false);
  expect(readFileSync(scene.scene.file, "utf8")).not.toContain("appId");
};

test("only the holder of an admin's token is shown any of it", async () => {
  for (const path of ["/setup/github", "/setup/github/installed", "/setup/github/created?code=a&state=b"]) {
    const stranger = await scene.browser().open(home + path);
    expect(stranger.status).toBe(401);
    const auditor = await (await withToken(auditorToken)).open(home + path);
    expect(auditor.status).toBe(403);
    expect(wordsOf(auditor)).toContain("an access token of role admin");
  }
  for (const path of ["/setup/github", "/setup/github/verify"])
    expect((await scene.browser().post(home + path, new URLSearchParams(), home + path)).status).toBe(401);
  nothingWasMade();
});

test("a form of another site, or without this sign-in's token, begins nothing", async () => {
  const browser = await withToken(adminToken);
  const page = await browser.open(`${home}/setup/github`);
  const form = all(page.html, "input").find(({ attributes }) => attributes.get("name") === "form");
  const fields = new URLSearchParams({ ...fill(), form: form?.attributes.get("value") ?? "" });
  for (const [body, from] of [
    [fields, "https://evil.example/"],
    [fields, null],
    [new URLSearchParams({ ...fill(), form: "A".repeat(43) }), `${home}/setup/github`],
    [new URLSearchParams(fill()), `${home}/setup/github`],
  ] as const)
    expect((await browser.post(`${home}/setup/github`, body, from)).status).toBe(403);
  const trips = await scene.scene.database.query("SELECT FROM round_trips WHERE purpose = 'github_app'");
  expect(trips).toEqual([]);
});

test.each([
  [{ web: "http://github.example.com" }, "That is no address of a GitHub."],
  [{ web: "https://github.com/acme" }, "That is no address of a GitHub."],
  [{ web: "javascript:alert(1)" }, "That is no address of a GitHub."],
  [{ organization: "../x" }, "That is no name of an organization."],
  [{ name: "" }, "An App's name has 1 to 34 characters."],
  [{ web: "http://127.0.0.1:9" }, "could not be reached: check the address"],
])("what cannot be is said on the page: %j", async (more, said) => {
  const page = await depart(await withToken(adminToken), more);
  expect(page.status).toBe(400);
  expect(wordsOf(page)).toContain(said);
  nothingWasMade();
});

test("the way to GitHub shows what will be asked for, and leads there alone", async () => {
  const page = await depart(await withToken(adminToken));
  expect(page.status).toBe(200);
  const rows = all(page.html, "tr").map((row) => all(row, "td").map(textOf).slice(0, 2).join(": "));
  expect(rows.slice(1)).toEqual([
    "metadata: read",
    "pull_requests: write",
    "checks: write",
    "actions: read",
    "issues: read",
  ]);
  expect(page.headers.get("content-security-policy")).toContain(`form-action 'self' ${scene.github.url}`);
  const back = await cameBack(page);
  expect(back.origin + back.pathname).toBe(`${home}/setup/github/created`);
});

test("a state that is forged or another browser's makes nothing", async () => {
  const browser = await withToken(adminToken);
  const back = await cameBack(await depart(browser));
  const other = await withToken(adminToken);
  await depart(other);
  const forged = new URL(back);
  forged.searchParams.set("state", "A".repeat(43));
  for (const [who, url] of [
    [browser, forged],
    [other, back],
    [await withToken(adminToken), back],
  ] as const) {
    const page = await who.open(url.href, `${scene.github.url}/`);
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toContain("This did not begin in this browser");
  }
  nothingWasMade();
});

test("a code that is none is told with what to do", async () => {
  const browser = await withToken(adminToken);
  const back = await cameBack(await depart(browser));
  back.searchParams.set("code", "0".repeat(40));
  const page = await browser.open(back.href);
  expect(page.status).toBe(403);
  expect(wordsOf(page)).toContain("GitHub does not know the code that the browser brought");
  nothingWasMade();
});

test("an admin makes the App, it is stored and named, and can be installed and tried from there", async () => {
  const browser = await withToken(adminToken);
  const back = await cameBack(await depart(browser));
  const page = await browser.open(back.href, `${scene.github.url}/`);
  expect(page.status).toBe(200);
  const app = scene.github.apps.named("watch");
  expect(wordsOf(page)).toContain("Restart the gateway");
  expect(page.text).not.toContain(app.client_secret);
  expect(page.text).not.toContain(app.webhook_secret);
  expect(page.text).not.toContain("PRIVATE KEY");
  expect(statSync(join(dataDir, "github")).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(dataDir, "github/private-key.pem"), "utf8")).toBe(app.pem);
  expect(readFileSync(scene.scene.file, "utf8")).toContain(`appId: ${app.id}`);
  expect(app).toMatchObject({
    owner: { login: "acme" },
    webhook_url: `${home}/webhooks/github`,
    setup_url: `${home}/setup/github/installed`,
    callback_urls: [`${home}/sign-in/github/callback`],
  });
  expect(await scene.audited(/^github_app_created/)).toMatchObject({
    who: "boss (admin)",
    what: app.external_url === "" ? "" : expect.stringContaining("/apps/watch"),
  });
  expect((await browser.open(back.href)).status).toBe(403);

  // The configuration is read again within seconds.
  const installed = await eventually(async () => {
    const shown = await browser.open(`${home}/setup/github/installed`);
    return shown.status === 200 && wordsOf(shown).includes("Nowhere yet") ? shown : null;
  });
  scene.github.visitors.preset("mona");
  const after = await browser.follow(installed, /^Install it$/);
  scene.github.visitors.preset(null);
  expect(after.url.startsWith(`${home}/setup/github/installed?installation_id=`)).toBe(true);
  expect(wordsOf(after)).toContain("acme, all repositories: everything that is needed is granted.");

  const pull = scene.github.pulls.open(scene.repository, { author: "mona", files: ["README.md"] });
  // Of two gateways the other one reads its file a moment later.
  const told = (pullName: string, said: string): Promise<string> =>
    eventually(async () => {
      const words = wordsOf(await browser.submit(after, /Write a test comment/, { pull: pullName }));
      return words.includes(said) ? words : null;
    });
  await told(`acme/app#${pull.number}`, "Dogwatch can write there");
  expect(scene.github.comments.in(scene.repository).map(({ body }) => body)).toContainEqual(
    expect.stringMatching(/^\*\*Dogwatch can write here\.\*\*/),
  );
  for (const [pullName, said] of [
    ["acme/app#999", "is no pull request"],
    ["nonsense", "That is no pull request."],
    ["acme/elsewhere#1", "the App is not installed on"],
  ] as const)
    await told(pullName, said);
});

test("an App that is there is not overwritten, unless the box says so; then what is stored of it is moved aside", async () => {
  const browser = await withToken(adminToken);
  const old = readFileSync(join(dataDir, "github/private-key.pem"), "utf8");
  const refused = await depart(browser, { name: "Watch 2" });
  expect(refused.status).toBe(400);
  expect(wordsOf(refused)).toContain("There is a GitHub App already, and it is not overwritten.");
  const departure = await depart(browser, { name: "Watch 2", replace: "yes" });
  const page = await browser.open((await cameBack(departure)).href);
  expect(page.status).toBe(200);
  const [, aside = ""] = /Those of the App before are in <code>([^<]+)</.exec(page.text) ?? [];
  expect(readFileSync(join(aside, "private-key.pem"), "utf8")).toBe(old);
  expect(readFileSync(join(dataDir, "github/private-key.pem"), "utf8")).toBe(scene.github.apps.named("watch-2").pem);
});

test("where no App is, people cannot sign in with GitHub, and are not offered to", async () => {
  const page = await scene.browser().open(`${home}/sign-in`);
  expect(wordsOf(page)).not.toContain("Sign in with GitHub");
  expect((await scene.browser().open(`${home}/sign-in/github`)).status).toBe(404);
});
