/** Of several rules the strictest of each part counts; what nobody could ever satisfy is said at once. */

import { expect, test } from "vitest";
import { isRefusal } from "../../../server/errors.ts";
import type { RuleSource } from "../../../server/model/config.ts";
import { termsOf } from "../../../server/stages/escalate/terms.ts";

const rule = (name: string, more: Partial<RuleSource> = {}): RuleSource => ({
  name,
  effect: "approve",
  when: "true",
  phase: "request",
  observe: false,
  ...more,
});

test("a rule that says nothing asks for one person who may write, within half an hour, for one call", () => {
  expect(termsOf([rule("r")], "github")).toEqual({
    rule: "r",
    approvers: { permission: "write", roles: [], teams: [], groups: [], count: 1, self: false },
    via: ["comment", "check", "page"],
    grants: { session: false, longest: null },
    expires: 30 * 60_000,
  });
});

test("of two rules the strictest of each part counts, in either order", () => {
  const one = rule("b", {
    approvers: { permission: "admin", teams: ["sre", "db"], count: 1, self: true },
    via: ["comment", "page"],
    grants: { session: true, longest: 60_000 },
    expires: 1_000,
  });
  const other = rule("a", {
    approvers: { permission: "read", teams: ["db", "web"], count: 2 },
    via: ["page", "check"],
    grants: { session: true, longest: 30_000 },
    expires: 9_000,
  });
  const strictest = {
    rule: "a, b",
    approvers: { permission: "admin", roles: [], teams: ["db"], groups: [], count: 2, self: false },
    via: ["page"],
    grants: { session: true, longest: 30_000 },
    expires: 1_000,
  };
  expect(termsOf([one, other], "github")).toEqual(strictest);
  expect(termsOf([other, one], "github")).toEqual(strictest);
});

test("a grant that only one of two rules permits is none", () => {
  const generous = rule("a", { grants: { session: true, longest: 60_000 } });
  expect(termsOf([generous, rule("b")], "github")).toMatchObject({ grants: { session: false, longest: null } });
});

test("a rule of roles asks for no permission beside them, unless another rule or it itself does", () => {
  const terms = termsOf([rule("r", { approvers: { roles: ["releaser"] } })], "github");
  expect(!isRefusal(terms) && terms.approvers.permission).toBeUndefined();
  expect(termsOf([rule("r", { approvers: { roles: ["releaser"] } }), rule("s")], "github")).toMatchObject({
    approvers: { permission: "write" },
  });
  expect(termsOf([rule("r", { approvers: { roles: ["releaser"], permission: "admin" } })], "github")).toMatchObject({
    approvers: { permission: "admin" },
  });
});

test.each<[string, readonly RuleSource[], "github" | "other", RegExp]>([
  [
    "ways that have nothing in common",
    [rule("a", { via: ["comment"] }), rule("b", { via: ["page"] })],
    "github",
    /rules a, b .*`via`/,
  ],
  [
    "teams that have nothing in common",
    [rule("a", { approvers: { teams: ["x"] } }), rule("b", { approvers: { teams: ["y"] } })],
    "github",
    /`teams`/,
  ],
  ["no group for a caller that is no GitHub job", [rule("a")], "other", /rule a .*`groups`/],
  [
    "no page for a caller that is no GitHub job",
    [rule("a", { via: ["comment", "check"], groups: ["g"] })],
    "other",
    /page/,
  ],
])("%s: nobody could ever answer, and that is said", (_what, rules, asker, reason) => {
  const refusal = termsOf(rules, asker);
  expect(isRefusal(refusal) && refusal.code).toBe("approval_required");
  expect(isRefusal(refusal) && refusal.message).toMatch(reason);
});

test("callers that are no GitHub jobs are answered on the page, by the groups of either place", () => {
  expect(termsOf([rule("a", { groups: ["g"], approvers: { groups: ["h"] } })], "other")).toMatchObject({
    via: ["page"],
    approvers: { groups: ["h", "g"] },
  });
});
