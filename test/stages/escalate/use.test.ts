/** Between the answer and the use everything that the answer rested on is looked at once more. */

import { expect, test } from "vitest";
import type { Answer, Approval } from "../../../server/model/approval.ts";
import type { UseFacts } from "../../../server/stages/escalate/facts.ts";
import { refusalOf } from "../../../server/stages/escalate/refusal.ts";
import { weighUse } from "../../../server/stages/escalate/use.ts";
import { ask, asked, deletion, head } from "./example.ts";

const at = new Date(asked.getTime() + 60_000);
const answer: Answer = {
  verdict: "approve",
  by: "github:octocat",
  via: "comment",
  at,
  accepted: true,
  reason: "",
  grant: null,
};
const approval = deletion({ state: "approved", answers: [answer] });
const standing = { login: "octocat", id: 7, type: "User", permission: "write", role: "write", teams: ["sre"] } as const;
const run = { repository_id: "4711", run_attempt: "1", over: false, head_sha: head, own_people: ["mona"] };
const pull = { number: 12, open: true, head_sha: head };
const digest = approval.question.current.kind === "known" ? approval.question.current.digest : "";
const facts: UseFacts = {
  now: at,
  policy: approval.binding.policy,
  approvers: [{ by: "github:octocat", standing }],
  run: { ...run, pull },
  current: digest,
};

test("an approval that still stands is usable", () => {
  expect(weighUse(approval, facts)).toEqual({ usable: true });
});

const facing = (change: Partial<UseFacts>): UseFacts => ({ ...facts, ...change });
const withStanding = (change: object): UseFacts =>
  facing({ approvers: [{ by: "github:octocat", standing: { ...standing, ...change } }] });
const withPull = (change: object): UseFacts => facing({ run: { ...run, pull: { ...pull, ...change } } });

test.each<[string, UseFacts, string | null]>([
  ["it has expired", facing({ now: approval.expires_at }), "expired"],
  ["the policy has changed", facing({ policy: "q".repeat(64) }), "stale"],
  ["the run was started again", facing({ run: { ...run, pull, run_attempt: "2" } }), "cancelled"],
  ["the run has ended", facing({ run: { ...run, pull, over: true } }), "cancelled"],
  ["there is a new commit", withPull({ head_sha: "0".repeat(40) }), "cancelled"],
  ["the pull request was closed", withPull({ open: false }), "cancelled"],
  ["the state has changed", facing({ current: "other" }), "stale"],
  ["the approver lost the permission", withStanding({ permission: "read" }), "stale"],
  ["the approver left the team", withStanding({ teams: [] }), "stale"],
  ["the approver pushed to the branch", facing({ run: { ...run, pull, own_people: ["mona", "octocat"] } }), "stale"],
  ["the account has another name now", withStanding({ login: "somebody" }), "stale"],
  ["Datadog does not answer", facing({ current: null }), null],
  ["GitHub does not answer about the run", facing({ run: null }), null],
  ["GitHub does not answer about the approver", facing({ approvers: [] }), null],
  ["GitHub does not answer about the teams", withStanding({ teams: null }), null],
])("it is not used when %s", (_what, known, state) => {
  expect(weighUse(approval, known)).toMatchObject({ usable: false, state });
});

test("a state that was shown must be looked at again", () => {
  const { current: _, ...unlooked } = facts;
  expect(weighUse(approval, unlooked)).toMatchObject({ usable: false, state: null });
});

test("where no state was shown none is asked for", () => {
  const create = ask({
    method: "POST",
    path: "/api/v1/monitor",
    body: "{}",
    more: { state: "approved", answers: [answer] },
  });
  const { current: _, ...unlooked } = facts;
  expect(weighUse(create, unlooked)).toEqual({ usable: true });
});

test("everybody who counted is asked about, and fewer than the rule asks for are too few", () => {
  const two = { ...approval, terms: { ...approval.terms, approvers: { ...approval.terms.approvers, count: 2 } } };
  expect(weighUse(two, facts)).toMatchObject({ usable: false, state: "stale" });
  const both = { ...two, answers: [answer, { ...answer, by: "github:hubot" }] };
  expect(weighUse(both, facts)).toMatchObject({ usable: false, state: null });
  const hubot = { by: "github:hubot", standing: { ...standing, login: "hubot", permission: "read" as const } };
  expect(weighUse(both, facing({ approvers: [...facts.approvers, hubot] }))).toMatchObject({
    usable: false,
    state: "stale",
  });
  expect(weighUse({ ...two, answers: [answer, { ...answer, by: "github:OCTOCAT" }] }, facts)).toMatchObject({
    usable: false,
  });
  expect(
    weighUse({ ...two, answers: [answer, { ...answer, by: "github:eve", accepted: false }] }, facts),
  ).toMatchObject({ usable: false });
});

test("nothing but an approved one is usable", () => {
  for (const state of ["pending", "denied", "expired", "stale", "cancelled", "consumed"] as const)
    expect(weighUse({ ...approval, state }, facts).usable).toBe(false);
});

test("the caller hears in one sentence what became of its call, and where to look", () => {
  const url = "https://dogwatch.example.com/approvals/1";
  const codes = (["pending", "approved", "denied", "expired", "stale", "cancelled", "consumed"] as const).map(
    (state): [Approval["state"], string] => {
      const refusal = refusalOf({ ...approval, state, reason: "denied by github:octocat: no" }, url);
      expect(refusal.message).toMatch(/^DeleteMonitor .*\(https:\/\/dogwatch\.example\.com\/approvals\/1\)$/);
      return [state, refusal.code];
    },
  );
  expect(Object.fromEntries(codes)).toEqual({
    pending: "approval_required",
    approved: "approval_required",
    denied: "approval_denied",
    expired: "approval_expired",
    stale: "approval_stale",
    cancelled: "approval_cancelled",
    consumed: "approval_required",
  });
});
