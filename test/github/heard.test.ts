/** Deliveries are read leniently, and a half of one is nothing. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDelivery } from "../../server/github/heard.ts";

const appId = "4711";
const repository = { id: 70, full_name: "acme/checkout", private: true };
const comment = {
  id: 501,
  user: { login: "ana", id: 11, type: "User" },
  body: "/approve ABC123",
  created_at: "2026-01-02T03:04:05Z",
  updated_at: "2026-01-02T03:04:05Z",
  html_url: "https://github.com/acme/checkout/pull/7#discussion_r501",
  in_reply_to_id: 500,
  author_association: "OWNER",
};
const reviewComment = { action: "created", comment, pull_request: { number: 7 }, repository };
const written = {
  id: 501,
  author_id: 11,
  author: "ana",
  body: "/approve ABC123",
  created_at: "2026-01-02T03:04:05Z",
  updated_at: "2026-01-02T03:04:05Z",
  in_reply_to: 500,
  number: 7,
  url: comment.html_url,
};
const ref = { repository_id: "70", repository: "acme/checkout" };

describe("a comment", () => {
  test("in a review's thread is heard with whom it answers", () => {
    expect(readDelivery("pull_request_review_comment", reviewComment, appId)).toEqual({
      kind: "comment",
      repository: ref,
      action: "created",
      place: "review_comment",
      comment: written,
    });
  });

  test("that answers nobody, as older servers send it, lacks the field", () => {
    const { in_reply_to_id: _, ...alone } = comment;
    const heard = readDelivery("pull_request_review_comment", { ...reviewComment, comment: alone }, appId);
    expect(heard).toMatchObject({ comment: { in_reply_to: null } });
  });

  test.for(["created", "edited", "deleted"])("that was %s says so", (action) => {
    expect(readDelivery("pull_request_review_comment", { ...reviewComment, action }, appId)).toMatchObject({ action });
  });

  test("on a pull request's timeline is told from one in an issue", () => {
    const { pull_request: _, ...rest } = reviewComment;
    const on = (issue: object) => readDelivery("issue_comment", { ...rest, issue: { number: 7, ...issue } }, appId);
    expect(on({ pull_request: { url: "https://api.github.com/repos/acme/checkout/pulls/7" } })).toMatchObject({
      place: "comment",
      comment: { number: 7 },
    });
    expect(on({})).toMatchObject({ place: "issue", comment: { number: 7 } });
    expect(on({ pull_request: null })).toMatchObject({ place: "issue" });
  });

  test("of an account that is gone is nobody's", () => {
    const orphan = { ...reviewComment, comment: { ...comment, user: null } };
    expect(readDelivery("pull_request_review_comment", orphan, appId)).toMatchObject({
      comment: { author: "ghost", author_id: 0 },
    });
  });
});

describe("a check run", () => {
  const check_run = {
    id: 900,
    head_sha: "abc",
    external_id: "01890000-0000-7000-8000-000000000001",
    html_url: "https://github.com/acme/checkout/runs/900",
    app: { id: 4711, slug: "dogwatch" },
  };
  const pressed = {
    action: "requested_action",
    check_run,
    requested_action: { identifier: "approve" },
    repository,
    sender: { login: "ana", id: 11 },
  };

  test("whose button was pressed is heard with who pressed it", () => {
    expect(readDelivery("check_run", pressed, appId)).toEqual({
      kind: "button",
      press: {
        repository: ref,
        check_run_id: 900,
        head_sha: "abc",
        external_id: check_run.external_id,
        identifier: "approve",
        sender: "ana",
        sender_id: 11,
      },
    });
  });

  test("of ours that was created is heard by its external id", () => {
    const { requested_action: _, ...created } = { ...pressed, action: "created" };
    expect(readDelivery("check_run", created, appId)).toEqual({
      kind: "check_run",
      repository: ref,
      id: 900,
      url: check_run.html_url,
      external_id: check_run.external_id,
    });
  });

  test.for([
    ["another App's, with our external id", { check_run: { ...check_run, app: { id: 15368 } }, action: "created" }],
    ["another App's button", { check_run: { ...check_run, app: { id: 15368 } } }],
    ["nobody's", { check_run: { ...check_run, app: null }, action: "created" }],
    ["without an external id", { check_run: { ...check_run, external_id: "" }, action: "created" }],
    ["only completed", { action: "completed" }],
    ["to be run again", { action: "rerequested" }],
    ["a button without a name", { requested_action: null }],
    ["a button without a person", { sender: null }],
  ] as const)("that is %s is not heard", ([, change]) => {
    expect(readDelivery("check_run", { ...pressed, ...change }, appId)).toBeNull();
  });
});

describe("a pull request", () => {
  const turn = (action: string, more: object = {}) =>
    readDelivery("pull_request", { action, number: 7, pull_request: { number: 7 }, repository, ...more }, appId);
  const heard = { kind: "pull_request", repository: ref, number: 7 };

  test.for(["closed", "reopened", "synchronize"])("that is %s is heard", (action) => {
    expect(turn(action)).toEqual(heard);
  });

  test("that asks to be merged elsewhere now is heard; one with another title is not", () => {
    expect(turn("edited", { changes: { base: { ref: { from: "main" }, sha: { from: "abc" } } } })).toEqual(heard);
    expect(turn("edited", { changes: { title: { from: "old" } } })).toBeNull();
    expect(turn("edited")).toBeNull();
  });

  test.for(["opened", "labeled", "assigned", "review_requested", "something_new"])(
    "that is %s is not heard",
    (action) => {
      expect(turn(action)).toBeNull();
    },
  );
});

describe("anything else", () => {
  test.for(["push", "ping", "issues", "installation", "", "constructor", "__proto__"])("%s is not heard", (event) => {
    expect(readDelivery(event, reviewComment, appId)).toBeNull();
  });

  test("an id that a number cannot hold is no comment's", () => {
    for (const id of [2 ** 53, -1, 1.5, "501", null]) {
      const strange = { ...reviewComment, comment: { ...comment, id } };
      expect(readDelivery("pull_request_review_comment", strange, appId)).toBeNull();
    }
  });

  test("nothing that is sent breaks the reader", () => {
    const events = fc.constantFrom("pull_request_review_comment", "issue_comment", "check_run", "pull_request", "push");
    fc.assert(
      fc.property(events, fc.jsonValue(), (event, payload) => {
        expect(readDelivery(event, payload, appId)).toBeNull();
      }),
    );
  });

  test("a delivery with any one part missing is heard whole or not at all", () => {
    const { pull_request, ...rest } = reviewComment;
    for (const name of Object.keys(reviewComment)) {
      const { [name]: _, ...without } = { ...rest, pull_request } as Record<string, unknown>;
      expect(readDelivery("pull_request_review_comment", without, appId)).toBeNull();
    }
  });
});
