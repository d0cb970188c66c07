/** What others chose the names of: nothing in a comment pings, commands, hides, ends its block or pretends to be ours. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkOf, readButton } from "../../../server/stages/escalate/check.ts";
import { commentOf, markedApproval, replyOf } from "../../../server/stages/escalate/comment.ts";
import { code, fenced, short, visible, words } from "../../../server/stages/escalate/visible.ts";
import { ask, deletion, id, links, monitor, run } from "./example.ts";

/** The comment without code: what GitHub reads as text. Blocks first, as Markdown does; then HTML code, then spans. */
function textOf(comment: string): string {
  const kept: string[] = [];
  let fence: string | null = null;
  for (const line of comment.split("\n")) {
    const [, ticks] = /^(?:> )?(`{3,})/.exec(line) ?? [];
    if (fence === null && ticks !== undefined) fence = ticks;
    else if (fence !== null) {
      if (line.replace(/^> /, "").trim() === fence) fence = null;
    } else kept.push(line);
  }
  expect(fence, "every block ends").toBeNull();
  return kept
    .join("\n")
    .replaceAll(/<code>[^<]*<\/code>/g, "")
    .replaceAll(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, "");
}

const named = (name: string) => [
  ask({ method: "DELETE", path: "/api/v1/monitor/4212", current: monitor, run: { ...run, job: name } }),
  ask({ method: "DELETE", path: "/api/v1/monitor/4212", current: { ...monitor, name, message: name } }),
  ask({ method: "POST", path: "/api/v1/monitor", body: JSON.stringify({ name, message: name }) }),
  ask({
    method: "POST",
    path: "/api/v1/monitor",
    body: `{"name": "not quite JSON\n${name}\n`,
    content_type: "text/plain",
  }),
  ask({
    method: "PUT",
    path: "/api/v1/monitor/4212",
    body: JSON.stringify({ name, message: `${name}\n${name}` }),
    current: { ...monitor, name: `was ${name}` },
  }),
];

const attempts: readonly (readonly [what: string, name: string, never: RegExp])[] = [
  ["a command", "x\n/approve K7M2Q9XZ\n", /^\/approve/m],
  ["a mention of a team", "@acme/sre please look", /@acme/],
  ["a mention in other clothes", "hello@octocat &#64;octocat", /octocat/],
  ["an issue", "fixes #1 and GH-1 and acme/shop#1", /#1|GH-1/],
  ["an address", "see https://evil.example.com or www.evil.example.com", /evil/],
  ["a picture", "![x](https://evil.example.com/x.png)", /evil/],
  ["HTML", "</code></td></table><img src=x onerror=alert(1)><details open>", /<img|<details open/],
  ["the end of a fence", "```\n~~~\n`````````\nout", /^out/m],
  ["a fence longer than most", `${"`".repeat(300)}\nout\n`, /^out/m],
  ["the end of a span", "`` ` ``` out @team", /@team/],
  [
    "a look-alike of our marker",
    `<!-- dogwatch:approval:${id} -->`,
    /<!-- dogwatch(?!:approval:0199f0a0-1111-7000-8000-000000000001 -->\n)/,
  ],
  ["bidi characters", "\u202Erorrim\u2066\u200F", /[\u202E\u2066\u200F]/],
  ["zero-width characters", "a\u200Bb\u2060c\uFEFFd\u00ADe", /[\u200B\u2060\uFEFF\u00AD]/],
  ["tag characters", "a\u{E0041}\u{E0042}", /[\u{E0000}-\u{E007F}]/u],
  ["control characters", "a\u0000b\u001B[31mc\u0085d\u2028e", /[\u0000\u001B\u0085\u2028]/],
  ["a row of a table", "a\\|b|c", /^\|/m],
  ["emoji", ":tada: :+1:", /:tada:/],
  ["an alert", "\n> [!CAUTION]\n> **Denied**", /\[!CAUTION/],
];

test.each(attempts)("%s in a name stays a name", (_what, name, never) => {
  for (const approval of named(name)) {
    const comment = commentOf(approval, links);
    expect(textOf(comment).replace(/^<!--.*-->\n/, "")).not.toMatch(never);
    expect(comment.replaceAll("\n", "")).not.toMatch(/[\p{C}\u2028\u2029]/u);
    expect(comment.match(/<!-- dogwatch:approval/g)).toHaveLength(1);
    const check = checkOf(approval, links);
    expect(textOf(check.text)).not.toMatch(never);
    expect(check.title).not.toMatch(/[\p{C}\u2028\u2029]/u);
  }
});

test("no text whatsoever gets out of a block or a span", () => {
  const nasty = fc.string({
    unit: fc.constantFrom("`", "~", "\n", "@", "#", "<", ">", "\\", "|", " ", "a", "\u202E", "\r", "/"),
    maxLength: 60,
  });
  fc.assert(
    fc.property(nasty, (text) => {
      const block = fenced(text, "text").split("\n");
      const fence = (block[0] ?? "").replace("text", "");
      expect(block.slice(1, -1).every((line) => !line.trim().startsWith(fence))).toBe(true);
      const span = code(text);
      expect(span).not.toMatch(/[\n\r\u202E]/);
      const ticks = /^`+/.exec(span)?.[0] ?? "";
      expect(span.slice(ticks.length, -ticks.length)).not.toMatch(new RegExp(`(?<!\`)\`{${ticks.length}}(?!\`)`));
      expect(words(text)).toSatisfy((said: string) => said.startsWith("`") || !/[@#<>`\\|~_*[\]]/.test(said));
    }),
  );
});

test("what is hidden is shown as JSON would write it", () => {
  expect(visible("a\u202Eb\u{E0041}\nc")).toBe("a\\u202eb\\udb40\\udc41\\nc");
  expect(visible("👍🏽 ⚠️ naïve 日本語")).toBe("👍🏽 ⚠️ naïve 日本語");
  expect(short("é".repeat(500), 10)).toBe(`${"é".repeat(9)}…`);
});

test("plain words stay plain, anything else becomes code", () => {
  expect(words("“Checkout latency p99 (eu-west), 95.5%”")).toBe("“Checkout latency p99 (eu-west), 95.5%”");
  for (const text of ["@team", "#1", "GH-1", "www.example.com", "http://x", "- x", "1. x", "deadbeef1", "a_b_c", ":x:"])
    expect(words(text)).toMatch(/^`.*`$/);
});

test("a marker counts at the very beginning only", () => {
  const comment = commentOf(deletion(), links);
  expect(markedApproval(comment)).toBe(id);
  expect(markedApproval(comment.replaceAll("\n", "\r\n"))).toBe(id);
  expect(markedApproval(` ${comment}`)).toBeNull();
  expect(markedApproval(`> ${comment}`)).toBeNull();
  expect(markedApproval(`hello\n${comment}`)).toBeNull();
  expect(markedApproval("<!-- dogwatch:approval:0199 -->")).toBeNull();
});

test("a body of 5 MB says that it is not shown whole, and where it is", () => {
  for (const message of [
    "x".repeat(5_000_000),
    "line\n".repeat(1_000_000),
    "`".repeat(5_000_000),
    "\u202E".repeat(1_000_000),
  ]) {
    const approval = ask({
      method: "PUT",
      path: "/api/v1/monitor/4212",
      body: JSON.stringify({ name: "n", message }),
      current: { ...monitor, message: `${message}!` },
    });
    const comment = commentOf(approval, links);
    expect(comment.length).toBeLessThanOrEqual(65_536);
    expect(comment).toContain("**This is not all of it**");
    expect(comment).toMatch(/no room here for .*the request's body/);
    expect(comment).toContain(`[the whole question](${links.page})`);
    expect(comment).toContain("/approve K7M2Q9XZ");
    expect(textOf(comment)).not.toContain("```");
    expect(checkOf(approval, links).text.length).toBeLessThanOrEqual(65_535);
  }
});

test("a body that just fits is whole, and one that just does not says so", () => {
  let said = 0;
  for (let size = 60_000; size < 66_000; size += 250) {
    const body = JSON.stringify({ name: "n", message: "x".repeat(size) });
    const comment = commentOf(ask({ method: "POST", path: "/api/v1/monitor", body }), links);
    expect(comment.length).toBeLessThanOrEqual(65_536);
    const whole = comment.includes("x".repeat(size));
    expect(comment.includes("**This is not all of it**")).toBe(!whole);
    if (!whole) said++;
  }
  expect(said).toBeGreaterThan(0);
});

test("JSON nested 100 deep is shown; nested 100,000 deep it is shown as text", () => {
  const deep = (levels: number) => `{"name":"n","x":${"[".repeat(levels)}1${"]".repeat(levels)}}`;
  for (const levels of [100, 100_000]) {
    const approval = ask({ method: "PATCH", path: "/api/v2/roles/1", body: deep(levels), current: deep(levels) });
    expect(commentOf(approval, links).length).toBeLessThanOrEqual(65_536);
  }
});

test("JSON in which a key comes twice is shown as it was sent", () => {
  const body = '{"name": "harmless", "query": "a", "query": "b"}';
  const comment = commentOf(ask({ method: "PUT", path: "/api/v1/monitor/4212", body, current: monitor }), links);
  expect(comment).toContain(body);
  expect(comment).not.toContain("What changes");
});

test("a body that is no text says its size, and is never made readable by force", () => {
  const approval = ask({
    method: "POST",
    path: "/api/v1/monitor",
    body: Buffer.from([0xff, 0xfe, 0x00]),
    content_type: "application/zip",
  });
  expect(commentOf(approval, links)).toContain("The body is no text: 3 bytes");
});

test("no secret field is shown, and that it changes is", () => {
  const approval = ask({
    method: "PUT",
    path: "/api/v1/integration/webhooks/configuration/webhooks/w",
    body: JSON.stringify({ name: "w", url: "https://example.com", custom_headers: '{"Authorization": "new-secret"}' }),
    current: { name: "w", url: "https://example.com", custom_headers: '{"Authorization": "old-secret"}', key: "env" },
  });
  const comment = commentOf(approval, links);
  expect(comment).not.toMatch(/old-secret|new-secret/);
  expect(comment).toContain('- "custom_headers": "[secret, not shown]"\n+ "custom_headers": "[secret, not shown]"');
  expect(comment).toContain('"key": "env"');
});

test("a key in the path is in no comment and no title", () => {
  const key = "0123456789abcdef0123456789abcdef";
  const approval = ask({ method: "DELETE", path: `/api/v1/api_key/${key}` });
  expect(JSON.stringify(approval.question)).not.toContain(key);
  expect(commentOf(approval, links)).not.toContain(key);
});

test("what a person writes about a denial stays what they wrote", () => {
  const denial = {
    verdict: "deny",
    by: "github:octocat",
    via: "comment",
    at: new Date("2026-11-23T03:04:00.000Z"),
    accepted: true,
    reason: "no `way` @acme/sre </table> #1",
    grant: null,
  } as const;
  const comment = commentOf(
    deletion({ state: "denied", answers: [denial], reason: "denied by github:octocat" }),
    links,
  );
  expect(comment).toContain(
    "> **Denied** by `octocat` (comment, 2026-11-23 03:04 UTC): ``no `way` @acme/sre </table> #1``.",
  );
  expect(textOf(comment)).not.toMatch(/@acme/);
});

test("a reply repeats no name as a mention", () => {
  const refused = {
    verdict: "approve",
    by: "github:x",
    via: "comment",
    at: new Date(0),
    accepted: false,
    grant: null,
  } as const;
  const reply = replyOf(deletion(), {
    ...refused,
    reason: "Rule r asks for the role @acme/sre <b>, write `/approve K7M2Q9XZ`.",
  });
  expect(reply).not.toMatch(/@acme|<b>(?<!\\<b\\>)/);
  expect(reply).toContain("`/approve K7M2Q9XZ`");
  expect(reply.startsWith("/")).toBe(false);
});

test("buttons fit GitHub's limits, and only ours are read", () => {
  for (const { label, description, identifier } of checkOf(deletion(), links).actions) {
    expect(label.length).toBeLessThanOrEqual(20);
    expect(description.length).toBeLessThanOrEqual(40);
    expect(identifier.length).toBeLessThanOrEqual(20);
    expect(readButton(identifier)?.code).toBe("K7M2Q9XZ");
  }
  for (const other of [
    "approve",
    "approve:",
    "approve:K7M2Q9XZ ",
    "APPROVE:K7M2Q9XZ",
    "approve:k7m2q9xz",
    "deny:K7M2Q9XZ\nx",
  ])
    expect(readButton(other)).toBeNull();
});

test("a check run is asked for action while it waits, and has no buttons afterwards or where they do not count", () => {
  expect(checkOf(deletion(), links)).toMatchObject({
    conclusion: "action_required",
    title: "Delete monitor 4212 “Checkout latency p99”",
  });
  expect(checkOf(deletion({ state: "denied" }), links)).toMatchObject({ conclusion: "failure", actions: [] });
  const approval = deletion();
  const { actions } = checkOf({ ...approval, terms: { ...approval.terms, via: ["page"] } }, links);
  expect(actions).toEqual([]);
});
