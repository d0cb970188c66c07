/** Providers, and people between them and the gateway, that do what no honest one does: nobody is signed in, and nothing is believed. */

import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Browser, Visited } from "../../standins/browser.ts";
import { type HostileProvider, startHostileProvider } from "../../standins/hostileProvider.ts";
import { home } from "./scene.ts";
import { goAway, isSignedIn, type OidcScene, startOidc, wordsOf } from "./oidcScene.ts";

const clientId = "dogwatch-of-the-tests";
let acme: HostileProvider;
let evil: HostileProvider;
let scene: OidcScene;
let codes = 0;

const entryOf = (name: string, { url }: HostileProvider): string =>
  `{ name: ${name}, issuer: "${url}", clientId: ${clientId}, clientSecret: a-secret-of-${name}-0123456789, roles: { auditor: [security] } }`;

beforeAll(async () => {
  [acme, evil] = await Promise.all([startHostileProvider(clientId), startHostileProvider(clientId)]);
  scene = await startOidc(`signIn: { oidc: [${entryOf("acme", acme)}, ${entryOf("evil", evil)}] }`);
});
afterAll(async () => {
  await scene.close();
  await Promise.all([acme.close(), evil.close()]);
});
beforeEach(() => {
  acme.reset();
  evil.reset();
});

/** The address with which the provider sends a browser back, before it is opened. */
async function cameBack(browser: Browser, more: Readonly<Record<string, string | null>> = {}): Promise<URL> {
  const away = await goAway(scene, browser, "acme");
  const back = new URL(`${home}/sign-in/acme/callback`);
  const said = {
    code: `${acme.nonceOf(away)}.${++codes}`,
    state: away.searchParams.get("state") ?? "",
    iss: acme.url,
    ...more,
  };
  for (const [name, value] of Object.entries(said)) if (value !== null) back.searchParams.set(name, value);
  return back;
}

async function refused(browser: Browser, back: URL): Promise<Visited> {
  const page = await browser.open(back.href, `${acme.url}/`);
  expect(page.status).toBe(403);
  expect(await isSignedIn(browser)).toBe(false);
  return page;
}

test("what an honest one does signs in", async () => {
  const browser = scene.browser();
  const page = await browser.open((await cameBack(browser)).href, `${acme.url}/`);
  expect([page.url, page.status]).toEqual([`${home}/approvals`, 200]);
  // With its secret in the header that the specification names, and the verifier that only this browser's cookie makes.
  expect(acme.exchanges.at(-1)?.get("code_verifier")).toMatch(/^[\w-]{43}$/);
  expect(acme.exchanges.at(-1)?.get("redirect_uri")).toBe(`${home}/sign-in/acme/callback`);
});

const inTenMinutes = (): number => Math.floor(Date.now() / 1000) + 600;
test.each<[string, Partial<HostileProvider>, RegExp]>([
  ["is for another browser (nonce)", { claims: { nonce: "another" } }, /nonce/],
  ["has no nonce", { claims: { nonce: undefined } }, /nonce/],
  ["is for another client (aud)", { claims: { aud: "another" } }, /aud/],
  ["is for another client too, which it was made for (azp)", { claims: { aud: [clientId, "b"], azp: "b" } }, /azp/],
  ["is another issuer's (iss)", { claims: { iss: "https://accounts.example.com" } }, /iss/],
  ["has expired", { claims: { exp: 1_700_000_000, iat: 1_600_000_000 } }, /exp/],
  ["is not valid yet", { claims: { nbf: inTenMinutes() } }, /nbf/],
  ["never ends", { claims: { exp: undefined } }, /exp/],
  ["names nobody", { claims: { sub: undefined } }, /sub/],
  ["names somebody by what is not seen", { claims: { sub: "a\u202eb" } }, /names nobody/],
  ["is not signed (none)", { signing: "none" }, /alg/],
  ["is signed with the public key as a secret (HS256)", { signing: "confused" }, /alg/],
  ["is signed with a key that is not published", { signing: "unknown key" }, /key/],
  ["is signed with an algorithm that is published and not configured", { signing: "another algorithm" }, /alg/],
])("an ID token that %s is not believed", async (_how, lie, said) => {
  const browser = scene.browser();
  const back = await cameBack(browser);
  Object.assign(acme, lie);
  const page = await refused(browser, back);
  expect(wordsOf(page)).toMatch(said);
  expect(page.text).not.toMatch(/eyJ|a-secret|access-token/);
});

test("an ID token whose signature was altered is not believed", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser);
  const honest = await acme.issuer.sign({ sub: "account-1", aud: clientId, nonce: back.searchParams.get("code") });
  const [header, , signature] = honest.split(".");
  const claims = { iss: acme.url, sub: "boss", aud: clientId, nonce: "x", groups: ["security"], iat: 1, exp: 1e10 };
  const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
  acme.instead = { status: 200, body: JSON.stringify({ access_token: "a", token_type: "Bearer", id_token: forged }) };
  await refused(browser, back);
});

test("tokens without an ID token name nobody", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser);
  acme.instead = { status: 200, body: JSON.stringify({ access_token: "a", token_type: "Bearer" }) };
  await refused(browser, back);
});

test("groups at the userinfo endpoint are another's unless it speaks of the same subject", async () => {
  acme.claims = { groups: undefined };
  acme.userinfo = { sub: "account-1", groups: ["security"] };
  await scene.configure(`signIn: { oidc: [${entryOf("acme", acme)}, ${entryOf("evil", evil)} ] }`);
  const honest = scene.browser();
  expect((await honest.open((await cameBack(honest)).href)).status).toBe(200);
  acme.userinfo = { sub: "account-2", groups: ["security"] };
  const browser = scene.browser();
  await refused(browser, await cameBack(browser));
  // What the signed token says is not said otherwise there.
  acme.claims = { groups: [] };
  acme.userinfo = { sub: "account-1", groups: ["security"], iss: "x", aud: "x" };
  const listed = scene.browser();
  await refused(listed, await cameBack(listed));
});

test("a code that was used before signs nobody in, and neither does the same way back twice", async () => {
  const [first, second] = [scene.browser(), scene.browser()];
  const back = await cameBack(first);
  expect((await first.open(back.href)).status).toBe(200);
  const again = await first.copy().open(back.href);
  expect(again.status).toBe(403);
  expect(wordsOf(again)).toContain("was finished before");
  const replayed = await cameBack(second, { code: back.searchParams.get("code") ?? "" });
  expect(wordsOf(await refused(second, replayed))).toContain("acme does not accept the code");
});

test("another's code is worth nothing: its ID token is not for this browser", async () => {
  const [victim, thief] = [scene.browser(), scene.browser()];
  const theirs = await cameBack(victim);
  const own = await cameBack(thief, { code: theirs.searchParams.get("code") ?? "" });
  await refused(thief, own);
});

test("nobody is signed in as somebody else by a way back that an attacker began", async () => {
  const attacker = scene.browser();
  const back = await cameBack(attacker);
  const victim = scene.browser();
  await refused(victim, back);
  await goAway(scene, victim, "acme");
  await refused(victim, back);
});

test.each([
  ["is another provider's", () => evil.url],
  ["is missing, although it always says it", () => null],
  ["is empty", () => ""],
])("mix-up: an answer whose iss %s is not believed", async (_how, iss) => {
  const browser = scene.browser();
  const exchanged = acme.exchanges.length;
  await refused(browser, await cameBack(browser, { iss: iss() }));
  // The code went nowhere.
  expect(acme.exchanges).toHaveLength(exchanged);
});

test("mix-up: an answer at one provider's address to a question that went to another is not believed, and its code goes nowhere", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser);
  const exchanged = evil.exchanges.length;
  const elsewhere = new URL(back.href.replace("/sign-in/acme/", "/sign-in/evil/"));
  elsewhere.searchParams.set("iss", evil.url);
  await refused(browser, elsewhere);
  expect(evil.exchanges).toHaveLength(exchanged);
});

test.each(["state", "code", "iss"])("a %s that is there twice is none", async (name) => {
  const browser = scene.browser();
  const back = await cameBack(browser);
  back.searchParams.append(name, "another");
  await refused(browser, back);
});

test("keys are rotated without a word to the gateway", async () => {
  // The minute begins here, however long the tests before took: a configuration that came into force anew has asked for nothing yet.
  await scene.configure(`signIn: { oidc: [${entryOf("acme", acme)}, ${entryOf("evil", evil)}${" ".repeat(++codes)}] }`);
  const before = scene.browser();
  expect((await before.open((await cameBack(before)).href)).status).toBe(200);
  await acme.issuer.rotate();
  // Keys that are not known are asked for again, a minute after the last time at the earliest: anybody can name one.
  const early = scene.browser();
  await refused(early, await cameBack(early));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
  try {
    const late = scene.browser();
    expect((await late.open((await cameBack(late)).href)).status).toBe(200);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ["of another issuer", () => ({ issuer: evil.url })],
  ["without a token endpoint", () => ({ token_endpoint: undefined })],
  ["that sends the code away without TLS", () => ({ token_endpoint: "ftp://evil.example/token" })],
])("a discovery document %s is not believed", async (_how, metadata) => {
  acme.metadata = metadata();
  // A configuration that came into force anew has asked for nothing yet.
  await scene.configure(`signIn: { oidc: [${entryOf("acme", acme)}, ${entryOf("evil", evil)}${" ".repeat(++codes)}] }`);
  const browser = scene.browser();
  const page = await browser.open(`${home}/sign-in/acme`);
  const refusals = page.status === 502 ? page : await refused(browser, await cameBack(browser));
  expect(wordsOf(refusals)).toMatch(/Not signed in/);
  expect(await isSignedIn(browser)).toBe(false);
  acme.reset();
  // What failed is asked for anew.
  await scene.configure(`signIn: { oidc: [${entryOf("acme", acme)}, ${entryOf("evil", evil)}${" ".repeat(++codes)}] }`);
  const other = scene.browser();
  expect((await other.open((await cameBack(other)).href)).status).toBe(200);
});

test.each([
  ["trouble", { status: 500, body: '{"error":"server_error"}' }],
  ["no JSON", { status: 200, body: "<html>" }],
  ["too much", { status: 200, body: JSON.stringify({ access_token: "x".repeat(2_000_000) }) }],
  ["that it does not know this gateway", { status: 401, body: '{"error":"invalid_client"}' }],
])("a token endpoint that answers %s signs nobody in, in words", async (_what, instead) => {
  const browser = scene.browser();
  const back = await cameBack(browser);
  acme.instead = instead;
  const page = await refused(browser, back);
  expect(wordsOf(page)).toMatch(/Not signed in .*acme/);
  expect(page.text).not.toMatch(/a-secret|xxxx/);
});

test("what a provider says in its own words stays words", async () => {
  const browser = scene.browser();
  const back = await cameBack(browser, { code: null, error: `<script>alert(1)</script>` });
  const page = await refused(browser, back);
  expect(page.text).not.toContain("<script");
});
