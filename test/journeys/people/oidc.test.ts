/** Signing in with a real OpenID Connect provider: what its groups give, and how it ends. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Browser, Visited } from "../../standins/browser.ts";
import { realClient, type RealProvider, startProvider } from "../../standins/oidcProvider.ts";
import { auditorToken, exchange } from "../../standins/world.ts";
import { formTokenOf, isSignedIn, type OidcScene, personCookie, startOidc, wordsOf } from "./oidcScene.ts";
import { home } from "./scene.ts";

let provider: RealProvider;
let scene: OidcScene;

const signInOf = (roles: string, more = ""): string =>
  `signIn: { oidc: [{ name: acme, issuer: "${provider.url}", clientId: ${realClient.id}, clientSecret: ${realClient.secret}, scopes: [groups], login: $.email, roles: ${roles}${more} }] }`;
const usual = "{ viewer: [everyone], approver: [sre], auditor: [security], admin: [platform-leads] }";

beforeAll(async () => {
  provider = await startProvider(`${home}/sign-in/acme/callback`);
  const { accounts } = provider;
  accounts.set("u-1", { email: "ana@acme.com", email_verified: true, groups: ["everyone", "security"] });
  accounts.set("u-2", { email: "bo@acme.com", email_verified: true, groups: ["everyone"] });
  accounts.set("u-3", { email: "cy@acme.com", email_verified: true, groups: ["everyone", "sre", "platform-leads"] });
  accounts.set("u-4", { email: "di@acme.com", email_verified: true, groups: ["sales"] });
  accounts.set("u-5", { email: "ana@acme.com", email_verified: false, groups: ["platform-leads"] });
  accounts.set("u-6", { email: "el@acme.com", email_verified: true, groups: "security" });
  accounts.set("u-7", { email: "fu@acme.com", email_verified: true, groups: { security: true } });
  scene = await startOidc(signInOf(usual));
});
afterAll(async () => {
  await scene.close();
  await provider.close();
});
beforeEach(() => {
  provider.visitor = null;
});

async function as(account: string): Promise<{ readonly browser: Browser; readonly page: Visited }> {
  const browser = scene.browser();
  provider.visitor = account;
  const page = await browser.open(`${home}/sign-in/acme?to=${encodeURIComponent("/sessions?x=1")}`);
  return { browser, page };
}

test("the page for strangers leads to the provider and back to what was asked for, as whom the provider names", async () => {
  const browser = scene.browser();
  provider.visitor = "u-1";
  const page = await browser.follow(await browser.open(`${home}/sessions?y=2`), /^Sign in with acme$/);
  expect([page.url, page.status]).toEqual([`${home}/sessions?y=2`, 200]);
  expect(wordsOf(page)).toContain("acme:ana@acme.com");
  const asked = new URL(browser.visited.find((url) => url.startsWith(`${provider.url}/auth?`)) ?? "");
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    client_id: realClient.id,
    redirect_uri: `${home}/sign-in/acme/callback`,
    response_type: "code",
    scope: "openid profile email groups",
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: "S256",
  });
  // RFC 9207: the provider says who it is on the way back.
  const back = new URL(browser.visited.find((url) => url.includes("/sign-in/acme/callback")) ?? "");
  expect(back.searchParams.get("iss")).toBe(provider.url);
  expect(await scene.audited(/^sign_in \/sessions\?y=2 /)).toMatchObject({
    who: "acme:ana@acme.com",
    reason: `${provider.url}/ana@acme.com, account u-1, auditor`,
  });
});

test("the strongest role that a group gives counts, and says what is seen", async () => {
  const { session_id } = await scene.openSession();
  const seen = async (account: string) => {
    const { browser } = await as(account);
    const me = await fetch(`${scene.url}/v1/me`, { headers: { cookie: browser.header(home) } });
    const { role, kind } = (await me.json()) as { role: string; kind: string };
    const statuses = await Promise.all(
      ["/v1/sessions", `/v1/sessions/${session_id}`, "/v1/audit", "/v1/proof?all=true"].map(
        async (path) => (await fetch(scene.url + path, { headers: { cookie: browser.header(home) } })).status,
      ),
    );
    return [kind, role, ...statuses];
  };
  expect(await seen("u-1")).toEqual(["person", "auditor", 200, 200, 200, expect.toBeOneOf([200, 503])]);
  expect(await seen("u-6")).toEqual(["person", "auditor", 200, 200, 200, expect.toBeOneOf([200, 503])]);
  expect(await seen("u-3")).toEqual(["person", "admin", 200, 200, 200, expect.toBeOneOf([200, 503])]);
  // No repository is theirs: the list is empty, and a session is not there.
  expect(await seen("u-2")).toEqual(["person", "viewer", 200, 404, 403, 403]);
});

test("whoever has no repositories is told why nothing can be searched, and what works; an auditor is asked what for", async () => {
  const { browser } = await as("u-2");
  for (const path of ["/search", "/search?q=Checkout"]) {
    const page = await browser.open(home + path);
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toContain("You are signed in as acme:bo@acme.com.");
    expect(wordsOf(page)).toContain("under Approvals");
    // Nobody can sign in with GitHub at this gateway.
    expect(wordsOf(page)).not.toContain("Sign in with GitHub");
  }
  expect((await (await as("u-1")).browser.open(`${home}/search`)).text).toContain('role="search"');
});

test.each([
  ["no group of theirs gives a role", "u-4", "gives 'di@acme.com' a role here"],
  ["their e-mail address, which names them, is not verified", "u-5", "your e-mail address is not verified"],
  ["their groups are no list", "u-7", "its groups claim is no list of names"],
])("nobody is let in when %s", async (_why, account, said) => {
  const { browser, page } = await as(account);
  expect(page.status).toBe(403);
  expect(wordsOf(page)).toMatch(new RegExp(said, "i"));
  expect(personCookie(browser)).toBeUndefined();
  expect(await isSignedIn(browser)).toBe(false);
});

test("whoever does not agree on the provider's page is told so, and it is on record", async () => {
  const page = await scene.browser().open(`${home}/sign-in/acme`);
  expect(page.status).toBe(403);
  expect(wordsOf(page)).toContain("You did not agree on acme's page");
  expect(await scene.audited(/^sign_in_refused acme You did not agree/)).toBeDefined();
});

test("the cookie is worth nothing but a row; no token of the provider's and no secret is kept, logged or shown", async () => {
  const { browser } = await as("u-1");
  const { value, attributes } = browser.cookies(home).get("dogwatch_person") ?? { value: "", attributes: "" };
  expect(value).toMatch(/^[\w-]{43}$/);
  for (const attribute of [/HttpOnly/, /SameSite=Lax/, /Path=\//]) expect(attributes).toMatch(attribute);
  const rows = await Promise.all(
    ["sign_ins", "round_trips", "audit_events"].map((table) => scene.database.query(`SELECT * FROM ${table}`)),
  );
  const kept = JSON.stringify(rows) + scene.log.join("\n");
  expect(kept).not.toContain(value);
  expect(kept).not.toContain(realClient.secret);
  expect(kept).not.toMatch(/eyJ[\w-]+\.eyJ/);
});

test("each sign-in has a cookie of its own and ends the one before: what somebody planted never becomes anybody", async () => {
  const planted = scene.browser();
  const chosen = "A".repeat(43);
  (planted.cookies(home) as Map<string, unknown>).set("dogwatch_person", { value: chosen, attributes: "" });
  provider.visitor = "u-1";
  await planted.open(`${home}/sign-in/acme`);
  expect(personCookie(planted)).toMatch(/^[\w-]{43}$/);
  expect(personCookie(planted)).not.toBe(chosen);
  const before = planted.copy();
  await planted.open(`${home}/sign-in/acme`);
  expect(await isSignedIn(planted)).toBe(true);
  expect(await isSignedIn(before)).toBe(false);
});

test("signing out in one browser signs out in every one, and nobody else", async () => {
  const [here, there, other] = [(await as("u-1")).browser, (await as("u-1")).browser, (await as("u-3")).browser];
  await here.submit(await here.open(`${home}/sessions`), /sign-out/);
  expect(personCookie(here)).toBeUndefined();
  expect(await isSignedIn(there)).toBe(false);
  expect(await isSignedIn(other)).toBe(true);
  expect(await scene.audited(/^sign_out acme asked to, in every browser/)).toMatchObject({ who: "acme:ana@acme.com" });
});

test("a sign-in ends after twelve hours, and after four in which nobody used it", async () => {
  for (const change of ["expires_at = now() - interval '1 second'", "used_at = now() - interval '4 hours 1 second'"]) {
    const { browser } = await as("u-1");
    await scene.database.query(`UPDATE sign_ins SET ${change}`);
    expect(await isSignedIn(browser)).toBe(false);
  }
});

test("when the configuration gives other roles, everybody signs in again, and has what it gives then", async () => {
  const { browser } = await as("u-1");
  await scene.configure(signInOf("{ viewer: [everyone] }"));
  expect(await isSignedIn(browser)).toBe(false);
  const again = await as("u-1");
  const audit = await fetch(`${scene.url}/v1/audit`, { headers: { cookie: again.browser.header(home) } });
  expect(audit.status).toBe(403);
  // A provider that is not configured any more has nobody.
  await scene.configure("signIn: { oidc: [] }");
  expect(await isSignedIn(again.browser)).toBe(false);
  expect((await scene.browser().open(`${home}/sign-in/acme`)).status).toBe(404);
  await scene.configure(signInOf(usual));
});

test.each([
  "https://evil.example/",
  "//evil.example",
  "/\\evil.example",
  "javascript:alert(1)",
  "/a\r\nSet-Cookie: b=c",
])("nobody is sent to %j after signing in", async (to) => {
  provider.visitor = "u-1";
  const page = await scene.browser().open(`${home}/sign-in/acme?to=${encodeURIComponent(to)}`);
  expect(page.url).toBe(`${home}/approvals`);
});

test("a change by cookie takes the form token of that very sign-in, and a page of this gateway", async () => {
  const { browser } = await as("u-3");
  const other = (await as("u-3")).browser;
  const own = await formTokenOf(browser);
  const send = async (headers: Readonly<Record<string, string>>): Promise<number> => {
    const answer = await fetch(`${scene.url}/v1/masked-values/reveal`, {
      method: "POST",
      headers: { cookie: browser.header(home), "content-type": "application/json", ...headers },
      body: JSON.stringify({ token: "dwm_text_AAAA", reason: "asked by a test" }),
    });
    return answer.status;
  };
  const here = { "sec-fetch-site": "same-origin" };
  expect(await send({ ...here, "dogwatch-form": own })).toBe(404);
  for (const headers of [
    {},
    here,
    { "dogwatch-form": own },
    { ...here, "dogwatch-form": `${own}x` },
    { ...here, "dogwatch-form": await formTokenOf(other) },
    { "sec-fetch-site": "cross-site", "dogwatch-form": own },
    { "sec-fetch-site": "same-site", "dogwatch-form": own },
    { origin: "https://evil.example", "dogwatch-form": own },
  ])
    expect(await send(headers)).toBe(403);
  const me = await fetch(`${scene.url}/v1/me`, { headers: { cookie: browser.header(home) } });
  expect(await me.json()).toEqual({ name: "acme:cy@acme.com", kind: "person", role: "admin", form: own });
  expect((await fetch(`${scene.url}/v1/me`)).status).toBe(401);
  const token = await fetch(`${scene.url}/v1/me`, { headers: { authorization: `Bearer ${auditorToken}` } });
  expect(await token.json()).toEqual({ name: "tests (auditor)", kind: "access_token", role: "auditor", form: null });
});

test("an approver sees and answers the questions that ask their group; a viewer of the group, and an approver of another, see none", async () => {
  const github = `kind: github, issuer: "${scene.issuer.url}", audience: "http://gateway.test", allow: 'caller.repository_owner_id == "1234"'`;
  await scene.edit(github, `kind: oidc, issuer: "${scene.issuer.url}", audience: "http://gateway.test", allow: "true"`);
  await scene.edit(
    "{ name: everything, effect: allow, when: 'true' }",
    `{ name: ask, effect: approve, when: 'operation.access == "destructive"', approvers: { groups: [sre] }, via: [page] }`,
  );
  provider.accounts.set("u-8", { email: "gi@acme.com", email_verified: true, groups: ["others"] });
  await scene.configure(signInOf("{ viewer: [everyone], approver: [sre, others], auditor: [security] }"));
  const token = await scene.issuer.sign({ sub: "agent-7", aud: home });
  const { access_token, session_id } = await exchange(scene.url, token);
  const asked = await fetch(`${scene.url}/api/v1/monitor/4212`, {
    method: "DELETE",
    headers: { "dd-api-key": access_token, prefer: "respond-async" },
  });
  const id = asked.headers.get("dogwatch-approval") ?? "";
  expect([asked.status, id]).toEqual([202, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  provider.accounts.set("u-2", { email: "bo@acme.com", email_verified: true, groups: ["everyone"] });
  for (const account of ["u-2", "u-8"]) {
    const { browser } = await as(account);
    expect((await browser.open(`${home}/approvals`)).text).not.toContain(id);
    expect((await browser.open(`${home}/approvals/${id}`)).status).toBe(404);
    expect((await browser.open(`${home}/approvals/${id}/state`)).status).toBe(404);
    const fields = new URLSearchParams({ form: await formTokenOf(browser), verdict: "approve" });
    expect((await browser.post(`${home}/approvals/${id}`, fields, `${home}/approvals/${id}`)).status).toBe(404);
  }
  const { browser } = await as("u-3");
  expect((await browser.open(`${home}/approvals`)).text).toContain(id);
  // The question is theirs to see; the recording is not.
  expect((await browser.open(`${home}/sessions/${session_id}`)).status).toBe(404);
  const page = await browser.open(`${home}/approvals/${id}`);
  expect(wordsOf(page)).toContain("You answer as acme:cy@acme.com.");
  expect(page.text).not.toContain(`/sessions/${session_id}`);
  const after = await browser.submit(page, /Approve this request/, { verdict: "approve", reason: "fine" });
  expect(wordsOf(after)).toContain("Approved by acme:cy@acme.com (this page)");
});
