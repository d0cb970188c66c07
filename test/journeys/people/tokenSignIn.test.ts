/** Signing in with an access token, or once with a link: the cookie is worth a row, and ends with it, with the token, and with time. */

import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { isReplicated } from "../../standins/replicas.ts";
import type { Browser } from "../../standins/browser.ts";
import { auditorToken } from "../../standins/world.ts";
import { adminToken, home, signInWithToken } from "./scene.ts";
import { auditorAndAdmin, formTokenOf, type OidcScene, startOidc, wordsOf } from "./oidcScene.ts";

let scene: OidcScene;

beforeAll(async () => {
  scene = await startOidc("");
});
afterAll(async () => {
  await scene.close();
});

const cookieOf = (browser: Browser): string | undefined => browser.cookies(home).get("dogwatch_sign_in")?.value;
const plant = (browser: Browser, value: string): void =>
  void (browser.cookies(home) as Map<string, unknown>).set("dogwatch_sign_in", { value, attributes: "" });
const isIn = async (browser: Browser): Promise<boolean> => (await browser.open(`${home}/sessions`)).status === 200;
const digestOf = (cookie: string): Buffer => createHash("sha256").update(cookie).digest();

const as = async (token: string): Promise<Browser> => {
  const browser = scene.browser();
  await signInWithToken(browser, token);
  return browser;
};

test("the cookie is random, new at every sign-in, ends the one before, and nothing of it or the token is kept", async () => {
  const browser = scene.browser();
  const chosen = "A".repeat(43);
  plant(browser, chosen);
  await signInWithToken(browser, auditorToken);
  const first = browser.copy();
  expect(cookieOf(first)).toMatch(/^[\w-]{43}$/);
  expect(cookieOf(first)).not.toBe(chosen);
  await signInWithToken(browser, auditorToken);
  expect(await isIn(browser)).toBe(true);
  expect(await isIn(first)).toBe(false);
  const kept = JSON.stringify(await scene.database.query("SELECT * FROM sign_ins")) + scene.log.join("\n");
  expect(kept).not.toContain(cookieOf(browser));
  expect(kept).not.toContain(auditorToken);
});

test("signing out ends every copy of the cookie; whoever else holds the token stays", async () => {
  const [browser, colleague] = [await as(auditorToken), await as(auditorToken)];
  const copy = browser.copy();
  await browser.submit(await browser.open(`${home}/sessions`), /sign-out/);
  expect(await isIn(copy)).toBe(false);
  expect(await isIn(colleague)).toBe(true);
});

test("a sign-in ends after twelve hours, and after four in which nobody used it", async () => {
  for (const change of ["expires_at = now() - interval '1 second'", "used_at = now() - interval '4 hours 1 second'"]) {
    const browser = await as(auditorToken);
    await scene.database.query(`UPDATE sign_ins SET ${change}`);
    expect(await isIn(browser)).toBe(false);
  }
});

test("another token under the same name, and another role of it, end its sign-ins", async () => {
  const browser = await as(auditorToken);
  const boss = await as(adminToken);
  await scene.edit(adminToken, "another-token-of-the-tests-0123456789");
  expect(await isIn(boss)).toBe(false);
  expect(await isIn(browser)).toBe(true);
  await scene.edit("name: boss, role: admin", "name: boss, role: auditor");
  await scene.edit("another-token-of-the-tests-0123456789", adminToken);
  const demoted = await as(adminToken);
  await scene.edit("name: boss, role: auditor", "name: boss, role: admin");
  expect(await isIn(demoted)).toBe(false);
  expect(auditorAndAdmin).toContain(adminToken);
});

test("whoever writes into the database and knows no token signs nobody in as its holder", async () => {
  const cookie = randomBytes(32).toString("base64url");
  for (const terms of [Buffer.alloc(32), digestOf(cookie), digestOf("boss")])
    await scene.database.query(
      `INSERT INTO sign_ins (digest, provider, issuer, subject, login, groups, terms, expires_at)
       VALUES ($1, 'accessToken', '', 'boss', 'boss', '[]', $2, now() + interval '1 hour') ON CONFLICT (digest) DO UPDATE SET terms = EXCLUDED.terms`,
      [digestOf(cookie), terms],
    );
  const browser = scene.browser();
  plant(browser, cookie);
  expect(await isIn(browser)).toBe(false);
});

test("a form on another site signs nobody in", async () => {
  for (const from of ["https://evil.example/", "http://evil.gateway.test/"]) {
    const browser = scene.browser();
    const answer = await browser.post(`${home}/sign-in`, new URLSearchParams({ token: auditorToken }), from);
    expect(answer.status).toBe(403);
    expect(cookieOf(browser)).toBeUndefined();
  }
});

test("a wrong token is refused, on record, and not repeated there", async () => {
  const browser = scene.browser();
  const page = await signInWithToken(browser, "a-guess-that-is-wrong");
  expect(page.status).toBe(401);
  expect(await scene.audited(/^sign_in_refused .*no such access token/)).toBeDefined();
  expect(JSON.stringify(await scene.audit())).not.toContain("a-guess-that-is-wrong");
});

const oneGateway = "a link is good at the gateway that made it";

test("a link signs in once, within ten minutes, and leads where it was made for", async ({ skip }) => {
  skip(isReplicated, oneGateway);
  const path = scene.gateway.invite("boss", "/sessions?z=1");
  expect(path).toMatch(/^\/sign-in\/once\/[\w-]{43}$/);
  const browser = scene.browser();
  const page = await browser.open(home + path);
  expect([page.url, page.status]).toEqual([`${home}/sessions?z=1`, 200]);
  expect(wordsOf(page)).toContain("boss (admin)");
  const second = await scene.browser().open(home + path);
  expect(second.status).toBe(401);
  expect(wordsOf(second)).toContain("has been used or has expired");
  expect(await scene.audited(/^sign_in \/sessions\?z=1 link that works once/)).toMatchObject({ who: "boss (admin)" });
  expect(await scene.audited(/^sign_in_refused link that works once/)).toBeDefined();
  expect(scene.log.join("\n")).not.toContain(path.split("/").at(-1));
});

test("of many who open a link at once one is signed in", async ({ skip }) => {
  skip(isReplicated, oneGateway);
  const path = scene.gateway.invite("tests", "/sessions");
  const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(scene.url + path, { redirect: "manual" })));
  expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(9);
});

test("a link is no good after ten minutes, for a token that is gone, or on another site's page, where it stays whole", async ({
  skip,
}) => {
  skip(isReplicated, oneGateway);
  const late = scene.gateway.invite("tests", "/sessions");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10 * 60_000 + 1_000 });
  try {
    expect((await scene.browser().open(home + late)).status).toBe(401);
  } finally {
    vi.useRealTimers();
  }
  expect((await scene.browser().open(home + scene.gateway.invite("nobody", "/sessions"))).status).toBe(401);
  const path = scene.gateway.invite("tests", "/sessions");
  expect((await scene.browser().open(home + path, "https://evil.example/")).status).toBe(403);
  expect((await scene.browser().open(home + path)).status).toBe(200);
});

test("when the database does not say who is signed in, nobody is", async () => {
  const browser = await as(auditorToken);
  await scene.database.query("ALTER TABLE sign_ins RENAME TO sign_ins_away");
  try {
    for (const path of ["/sessions", "/v1/sessions", "/setup/github"]) {
      const answer = await fetch(scene.url + path, { headers: { cookie: browser.header(home) } });
      expect(answer.status).toBe(503);
    }
  } finally {
    await scene.database.query("ALTER TABLE sign_ins_away RENAME TO sign_ins");
  }
  expect(await isIn(browser)).toBe(true);
});

test("a guess costs: an address that tries links or tokens too often is told to slow down", async ({ skip }) => {
  skip(isReplicated, "how often an address signs in is counted by each gateway for itself");
  const form = await formTokenOf(await as(adminToken));
  expect(form).not.toBe("");
  for (const path of ["/sign-in/once/AAAA", "/sign-in"]) {
    const statuses: number[] = [];
    for (let tries = 0; tries < 40; tries++) {
      const method = path === "/sign-in" ? "POST" : "GET";
      statuses.push((await fetch(scene.url + path, { method, redirect: "manual" })).status);
    }
    expect(statuses.at(-1)).toBe(429);
  }
});
