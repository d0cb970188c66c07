/** Signing in with GitHub: who comes back is who left, once; and what was signed in ends. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { isReplicated } from "../../standins/replicas.ts";
import type { Browser, Visited } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import { home, type PeopleScene, signIn, signInWithToken, startPeople } from "./scene.ts";

let scene: PeopleScene;

beforeAll(async () => {
  scene = await startPeople();
});
afterAll(async () => {
  await scene.close();
});

const personCookie = (browser: Browser): string | undefined => browser.cookies(home).get("dogwatch_person")?.value;
const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.open(`${home}/approvals`)).status === 200;
const wordsOf = (page: Visited): string => textOf(page.html).replaceAll(/\s+/g, " ");

/** The address with which GitHub sends a browser back, before it is opened. */
async function cameBack(browser: Browser, login: string): Promise<URL> {
  scene.github.visitors.preset(login);
  const away = await fetch(`${scene.url}/sign-in/github?to=/approvals`, {
    redirect: "manual",
    headers: { cookie: browser.header(home) },
  });
  for (const line of away.headers.getSetCookie()) {
    const [, value = ""] = /^dogwatch_browser=([^;]+)/.exec(line) ?? [];
    (browser.cookies(home) as Map<string, unknown>).set("dogwatch_browser", { value, attributes: "" });
  }
  const back = await fetch(away.headers.get("location") ?? "", { redirect: "manual" });
  scene.github.visitors.preset(null);
  return new URL(back.headers.get("location") ?? "");
}

test("a person signs in with GitHub and comes to the page that was asked for", async () => {
  const browser = scene.browser();
  const stranger = await browser.open(`${home}/approvals?cursor=`);
  expect(stranger.status).toBe(401);
  const page = await signIn(browser, scene.github, { login: "octocat", to: "/approvals?x=1" });
  expect(page.url).toBe(`${home}/approvals?x=1`);
  expect(page.status).toBe(200);
  expect(wordsOf(page)).toContain("github:octocat");
  const asked = new URL(browser.visited.find((url) => url.includes("/login/oauth/authorize")) ?? "");
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    client_id: scene.app.client_id,
    redirect_uri: `${home}/sign-in/github/callback`,
    state: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: "S256",
    allow_signup: "false",
  });
  const event = await scene.audited(/^sign_in .*octocat/);
  expect(event).toMatchObject({ who: "github:octocat", what: "/approvals?x=1" });
});

test("the button on the page for strangers leads back to it", async () => {
  const browser = scene.browser();
  scene.github.visitors.preset("octocat");
  const page = await browser.follow(await browser.open(`${home}/approvals?y=2`), /^Sign in with GitHub$/);
  scene.github.visitors.preset(null);
  expect(page.url).toBe(`${home}/approvals?y=2`);
  expect(page.status).toBe(200);
});

test("the cookie is worth nothing but a row, and nothing of GitHub's is kept", async () => {
  const browser = await scene.as("octocat");
  const { value, attributes } = browser.cookies(home).get("dogwatch_person") ?? { value: "", attributes: "" };
  expect(value).toMatch(/^[\w-]{43}$/);
  expect(attributes).toMatch(/HttpOnly/);
  expect(attributes).toMatch(/SameSite=Lax/);
  expect(attributes).toMatch(/Path=\//);
  const tables = ["sign_ins", "round_trips", "audit_events"];
  await scene.audited(/^sign_in /);
  const stored = JSON.stringify(
    await Promise.all(tables.map((table) => scene.scene.database.query(`SELECT * FROM ${table}`))),
  );
  expect(stored).not.toContain(value);
  expect(stored + scene.log.join("\n")).not.toMatch(/ghu_|gho_/);
  expect(scene.log.join("\n")).not.toContain(value);
  const secret = scene.app.client_secret;
  expect(stored + scene.log.join("\n")).not.toContain(secret);
});

test("each sign-in has a cookie of its own, and the one before ends: a cookie that somebody planted never becomes anybody", async () => {
  const browser = await scene.as("octocat");
  const before = browser.copy();
  await signIn(browser, scene.github, { login: "hubot", to: "/approvals" });
  expect(personCookie(browser)).not.toBe(personCookie(before));
  expect(await isSignedIn(before)).toBe(false);
  const planted = scene.browser();
  const chosen = "A".repeat(43);
  (planted.cookies(home) as Map<string, unknown>).set("dogwatch_person", { value: chosen, attributes: "" });
  await signIn(planted, scene.github, { login: "octocat", to: "/approvals" });
  expect(personCookie(planted)).not.toBe(chosen);
  const attacker = scene.browser();
  (attacker.cookies(home) as Map<string, unknown>).set("dogwatch_person", { value: chosen, attributes: "" });
  expect(await isSignedIn(attacker)).toBe(false);
});

test("a way back is good once", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser, "octocat");
  expect((await browser.open(back.href)).status).toBe(200);
  const again = await browser.copy().open(back.href);
  expect(again.status).toBe(403);
  expect(wordsOf(again)).toContain("did not begin in this browser, was finished before, or took longer");
});

test.each([
  ["another browser's", async (back: URL) => ({ browser: scene.browser(), url: back })],
  [
    "another browser's, which was on its way too",
    async (back: URL) => {
      const other = scene.browser();
      await cameBack(other, "octocat");
      return { browser: other, url: back };
    },
  ],
])("a way back that is %s is refused, and leaves it to the one that began it", async (_whose, theirs) => {
  const mine = scene.browser();
  const back = await cameBack(mine, "octocat");
  const { browser, url } = await theirs(back);
  const page = await browser.open(url.href, `${scene.github.url}/`);
  expect(page.status).toBe(403);
  expect(await isSignedIn(browser)).toBe(false);
  expect((await mine.open(back.href)).status).toBe(200);
});

test.each([
  ["invented", (back: URL) => back.searchParams.set("state", "B".repeat(43))],
  ["empty", (back: URL) => back.searchParams.set("state", "")],
  ["missing", (back: URL) => back.searchParams.delete("state")],
])("a state that is %s signs nobody in", async (_how, change) => {
  const browser = scene.browser();
  const back = await cameBack(browser, "octocat");
  change(back);
  const page = await browser.open(back.href);
  expect(page.status).toBe(403);
  expect(await isSignedIn(browser)).toBe(false);
});

test("a state is good for ten minutes", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser, "octocat");
  await scene.scene.database.query("UPDATE round_trips SET expires_at = now() - interval '1 second'");
  expect((await browser.open(back.href)).status).toBe(403);
});

test("a code that was used, somebody else's code, and no code sign nobody in, in words", async () => {
  const [one, other] = [scene.browser(), scene.browser()];
  const used = await cameBack(one, "octocat");
  await one.open(used.href);
  for (const change of [
    (back: URL) => back.searchParams.set("code", used.searchParams.get("code") ?? ""),
    (back: URL) => back.searchParams.set("code", "0".repeat(20)),
    (back: URL) => back.searchParams.delete("code"),
  ]) {
    const back = await cameBack(other, "octocat");
    change(back);
    const page = await other.open(back.href);
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toMatch(/Go back and sign in again/);
    expect(await isSignedIn(other)).toBe(false);
  }
});

test("a stolen code is worth nothing without the browser that it was for: the verifier is not the same", async () => {
  const [victim, thief] = [scene.browser(), scene.browser()];
  const theirs = await cameBack(victim, "octocat");
  const own = await cameBack(thief, "hubot");
  own.searchParams.set("code", theirs.searchParams.get("code") ?? "");
  const page = await thief.open(own.href);
  expect(page.status).toBe(403);
  expect(wordsOf(page)).toContain("GitHub does not accept the code");
});

test("whoever does not agree on GitHub is told so", async () => {
  const browser = scene.browser();
  const page = await browser.submit(await browser.open(`${home}/sign-in/github`), /authorize/, { login: "" });
  expect(page.status).toBe(403);
  expect(wordsOf(page)).toContain("You did not agree on GitHub's page.");
  expect(await scene.audited(/sign_in_refused GitHub You did not agree/)).toBeDefined();
});

test("what GitHub says in its own words stays words", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser, "octocat");
  back.searchParams.delete("code");
  back.searchParams.set("error", `<script>alert(1)</script>"'`);
  const page = await browser.open(back.href);
  expect(page.text).not.toContain("<script");
  expect(all(page.html, "script")).toEqual([]);
});

test.each([
  "https://evil.example/",
  "//evil.example",
  "/\\evil.example",
  "javascript:alert(1)",
  "/a\r\nSet-Cookie: b=c",
  "http:evil",
])("nobody is sent to %j after signing in", async (to) => {
  const page = await signIn(scene.browser(), scene.github, { login: "octocat", to });
  expect(page.url).toBe(`${home}/approvals`);
});

test("signing out ends the sign-in everywhere, by a form of ours alone", async () => {
  const browser = await scene.as("octocat");
  const copy = browser.copy();
  const page = await browser.open(`${home}/approvals`);
  for (const [from, fields] of [
    [`${home}/approvals`, new URLSearchParams()],
    [`${home}/approvals`, new URLSearchParams({ form: "A".repeat(43) })],
    ["https://evil.example/", new URLSearchParams({ form: formTokenIn(page) })],
  ] as const) {
    const refused = await browser.copy().post(`${home}/sign-out`, fields, from);
    expect(refused.status).toBe(403);
    expect(await isSignedIn(copy)).toBe(true);
  }
  const out = await browser.submit(page, /sign-out/);
  expect(out.url).toBe(`${home}/sign-in`);
  expect(personCookie(browser)).toBeUndefined();
  expect(await isSignedIn(copy)).toBe(false);
  expect(await scene.audited(/^sign_out GitHub/)).toMatchObject({ who: "github:octocat" });
});

test("a form of one sign-in is none of another's", async () => {
  const [one, other] = [await scene.as("octocat"), await scene.as("octocat")];
  const form = formTokenIn(await one.open(`${home}/approvals`));
  expect(formTokenIn(await other.open(`${home}/approvals`))).not.toBe(form);
  expect((await other.post(`${home}/sign-out`, new URLSearchParams({ form }), `${home}/approvals`)).status).toBe(403);
});

test("a sign-in ends after twelve hours, and after four in which nobody used it", async () => {
  for (const change of ["expires_at = now() - interval '1 second'", "used_at = now() - interval '4 hours 1 second'"]) {
    const browser = await scene.as("octocat");
    expect(await isSignedIn(browser)).toBe(true);
    await scene.scene.database.query(`UPDATE sign_ins SET ${change}`);
    expect(await isSignedIn(browser)).toBe(false);
  }
});

test("an account of another GitHub than the configured one is nobody", async () => {
  const browser = await scene.as("octocat");
  await scene.scene.database.query("UPDATE sign_ins SET issuer = 'https://github.example.com'");
  expect(await isSignedIn(browser)).toBe(false);
});

test("a person with a token too is both, and signs out of both", async () => {
  const browser = await scene.as("octocat");
  const page = await signInWithToken(browser, auditorToken);
  expect(page.status).toBe(200);
  const words = wordsOf(await browser.open(`${home}/sessions`));
  expect(words).toContain("github:octocat · tests (auditor)");
  await browser.submit(await browser.open(`${home}/sessions`), /sign-out/);
  expect((await browser.open(`${home}/sessions`)).status).toBe(401);
});

test("an address that signs in too often is told to slow down", async ({ skip }) => {
  skip(isReplicated, "how often an address signs in is counted by each gateway for itself");
  const statuses: number[] = [];
  for (let tries = 0; tries < 310; tries++)
    statuses.push((await fetch(`${scene.url}/sign-in/github`, { redirect: "manual" })).status);
  expect(statuses.at(-1)).toBe(429);
});

const formTokenIn = (page: Visited): string =>
  all(page.html, "input")
    .find(({ attributes }) => attributes.get("name") === "form")
    ?.attributes.get("value") ?? "";
