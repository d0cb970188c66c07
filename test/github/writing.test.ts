/** What is written on GitHub: the question, its answers, its end; and how it is found again when nobody knows whether it was written. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place } from "../../server/model/approval.ts";
import { FarSide, failing, linked, of, repo, type Told } from "./farSide.ts";

let far: FarSide;
beforeEach(async () => {
  far = await FarSide.start();
  far.installed();
});
afterEach(async () => {
  await far.end();
});

const url = "https://github.com/acme/checkout/pull/7#discussion_r500";
const place = (change: Partial<Place>): Place => ({ kind: "review_comment", url, id: 500, number: 7, ...change });

describe("a review comment", () => {
  const route = `POST ${repo}/pulls/7/comments`;
  const asked = { number: 7, head_sha: "abc", path: ".github/workflows/agent.yml", body: "?" };

  test("is about a whole file of the pull request", async () => {
    far.on(route, { status: 201, body: { id: 500, html_url: url } });
    expect(await far.client().createReviewComment(of, asked)).toEqual({
      kind: "review_comment",
      url,
      id: 500,
      number: 7,
    });
    expect(far.find(route)[0]?.body).toEqual({
      commit_id: "abc",
      path: ".github/workflows/agent.yml",
      subject_type: "file",
      body: "?",
    });
  });

  test.for([
    ["Validation Failed", [{ resource: "PullRequestReviewComment", code: "invalid", field: "path" }]],
    ["Unprocessable Entity", ["Path could not be resolved"]],
    [
      "Unprocessable Entity",
      ["Pull request review thread path is invalid and Pull request review thread diff hunk can't be blank"],
    ],
    ['Invalid request.\n\nNo subschema in "oneOf" matched.\n"subject_type" is not a permitted key.', undefined],
  ] as const)("on a file that cannot be commented on is none: %s %j", async ([message, errors]) => {
    far.on(route, { status: 422, strange: true, body: { message, errors } });
    expect(await far.client().createReviewComment(of, asked)).toBeNull();
    expect(far.find(route)).toHaveLength(1);
  });

  test("on a commit that is not the pull request's is refused: the question would be about something else", async () => {
    const errors = [
      {
        resource: "PullRequestReviewComment",
        code: "custom",
        field: "pull_request_review_thread.end_commit_oid",
        message: "end_commit_oid is not part of the pull request",
      },
    ];
    far.on(route, {
      status: 422,
      body: { message: "Validation Failed", documentation_url: "https://docs.github.com", errors },
    });
    expect(await failing(far.client().createReviewComment(of, asked))).toMatchObject({
      kind: "refused",
      message:
        "GitHub refused (422 'Validation Failed: end_commit_oid is not part of the pull request') to comment on a file of pull request 7 of 'acme/checkout'",
    });
  });
});

describe("a comment", () => {
  const route = `POST ${repo}/issues/7/comments`;

  test("stands on the timeline", async () => {
    far.on(route, { status: 201, body: { id: 501, html_url: url } });
    expect(await far.client().createComment(of, { number: 7, body: "?" })).toEqual({
      kind: "comment",
      url,
      id: 501,
      number: 7,
    });
    expect(far.find(route)[0]?.body).toEqual({ body: "?" });
  });

  test("where none is allowed is refused with GitHub's words, shown safely", async () => {
    far.on(route, { status: 403, body: { message: 'locked "\u202e\u001b[31m' } });
    expect((await failing(far.client().createComment(of, { number: 7, body: "?" }))).message).toBe(
      "GitHub refused (403 'locked ???[31m') to comment on pull request 7 of 'acme/checkout': the App needs the permission pull_requests: write, granted where it is installed",
    );
  });
});

describe("an answer", () => {
  test("to a review comment stands in its thread", async () => {
    const route = `POST ${repo}/pulls/7/comments/500/replies`;
    far.on(route, { status: 201, body: { id: 502, html_url: url } });
    await far.client().reply(of, place({}), "no");
    expect(far.find(route)[0]?.body).toEqual({ body: "no" });
  });

  test.for(["comment", "issue"] as const)("to a question on a timeline stands below it (%s)", async (kind) => {
    far.on(`POST ${repo}/issues/7/comments`, { status: 201, body: { id: 502, html_url: url } });
    await far.client().reply(of, place({ kind }), "no");
    expect(far.find(`POST ${repo}/issues/7/comments`)[0]?.body).toEqual({ body: "no" });
  });

  test.for([{ kind: "check_run" }, { kind: "page" }, { number: null }] as const)(
    "has no place at %j",
    async (change) => {
      expect(await failing(far.client().reply(of, place(change), "no"))).toMatchObject({ kind: "refused" });
      expect(far.asked).toEqual([]);
    },
  );
});

describe("an edit", () => {
  test.for([
    ["review_comment", `PATCH ${repo}/pulls/comments/500`],
    ["comment", `PATCH ${repo}/issues/comments/500`],
    ["issue", `PATCH ${repo}/issues/7`],
  ] as const)("of a %s goes to %s", async ([kind, route]) => {
    far.on(route, { body: { id: 500 } });
    await far.client().edit(of, place({ kind }), "done");
    expect(far.find(route)[0]?.body).toEqual({ body: "done" });
  });

  test("of a check run is another matter", async () => {
    expect(await failing(far.client().edit(of, place({ kind: "check_run" }), "x"))).toMatchObject({ kind: "refused" });
  });

  test.for(["reset", "silence"] as const)(
    "whose answer is lost (%s) is not repeated by itself, but may be",
    async (lost) => {
      const route = `PATCH ${repo}/pulls/comments/500`;
      far.on(route, { lost });
      expect(await failing(far.client().edit(of, place({}), "done"))).toMatchObject({
        kind: "unreachable",
      });
      expect(far.find(route)).toHaveLength(1);
    },
  );
});

describe("a check run", () => {
  const content = {
    conclusion: "action_required",
    title: "Delete monitor 4212",
    summary: "who, why",
    text: "what",
    actions: [{ label: "Approve", description: "Let it pass once", identifier: "approve" }],
  } as const;
  const check = {
    head_sha: "abc",
    external_id: "01890000-0000-7000-8000-0000deadbeef",
    details_url: "https://dogwatch.example.com/approvals/1",
    content,
  };

  test("is completed from the start, with its buttons, under a name of its own", async () => {
    const route = `POST ${repo}/check-runs`;
    far.on(route, { status: 201, body: { id: 900, html_url: "https://github.com/acme/checkout/runs/900" } });
    expect(await far.client().createCheckRun(of, check)).toEqual({
      kind: "check_run",
      url: "https://github.com/acme/checkout/runs/900",
      id: 900,
      number: null,
    });
    expect(far.find(route)[0]?.body).toEqual({
      name: "Dogwatch approval deadbeef",
      head_sha: "abc",
      external_id: check.external_id,
      details_url: check.details_url,
      status: "completed",
      conclusion: "action_required",
      output: { title: content.title, summary: content.summary, text: content.text },
      actions: content.actions,
    });
  });

  test("loses its buttons once it is answered", async () => {
    const route = `PATCH ${repo}/check-runs/900`;
    far.on(route, { body: { id: 900 } });
    await far.client().updateCheckRun(of, 900, { ...content, conclusion: "success", actions: [] });
    expect(far.find(route)[0]?.body).toMatchObject({ status: "completed", conclusion: "success", actions: [] });
  });
});

describe("what a lost answer may have made", () => {
  const marker = "<!-- dogwatch:01890000 -->";
  const since = new Date("2026-01-02T03:00:00Z");
  const reviews = `GET ${repo}/pulls/7/comments`;
  const timeline = `GET ${repo}/issues/7/comments`;
  const bot = { login: "dogwatch[bot]", id: 99, type: "Bot" };
  const ours = (id: number, change: object = {}) => ({
    id,
    html_url: `https://github.com/acme/checkout/pull/7#${id}`,
    body: `${marker}\nquestion`,
    created_at: "2026-01-02T03:01:00Z",
    user: bot,
    ...change,
  });
  const sought = { number: 7, marker, since };
  const app = { performed_via_github_app: { id: 4711 } };

  test("is our own comment that begins with the marker, in a review's thread or on the timeline", async () => {
    far.on(reviews, { body: [ours(1)] }).on(timeline, { body: [] });
    expect(await far.client().find(of, sought)).toEqual({
      kind: "review_comment",
      url: "https://github.com/acme/checkout/pull/7#1",
      id: 1,
      number: 7,
    });
    far
      .on(reviews, { body: [] })
      .on(timeline, { body: [ours(2, { ...app, user: { login: "renamed[bot]", type: "Bot" } })] });
    expect(await far.client().find(of, sought)).toMatchObject({ kind: "comment", id: 2 });
  });

  test("is the newest of several", async () => {
    far.on(reviews, { body: [ours(1), ours(2, { created_at: "2026-01-02T03:03:00Z" })] });
    far.on(timeline, { body: [ours(3, { created_at: "2026-01-02T03:02:00Z" })] });
    expect(await far.client().find(of, sought)).toMatchObject({ id: 2 });
  });

  test.for([
    ["a person's, who copied ours", { user: { login: "mallory", type: "User" } }],
    ["a person's, who has our name", { user: { login: "dogwatch", type: "User" } }],
    ["a person's, whose name ends like ours", { user: { login: "xdogwatch[bot]", type: "Bot" } }],
    ["another App's", { user: { login: "evil[bot]", type: "Bot" }, performed_via_github_app: { id: 4712 } }],
    ["of an account that is gone", { user: null }],
    ["ours, with the marker further down", { body: `quoted: ${marker}` }],
    ["ours, of another question", { body: "<!-- dogwatch:01890001 -->" }],
    ["ours, with nothing in it", { body: "" }],
  ] as const)("is not %s", async ([, change]) => {
    far
      .on(reviews, { strange: true, body: [ours(1, change)] })
      .on(timeline, { strange: true, body: [ours(2, change)] });
    expect(await far.client().find(of, sought)).toBeNull();
  });

  test("is looked for with room for clocks that differ, on all pages, to a bound", async () => {
    far.on(timeline, { body: [] });
    const path = `${repo}/pulls/7/comments`;
    far.on(reviews, ({ query }) => ({
      headers: linked(far, path, `page=${Number(query["page"] ?? "1") + 1}`),
      body: query["page"] === "3" ? [ours(1)] : [],
    }));
    expect(await far.client().find(of, sought)).toMatchObject({ id: 1 });
    expect(far.find(reviews).map(({ query }) => query)).toEqual(
      [undefined, "2", "3", "4", "5"].map((page) => ({
        per_page: "100",
        sort: "created",
        direction: "desc",
        since: "2026-01-02T02:50:00Z",
        ...(page === undefined ? {} : { page }),
      })),
    );
  });

  test("in an issue is among its comments only", async () => {
    far.on(timeline, { body: [ours(2, app)] });
    expect(await far.client().find(of, sought)).toMatchObject({ kind: "comment", id: 2 });
  });
});

describe("an issue", () => {
  const route = `POST ${repo}/issues`;
  const marker = "<!-- dogwatch:01890000 -->";
  const asked = { title: "Delete monitor 4212", body: `${marker}\nquestion` };

  test("is opened where questions are asked in issues", async () => {
    far.on(route, {
      status: 201,
      body: { id: 1234, number: 12, html_url: "https://github.com/acme/checkout/issues/12" },
    });
    expect(await far.client({ issues: true }).createIssue(of, asked)).toEqual({
      kind: "issue",
      url: "https://github.com/acme/checkout/issues/12",
      id: 1234,
      number: 12,
    });
    expect(far.find(route)[0]?.body).toEqual(asked);
  });

  test("is not opened anywhere else", async () => {
    expect(await failing(far.client().createIssue(of, asked))).toMatchObject({ kind: "refused" });
    expect(far.asked).toEqual([]);
  });

  /** Numbers from 1: ours, others' (`issue`), deleted, moved away. */
  const numbered = (numbers: Readonly<Record<number, Told>>, last: number) => {
    for (let number = 1; number <= last; number += 1) {
      const told = numbers[number] ?? { body: issue(number) };
      far.on(`GET ${repo}/issues/${number}`, told);
    }
  };
  const issue = (number: number, change: object = {}) => ({
    id: 1_000 + number,
    number,
    html_url: `https://github.com/acme/checkout/issues/${number}`,
    body: "something else",
    created_at: "2026-01-02T03:01:00Z",
    user: { login: "ana", type: "User" },
    ...change,
  });
  const oursIn = (number: number): Told => ({
    body: issue(number, { body: asked.body, user: { login: "dogwatch[bot]", type: "Bot" } }),
  });
  const sought = { number: null, marker, since: new Date("2026-01-02T03:00:00Z") };
  beforeEach(() => {
    far.on(`GET ${repo}/pulls`, { body: [] });
  });

  test("is looked for from the newest pull request on: everything before may be gone", async () => {
    far.on(`GET ${repo}/pulls`, { body: [{ number: 40, base: { repo: { id: 70 } } }] });
    far.on(`GET ${repo}/issues/40`, { body: issue(40) }).on(`GET ${repo}/issues/41`, oursIn(41));
    expect(await far.client({ issues: true }).find(of, sought)).toMatchObject({ number: 41 });
    expect(far.find(`GET ${repo}/pulls`)[0]?.query).toEqual({
      state: "all",
      sort: "created",
      direction: "desc",
      per_page: "1",
    });
  });

  test.for([1, 2, 3, 7, 8, 9, 30, 64])("whose opening was lost is found as the newest of %i", async (last) => {
    numbered({ [last]: oursIn(last) }, last);
    expect(await far.client({ issues: true }).find(of, sought)).toEqual({
      kind: "issue",
      url: `https://github.com/acme/checkout/issues/${last}`,
      id: 1_000 + last,
      number: last,
    });
    expect(far.routes().filter((each) => each.startsWith("GET /repos/acme/checkout/issues/")).length).toBeLessThan(60);
  });

  test("is found below newer ones, past those that were deleted or moved away", async () => {
    numbered(
      {
        6: oursIn(6),
        7: { status: 410, body: { message: "Gone" } },
        8: { status: 404, body: { message: "Not Found" } },
      },
      11,
    );
    expect(await far.client({ issues: true }).find(of, sought)).toMatchObject({ number: 6 });
  });

  test("that was never opened is not there: older ones are not searched", async () => {
    const old = { body: issue(5, { created_at: "2025-01-01T00:00:00Z" }) };
    numbered({ 4: oursIn(4), 5: old }, 6);
    expect(await far.client({ issues: true }).find(of, sought)).toBeNull();
  });

  test("of a repository without any is not there", async () => {
    expect(await far.client({ issues: true }).find(of, sought)).toBeNull();
  });

  test("that somebody else opened in our words is not ours", async () => {
    numbered({ 1: { body: issue(1, { body: asked.body }) } }, 1);
    expect(await far.client({ issues: true }).find(of, sought)).toBeNull();
  });
});
