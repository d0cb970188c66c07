/** The pages of approvals: who sees what, who answers, and that nothing that stands in a question is anything but text. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, Visited } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { auditorToken } from "../../standins/world.ts";
import { home, type PeopleScene, remembered, signIn, signInWithToken, startPeople, viewerToken } from "./scene.ts";

let scene: PeopleScene;

beforeAll(async () => {
  scene = await startPeople({ rule: "approvers: { permission: write }" });
});
afterAll(async () => {
  await scene.close();
});

const wordsOf = (page: Visited): string => textOf(page.html).replaceAll(/\s+/g, " ");
const pageOf = ({ id }: { readonly id: string }): string => `${home}/approvals/${id}`;
const callOf = ({ call_id }: { readonly call_id: string | null }): string =>
  `/sessions/${call_id?.replace("/", "/calls/") ?? ""}`;
const formsOn = (page: Visited): readonly string[] =>
  all(page.html, "form").map(({ attributes }) => attributes.get("action") ?? "");

const withToken = async (token: string): Promise<Browser> => {
  const browser = scene.browser();
  await signInWithToken(browser, token);
  return browser;
};

test("the page asks what the pull request asks, whole, and a person answers it there", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  const page = await browser.open(pageOf(approval));
  expect(page.status).toBe(200);
  const words = wordsOf(page);
  for (const part of [
    "Delete monitor 4212 “Checkout latency p99”",
    "This request to Datadog waits for a person",
    "Nothing was sent yet",
    "acme/app",
    "Started by",
    "mona",
    "rule writes-need-a-human",
    "DELETE https://api.datadoghq.com/api/v1/monitor/4212",
    "v1.MonitorsApi.DeleteMonitor, destructive, on connection prod",
    "One person who has the permission write or more here, but not the run's own people (mona).",
    approval.code,
    "What is deleted",
    `"name": "Checkout latency p99"`,
    "Nobody has answered yet.",
    "You answer as github:octocat.",
  ])
    expect(words).toContain(part);
  const linksOf = (shown: Visited) => all(shown.html, "a").map(({ attributes }) => attributes.get("href") ?? "");
  expect(linksOf(page)).toContain(`/sessions/${approval.session_id}`);
  expect(linksOf(page)).toEqual(
    expect.arrayContaining(approval.where.filter(({ kind }) => kind !== "page").map(({ url }) => url)),
  );
  expect(linksOf(await (await withToken(auditorToken)).open(pageOf(approval)))).toEqual(
    expect.arrayContaining([`/sessions/${approval.session_id}`, callOf(approval)]),
  );
  const after = await browser.submit(page, /Approve this request/, {
    verdict: "approve",
    reason: "  the alert is\n gone ",
  });
  expect(after.url).toBe(pageOf(approval));
  // The call that waits may have been sent by now.
  expect(wordsOf(after)).toMatch(/Approved by github:octocat \(this page\)(\.|, and sent\.)/);
  expect(wordsOf(after)).toContain("github:octocat said approve");
  expect(await scene.approval(approval.id)).toMatchObject({
    state: expect.toBeOneOf(["approved", "consumed"]),
    answers: [{ verdict: "approve", by: "github:octocat", via: "page", accepted: true, reason: "the alert is gone" }],
  });
  expect(formsOn(after)).toEqual(["/sign-out"]);
});

test("a denial with its reason is for good", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  const after = await browser.submit(await browser.open(pageOf(approval)), /Deny/, {
    verdict: "deny",
    reason: "still needed",
  });
  expect(wordsOf(after)).toContain("Denied. Nothing was sent. denied by github:octocat: still needed");
  const late = await (await scene.as("hubot")).post(
    pageOf(approval),
    new URLSearchParams({ form: "x", verdict: "approve" }),
    pageOf(approval),
  );
  expect(late.status).toBe(403);
  expect(await scene.approval(approval.id)).toMatchObject({ state: "denied" });
});

test("an update shows what changes, before and after, and the rest folded", async () => {
  const { approval } = await scene.ask({
    method: "PUT",
    path: "/api/v1/monitor/4212",
    body: JSON.stringify({ name: "Checkout latency p95" }),
  });
  const page = await (await scene.as("octocat")).open(pageOf(approval));
  const changes = all(page.html, "pre").find(({ attributes }) => attributes.get("aria-label") === "What changes");
  expect(changes && textOf(changes).split("\n")).toEqual(
    expect.arrayContaining(['- "name": "Checkout latency p99"', '+ "name": "Checkout latency p95"']),
  );
  expect(all(page.html, "details").map((folded) => textOf(all(folded, "summary")[0] as never))).toEqual([
    "The whole request",
    "What is there now",
  ]);
});

test("strangers are asked to sign in, and learn nothing of what there is", async () => {
  const { approval } = await scene.ask();
  const unknown = { id: "0199c3a1-5f00-7000-8000-000000000001" };
  for (const one of [approval, unknown]) {
    const page = await scene.browser().open(pageOf(one));
    expect(page.status).toBe(401);
    expect(wordsOf(page)).not.toMatch(/monitor|acme/);
    const link = all(page.html, "a").find((element) => textOf(element) === "Sign in with GitHub");
    expect(link?.attributes.get("href")).toBe(`/sign-in/github?to=${encodeURIComponent(`/approvals/${one.id}`)}`);
  }
  expect((await scene.browser().open(`${home}/approvals`)).status).toBe(401);
});

test("a person without read access sees what everybody sees of an approval that is not there, everywhere", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("stranger");
  const unknown = "0199c3a1-5f00-7000-8000-000000000001";
  const look = async (id: string) => {
    const page = await browser.open(`${home}/approvals/${id}`);
    const state = await browser.open(`${home}/approvals/${id}/state`);
    const form = await formTokenOf(browser);
    const posted = await browser.post(
      `${home}/approvals/${id}`,
      new URLSearchParams({ form, verdict: "deny" }),
      `${home}/approvals/${id}`,
    );
    const api = await fetch(`${scene.url}/v1/approvals/${id}`, { headers: { cookie: browser.header(home) } });
    const answer = await apiAnswer(browser, id, { verdict: "approve", reason: "" });
    return [
      [page.status, page.text],
      [state.status, state.text],
      [posted.status, posted.text],
      [api.status, await api.text()],
      [answer.status, await answer.text()],
    ].map(([status, text]) => [status, String(text).replaceAll(id, "ID")]);
  };
  const theirs = await look(approval.id);
  expect(theirs).toEqual(await look(unknown));
  expect(theirs.map(([status]) => status)).toEqual([404, 404, 404, 404, 404]);
  const list = await browser.open(`${home}/approvals`);
  expect(list.text).not.toContain(approval.id);
  expect(wordsOf(list)).not.toMatch(/\d waiting/);
  const listed = await fetch(`${scene.url}/v1/approvals`, { headers: { cookie: browser.header(home) } });
  expect(await listed.json()).toEqual({ items: [], next_cursor: null });
  expect(await scene.approval(approval.id)).toMatchObject({ state: "pending", answers: [] });
});

test("read access is asked for each time: whoever loses it sees nothing any more", async () => {
  const { approval } = await scene.ask();
  scene.github.repositories.permit(scene.repository, "stranger", "read");
  const browser = await scene.as("stranger");
  expect((await browser.open(pageOf(approval))).status).toBe(200);
  await expect.poll(async () => (await browser.open(`${home}/approvals`)).text, remembered).toContain(approval.id);
  scene.github.repositories.permit(scene.repository, "stranger", "none");
  expect((await browser.open(pageOf(approval))).status).toBe(404);
  expect((await browser.open(`${home}/approvals`)).text).not.toContain(approval.id);
});

test("when GitHub cannot be asked, nobody sees anything as themselves", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  for (const operation of ["repos/get-collaborator-permission-level", "users/get-by-username"]) {
    scene.github.faults.next(operation, { kind: "status", status: 502 }, 20);
    expect((await browser.open(pageOf(approval))).status).toBe(404);
    scene.github.faults.clear();
  }
  expect((await browser.open(pageOf(approval))).status).toBe(200);
});

test("somebody who may read and not answer sees why, and no form", async () => {
  const { approval } = await scene.ask();
  const page = await (await scene.as("reader")).open(pageOf(approval));
  expect(page.status).toBe(200);
  expect(wordsOf(page)).toContain(
    "You cannot answer as github:reader. Rule writes-need-a-human asks for the permission `write` or more on this repository, and yours is `read`.",
  );
  expect(formsOn(page)).toEqual(["/sign-out"]);
});

test("the one whose run it is sees why, cannot answer, and the attempt is recorded", async () => {
  const { approval } = await scene.ask({ actor: "mona" });
  const browser = await scene.as("mona");
  const page = await browser.open(pageOf(approval));
  expect(wordsOf(page)).toContain("You cannot answer as github:mona. Nobody answers for their own run");
  const form = await formTokenOf(browser);
  const tried = await browser.post(
    pageOf(approval),
    new URLSearchParams({ form, verdict: "approve" }),
    pageOf(approval),
  );
  expect(tried.status).toBe(403);
  expect(wordsOf(tried)).toContain("This answer does not count Nobody answers for their own run");
  expect(await scene.approval(approval.id)).toMatchObject({
    state: "pending",
    answers: [{ by: "github:mona", via: "page", accepted: false, reason: expect.stringContaining("own run") }],
  });
});

test("a token looks and never answers", async () => {
  const { approval } = await scene.ask();
  const browser = await withToken(auditorToken);
  const page = await browser.open(pageOf(approval));
  expect(page.status).toBe(200);
  expect(wordsOf(page)).toContain("You are not signed in as yourself, and a token never answers.");
  expect(formsOn(page)).toEqual(["/sign-out"]);
  const link = all(page.html, "a").find((element) => textOf(element) === "Sign in with GitHub");
  expect(link?.attributes.get("href")).toBe(`/sign-in/github?to=${encodeURIComponent(`/approvals/${approval.id}`)}`);
  const form = await formTokenOf(browser);
  const tried = await browser.post(
    pageOf(approval),
    new URLSearchParams({ form, verdict: "approve" }),
    pageOf(approval),
  );
  expect(tried.status).toBe(401);
  const api = await apiAnswer(browser, approval.id, { verdict: "approve", reason: "" });
  expect(api.status).toBe(401);
  const bearer = await fetch(`${scene.url}/v1/approvals/${approval.id}/answer`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${auditorToken}`,
      "content-type": "application/json",
      "sec-fetch-site": "same-origin",
    },
    body: JSON.stringify({ verdict: "approve", reason: "" }),
  });
  expect(bearer.status).toBe(403);
  expect(await scene.approval(approval.id)).toMatchObject({ state: "pending", answers: [] });
  expect((await (await withToken(viewerToken)).open(pageOf(approval))).status).toBe(403);
});

test("another site's page answers nothing, nor does a form without this sign-in's token", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  const form = await formTokenOf(browser);
  const fields = (more: Readonly<Record<string, string>> = {}) =>
    new URLSearchParams({ form, verdict: "approve", reason: "", ...more });
  const stolen = await formTokenOf(await scene.as("octocat"));
  for (const [body, from] of [
    [fields(), "https://evil.example/"],
    [fields(), "http://evil.gateway.test/"],
    [fields({ form: "" }), pageOf(approval)],
    [fields({ form: "A".repeat(43) }), pageOf(approval)],
    [fields({ form: stolen }), pageOf(approval)],
    [fields(), null],
  ] as const) {
    const tried = await browser.post(pageOf(approval), body, from);
    expect(tried.status).toBe(403);
  }
  const cookie = browser.header(home);
  for (const headers of [
    {},
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "cross-site", origin: scene.url },
  ]) {
    const tried = await fetch(`${scene.url}/approvals/${approval.id}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, ...headers },
      body: fields(),
    });
    expect(tried.status).toBe(403);
    const api = await apiAnswer(browser, approval.id, { verdict: "approve", reason: "" }, headers);
    expect(api.status).toBe(403);
  }
  for (const token of ["", "A".repeat(43), stolen]) {
    const headers = { "sec-fetch-site": "same-origin", "dogwatch-form": token };
    const api = await apiAnswer(browser, approval.id, { verdict: "approve", reason: "" }, headers);
    expect(api.status).toBe(403);
  }
  expect(await scene.approval(approval.id)).toMatchObject({ state: "pending", answers: [] });
});

test("a form that was refused is on record", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  await browser.post(pageOf(approval), new URLSearchParams({ verdict: "approve" }), "https://evil.example/");
  expect(await scene.audited(new RegExp(`^request_refused POST /approvals/${approval.id} `))).toBeDefined();
});

test("a form that is no answer is refused in words", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  const form = await formTokenOf(browser);
  for (const fields of [
    { form },
    { form, verdict: "maybe" },
    { form, verdict: "approve", reason: "x".repeat(5_000) },
  ]) {
    const tried = await browser.post(pageOf(approval), new URLSearchParams(fields), pageOf(approval));
    expect(tried.status).toBeGreaterThanOrEqual(400);
    expect(tried.status).toBeLessThan(500);
    expect(tried.text).not.toMatch(/Zod|stack|invalid_/);
  }
  expect(await scene.approval(approval.id)).toMatchObject({ state: "pending" });
});

test("the API takes a person's answer as the page does", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  const cookie = browser.header(home);
  const read = await fetch(`${scene.url}/v1/approvals/${approval.id}`, { headers: { cookie } });
  expect(await read.json()).toMatchObject({ id: approval.id, state: "pending" });
  const listed = async (): Promise<readonly string[]> => {
    const list = await fetch(`${scene.url}/v1/approvals?state=pending`, { headers: { cookie } });
    return ((await list.json()) as { items: { id: string }[] }).items.map(({ id }) => id);
  };
  await expect.poll(listed, remembered).toContain(approval.id);
  const answered = await apiAnswer(browser, approval.id, { verdict: "deny", reason: "not today" });
  expect(answered.status).toBe(200);
  expect(await answered.json()).toMatchObject({ state: "denied", reason: "denied by github:octocat: not today" });
  expect(await scene.audited(/^approval_answered .*deny on the page: accepted/)).toMatchObject({
    who: "github:octocat",
  });
});

test("an account that was renamed signs in again, and one that took its name answers for nobody", async () => {
  const { accounts, repositories } = scene.github;
  const { approval } = await scene.ask();
  accounts.add("before");
  repositories.permit(scene.repository, "before", "write");
  const browser = await scene.as("before");
  expect((await browser.open(pageOf(approval))).status).toBe(200);
  const form = await formTokenOf(browser);
  accounts.rename("before", "after");
  const fields = new URLSearchParams({ form, verdict: "approve" });
  expect((await browser.open(pageOf(approval))).status).toBe(404);
  expect((await browser.post(pageOf(approval), fields, pageOf(approval))).status).toBe(404);
  accounts.add("before");
  repositories.permit(scene.repository, "before", "admin");
  expect((await browser.open(pageOf(approval))).status).toBe(404);
  expect((await browser.post(pageOf(approval), fields, pageOf(approval))).status).toBe(404);
  expect(await scene.approval(approval.id)).toMatchObject({ state: "pending", answers: [] });
  await signIn(browser, scene.github, { login: "after", to: "/approvals" });
  const page = await browser.open(pageOf(approval));
  expect(wordsOf(page)).toContain("You answer as github:after.");
});

test("hostile names in a question are text, and what they hide is seen", async () => {
  const attack = `"></pre><script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp\u200b\u2066x\u061c<!-- </details>`;
  const { approval } = await scene.ask({
    method: "PUT",
    path: "/api/v1/monitor/4212",
    body: JSON.stringify({ name: attack, message: `${attack}\n${attack}`, [attack]: attack }),
  });
  await scene.as("octocat").then(async (browser) => {
    await browser.submit(await browser.open(pageOf(approval)), /Deny/, { verdict: "deny", reason: attack });
    for (const path of ["/approvals", `/approvals/${approval.id}`]) {
      const page = await browser.open(home + path);
      expect(page.status).toBe(200);
      const allowed =
        /^(html|head|meta|title|link|body|a|header|nav|span|form|input|button|main|h1|h2|p|div|strong|iframe|dl|dt|dd|code|time|pre|details|summary|ul|li|textarea|label|table|thead|tbody|tr|th|td)$/;
      const [script, ...others] = all(page.html).filter(({ name }) => !allowed.test(name));
      expect(script?.attributes.get("src")).toMatch(/^\/assets\/dogwatch-[0-9a-f]{12}\.js$/);
      expect(others).toEqual([]);
      expect(
        all(page.html).flatMap(({ attributes }) => [...attributes.keys()].filter((name) => /^on|^style$/.test(name))),
      ).toEqual([]);
      expect(page.text).not.toMatch(/[\u202e\u200b\u2066\u061c]/);
    }
    const words = wordsOf(await browser.open(pageOf(approval)));
    expect(words).toContain(
      `<script>alert(1)</script><img src=x onerror=alert(2)>\\u202egnp\\u200b\\u2066x\\u061c<!--`,
    );
  });
});

test("the page is as strict as all others, and its frame is loaded by itself while it waits", async () => {
  const { approval } = await scene.ask();
  const browser = await scene.as("octocat");
  const page = await browser.open(pageOf(approval));
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy.split(";").toSorted()).toEqual([
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "frame-src 'self'",
    "img-src 'self' data:",
    "require-trusted-types-for 'script'",
    "script-src 'self'",
    "style-src 'self'",
    "trusted-types 'none'",
  ]);
  expect(page.headers.get("cache-control")).toBe("no-store");
  expect(page.headers.get("refresh")).toBeNull();
  const [frame] = all(page.html, "iframe");
  const state = await browser.open(home + frame?.attributes.get("src"), pageOf(approval));
  expect(state.headers.get("refresh")).toBe("5");
  expect(state.headers.get("content-security-policy")).toContain("frame-ancestors 'self'");
  expect(wordsOf(state)).toMatch(/Still waiting, (?:29|30) minutes.* left\. Checked by itself every few seconds\./);
  await browser.submit(page, /Deny/, { verdict: "deny" });
  const over = await browser.open(home + frame?.attributes.get("src"), pageOf(approval));
  expect(over.headers.get("refresh")).toBeNull();
  expect(wordsOf(over)).toContain("Now: denied.");
  expect(all(over.html, "a")[0]?.attributes.get("target")).toBe("_top");
  expect(all((await browser.open(pageOf(approval))).html, "iframe")).toEqual([]);
});

test("the list has what waits first, and every page counts it", async () => {
  const { approval } = await scene.ask();
  const auditor = await withToken(auditorToken);
  const list = await auditor.open(`${home}/approvals`);
  const [pending, others] = all(list.html, "table");
  expect(pending && textOf(pending)).toContain("Delete monitor 4212 “Checkout latency p99”");
  expect(pending && textOf(pending)).toMatch(/\d+ minutes/);
  expect(others && textOf(others)).toContain("denied");
  const waiting = all(pending as never, "tbody").flatMap((body) => all(body, "tr")).length;
  for (const path of ["/approvals", "/sessions", `/sessions/${approval.session_id}`])
    expect(wordsOf(await auditor.open(home + path))).toContain(`Approvals ${waiting} waiting`);
  expect(wordsOf(await (await scene.as("octocat")).open(`${home}/approvals`))).toContain(
    `Approvals ${waiting} waiting`,
  );
  const session = await auditor.open(`${home}/sessions/${approval.session_id}`);
  expect(all(session.html, "a").map(({ attributes }) => attributes.get("href"))).toContain(`/approvals/${approval.id}`);
  const call = await auditor.open(`${home}${callOf(approval)}`);
  expect(all(call.html, "a").map(({ attributes }) => attributes.get("href"))).toContain(`/approvals/${approval.id}`);
});

test.each(["/approvals/not-one", "/approvals/0", "/approvals/x/state", "/approvals?cursor=a&cursor=b"])(
  "%s is not found, in words",
  async (path) => {
    const page = await (await withToken(auditorToken)).open(home + path);
    expect(page.status).toBe(404);
    expect(page.text).not.toMatch(/Zod|stack|invalid_/);
  },
);

async function formTokenOf(browser: Browser): Promise<string> {
  const page = await browser.open(`${home}/approvals`);
  const field = all(page.html, "input").find(({ attributes }) => attributes.get("name") === "form");
  return field?.attributes.get("value") ?? "";
}

const apiAnswer = async (
  browser: Browser,
  id: string,
  body: object,
  headers: Readonly<Record<string, string>> = { "sec-fetch-site": "same-origin" },
): Promise<Response> =>
  fetch(`${scene.url}/v1/approvals/${id}/answer`, {
    method: "POST",
    headers: {
      cookie: browser.header(home),
      "content-type": "application/json",
      "dogwatch-form": await formTokenOf(browser),
      ...headers,
    },
    body: JSON.stringify(body),
  });
