/** The stand-in's pages: a person reads the conversation, replies as somebody and presses buttons; nothing written there is markup. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { markdownHtml } from "../../../server/demo/github/web/markdown.ts";
import { Acme, workflow } from "./acme.ts";

let acme: Acme;
beforeAll(async () => {
  acme = await Acme.open();
});
afterAll(() => acme.close());

const get = async (path: string) => (await fetch(`${acme.github.url}${path}`)).text();
const post = (path: string, values: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${acme.github.url}${path}`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams(values),
    headers,
  });

const action = { label: "Approve", description: "Let it pass", identifier: "approve:K7M2Q9XZ" };

test("a pull request shows what was written, its check run and a form with the answer in it", async () => {
  const { github, pull, checkout, app } = acme;
  const commit_id = pull.head_sha;
  const asked = github.comments.startThread(pull, {
    author: app.bot,
    body: "<!-- dogwatch:approval:1 -->\n\n### Delete monitor 1\n\n```\n/approve K7M2Q9XZ\n```\n\n<table>\n<tr><td><b>Who</b></td><td><code>&#60;mona&#62;</code></td></tr>\n</table>",
    path: workflow,
    commit_id,
    subject_type: "file",
  });
  const output = { title: "Delete monitor 1", summary: "**It waits**", text: null };
  const check = github.checks.create(checkout, {
    app,
    name: "Dogwatch",
    head_sha: commit_id,
    conclusion: "action_required",
    output,
    actions: [action],
  });
  const page = await get("/acme/checkout/pull/7");
  expect(page).toContain("<h4>Delete monitor 1</h4>");
  expect(page).toContain("<td><code>&lt;mona&gt;</code></td>");
  expect(page).toContain(">/approve K7M2Q9XZ</textarea>");
  expect(page).toContain("<b>It waits</b>");
  expect(page).toContain(`<button name="identifier" value="approve:K7M2Q9XZ" title="Let it pass">Approve</button>`);
  expect(page).not.toContain("dogwatch:approval");
  expect(page).not.toContain("<script");

  const replied = await post(`/acme/checkout/pull/7/reply/${asked.id}`, {
    login: "mona",
    body: "/approve K7M2Q9XZ\r\nfine",
  });
  expect(replied.headers.get("location")).toBe(`/acme/checkout/pull/7#discussion_r${asked.id}`);
  expect(github.comments.thread(asked).at(-1)).toMatchObject({
    author: { login: "mona" },
    body: "/approve K7M2Q9XZ\nfine",
  });
  const pressed = await post(`/acme/checkout/runs/${check.id}/press`, { login: "mona", identifier: action.identifier });
  expect(pressed.status).toBe(303);
  expect(github.deliveries.all.at(-1)).toMatchObject({ event: "check_run", action: "requested_action" });
  const refused = await post(`/acme/checkout/runs/${check.id}/press`, { login: "rita", identifier: action.identifier });
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining("rita sees no buttons")]);
});

test("other pages lead there", async () => {
  const { checkout, run, github } = acme;
  expect(await get("/")).toContain('href="/acme/checkout/pull/7"');
  expect(await get("/acme/checkout/actions/runs/9001/attempts/1")).toContain('href="/acme/checkout/pull/7"');
  const issue = github.pulls.openIssue(checkout, { author: "mona", title: "A question" });
  await post(`/acme/checkout/issues/${issue.number}/comment`, { login: "mona", body: "Hello" });
  expect(await get(`/acme/checkout/issues/${issue.number}`)).toContain("<p>Hello</p>");
  expect((await fetch(`${github.url}/acme/checkout/pull/99`)).status).toBe(404);
  expect(run.pulls).toEqual([7]);
});

test("nobody writes from another site, as nobody, or as a bot", async () => {
  const path = "/acme/checkout/pull/7/comment";
  expect((await post(path, { login: "mona", body: "x" }, { origin: "http://evil.example.com" })).status).toBe(403);
  expect((await post(path, { login: "mona", body: "x" }, { origin: acme.github.url })).status).toBe(303);
  expect((await post(path, { login: "nobody", body: "x" })).status).toBe(422);
  expect((await post(path, { login: "dogwatch[bot]", body: "x" })).status).toBe(422);
  expect((await post(path, { login: "mona", body: " " })).status).toBe(422);
});

test.for([
  ["<script>alert(1)</script>", "&lt;script&gt;"],
  ['<a href="javascript:alert(1)">x</a>', "<a>x</a>"],
  ['<td onclick="x()"><b style="x">y</b></td>', "<td><b>y</b></td>"],
  ['<img src=x onerror="alert(1)">', "&lt;img"],
  ["[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"],
  ['[x](https://a.example/"onmouseover=1)', '<a href="https://a.example/&quot;onmouseover=1">x</a>'],
  ["`` a ` <b> ``", "<p><code>a ` &lt;b&gt;</code></p>"],
  ["````\n```\n</pre><script>\n````", "<pre>```\n&lt;/pre&gt;&lt;script&gt;</pre>"],
  ["> [!WARNING]\n> **Look**", '<div class="alert warning"><p><b>Look</b></p></div>'],
  ["\\*\\*no\\*\\*", "<p>**no**</p>"],
  ["&#42;&#42;no&#42;&#42; &#60;script&#62; &amp;lt;", "<p>**no** &lt;script&gt; &amp;lt;</p>"],
  ["<td><code>&#34;&#8238;</code></td>", "<td><code>&quot;\\u{202e}</code></td>"],
  [
    "<details><summary><b>More</b></summary>\n\ntext\n\n</details>",
    "<details><summary><b>More</b></summary>\n<p>text</p>\n</details>",
  ],
] as const)("in a comment %s is %s", ([written, shown]) => {
  const { text } = markdownHtml(written);
  expect(text).toContain(shown);
  expect(text).not.toMatch(/<script|<img|javascript:alert\(1\)"|onclick|"onmouseover/);
});
