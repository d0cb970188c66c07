/** Which answers count: one that does, and from it every single way in which one does not. */

import { expect, test } from "vitest";
import type { Approval } from "../../../server/model/approval.ts";
import type { Person } from "../../../server/model/person.ts";
import type {
  Attempt,
  CheckFacts,
  CommentFacts,
  PageFacts,
  RunNow,
  Standing,
} from "../../../server/stages/escalate/facts.ts";
import type { Comment } from "../../../server/model/github.ts";
import { weigh } from "../../../server/stages/escalate/weigh.ts";
import { ask, asked, deletion, head, job } from "./example.ts";

const now = new Date(asked.getTime() + 60_000);
const attempt: Attempt = { verdict: "approve", code: "K7M2Q9XZ", grant: null };
const standing: Standing = {
  login: "octocat",
  id: 7,
  type: "User",
  permission: "write",
  role: "write",
  teams: ["sre"],
};
const pull = { number: 12, open: true, head_sha: head };
const run: RunNow = {
  repository_id: "4711",
  run_attempt: "1",
  over: false,
  pull,
  head_sha: head,
  own_people: ["mona"],
};
const said: Comment = {
  id: 51,
  author_id: 7,
  body: "/approve K7M2Q9XZ",
  created_at: "2026-11-23T03:01:00Z",
  updated_at: "2026-11-23T03:01:00Z",
  in_reply_to: 50,
  number: 12,
};
const comment: CommentFacts = {
  way: "comment",
  now,
  proof: "signature",
  repository_id: "4711",
  standing,
  run,
  action: "created",
  kind: "review_comment",
  heard: said,
  fetched: said,
};
const check: CheckFacts = {
  way: "check",
  now,
  proof: "signature",
  repository_id: "4711",
  standing,
  run,
  check_run_id: 70,
  head_sha: head,
  sender_id: 7,
};
const octocat: Person = {
  name: "github:octocat",
  provider: "github",
  login: "octocat",
  account_id: 7,
  groups: [],
  role: "approver",
};
const page: PageFacts = { way: "page", now, person: octocat, caller_names: ["mona"], standing, run };

test.each([
  ["a reply", comment],
  ["a reply that a poll found", { ...comment, proof: "asked" as const }],
  ["a button", check],
  ["the page", page],
])("%s counts", (_way, facts) => {
  expect(weigh(deletion(), attempt, facts)).toEqual({ accepted: true, reason: "" });
  expect(weigh(deletion(), { ...attempt, verdict: "deny" }, facts)).toEqual({ accepted: true, reason: "" });
});

const heard = (change: Partial<Comment>): CommentFacts => ({
  ...comment,
  heard: { ...said, ...change },
  fetched: { ...said, ...change },
});
const by = (change: Partial<Standing>): CommentFacts => ({ ...comment, standing: { ...standing, ...change } });
const runs = (change: Partial<RunNow>): CommentFacts => ({ ...comment, run: { ...run, ...change } });

test.each<[string, CommentFacts, RegExp]>([
  ["was edited before we heard of it", heard({ updated_at: "2026-11-23T03:02:00Z" }), /edited/],
  ["was edited afterwards", { ...comment, fetched: { ...said, body: "/approve K7M2Q9XZ " } }, /edited/],
  ["was edited to be one", { ...comment, action: "edited" }, /edited/],
  ["was deleted", { ...comment, action: "deleted" }, /deleted/],
  ["is gone", { ...comment, fetched: null }, /gone/],
  ["has another author when it is fetched", { ...comment, fetched: { ...said, author_id: 8 } }, /edited/],
  ["has another author than the account that was asked about", by({ id: 8 }), /not known who/],
  ["has no time at all", heard({ created_at: "", updated_at: "" }), /edited/],
  ["is no reply", heard({ in_reply_to: null }), /thread/],
  ["replies to another comment", heard({ in_reply_to: 49 }), /thread/],
  ["stands in another pull request", heard({ number: 13 }), /thread/],
  [
    "stands on the timeline",
    { ...comment, kind: "comment", heard: { ...said, in_reply_to: null }, fetched: { ...said, in_reply_to: null } },
    /thread/,
  ],
  ["comes from another repository", { ...comment, repository_id: "4712" }, /another repository/],
  ["is not proved", { ...comment, proof: null }, /not proved/],
  ["is a bot's", by({ type: "Bot" }), /Only a person/],
  ["is an organization's", by({ type: "Organization" }), /Only a person/],
  ["is the actor's", by({ login: "Mona" }), /their own run/],
  ["is that of a new pusher", runs({ own_people: ["mona", "OctoCat"] }), /their own run/],
  ["is a read-only member's", by({ permission: "read" }), /`write` or more.*yours is `read`/],
  ["is nobody's", by({ permission: "none" }), /yours is `none`/],
  ["is somebody's outside the team", by({ teams: [] }), /member of the team sre/],
  ["is somebody's whose teams are not known", by({ teams: null }), /again in a moment/],
  ["is somebody's whose permission is not known", { ...comment, standing: null }, /again in a moment/],
  ["comes when GitHub does not answer", { ...comment, run: null }, /again in a moment/],
  ["comes after a new commit", runs({ pull: { ...pull, head_sha: "0".repeat(40) } }), /new commits/],
  ["comes after the pull request was closed", runs({ pull: { ...pull, open: false } }), /closed/],
  ["comes after the run was started again", runs({ run_attempt: "2" }), /started again/],
  ["comes after the run's end", runs({ over: true }), /run has ended/],
  ["comes when the run is another pull request's", runs({ pull: { ...pull, number: 13 } }), /another pull request/],
  ["comes when the run has no pull request any more", runs({ pull: null }), /another pull request/],
  ["comes when the repository is another one of the same name", runs({ repository_id: "4712" }), /another one/],
  ["comes too late", { ...comment, now: new Date(asked.getTime() + 30 * 60_000) }, /time for an answer is over/],
])("a comment that %s does not count", (_what, facts, reason) => {
  expect(weigh(deletion(), attempt, facts)).toEqual({
    accepted: false,
    reason: expect.stringMatching(reason) as string,
  });
  expect(weigh(deletion(), { ...attempt, verdict: "deny" }, facts).accepted).toBe(false);
});

test.each<[string, CheckFacts, RegExp]>([
  ["of another check run", { ...check, check_run_id: 71 }, /newest check run/],
  ["of another commit", { ...check, head_sha: "0".repeat(40) }, /another commit/],
  ["pressed by another account than was asked about", { ...check, sender_id: 8 }, /not known who/],
  ["pressed by a bot", { ...check, standing: { ...standing, type: "Bot" } }, /Only a person/],
  ["pressed by the author", { ...check, standing: { ...standing, login: "mona" } }, /their own run/],
  ["without a signature", { ...check, proof: null }, /not proved/],
])("a button %s does not count", (_what, facts, reason) => {
  expect(weigh(deletion(), attempt, facts)).toEqual({
    accepted: false,
    reason: expect.stringMatching(reason) as string,
  });
});

test.each<[string, PageFacts, RegExp]>([
  ["a token", { ...page, person: null }, /a token is none/],
  [
    "somebody who is signed in elsewhere",
    { ...page, person: { ...octocat, provider: "okta", name: "okta:octocat" } },
    /sign in with GitHub/,
  ],
  [
    "an admin without a permission on the repository",
    { ...page, person: { ...octocat, role: "admin" }, standing: { ...standing, permission: "none" } },
    /yours is `none`/,
  ],
  [
    "somebody whose account is not the one asked about",
    { ...page, standing: { ...standing, login: "hubot" } },
    /sign in again/,
  ],
  [
    "the job's own actor",
    { ...page, person: { ...octocat, login: "mona" }, standing: { ...standing, login: "mona" } },
    /their own run/,
  ],
  ["somebody nothing is known of", { ...page, standing: null }, /again in a moment/],
  ["somebody, when GitHub does not answer", { ...page, run: null }, /again in a moment/],
])("on the page, %s does not answer for a job", (_what, facts, reason) => {
  expect(weigh(deletion(), attempt, facts)).toEqual({
    accepted: false,
    reason: expect.stringMatching(reason) as string,
  });
});

test("the CODE must be that of this question; only the page may leave it out", () => {
  for (const code of ["K7M2Q9XY", "", null])
    expect(weigh(deletion(), { ...attempt, code }, comment).reason).toMatch(/first line is `\/approve K7M2Q9XZ`/);
  expect(weigh(deletion(), { ...attempt, code: null }, page).accepted).toBe(true);
  expect(weigh(deletion(), { ...attempt, code: "WRONG234" }, page).accepted).toBe(false);
});

test("only what is pending is answered", () => {
  for (const state of ["approved", "denied", "expired", "stale", "cancelled", "consumed"] as const)
    expect(weigh(deletion({ state }), attempt, comment).accepted).toBe(false);
});

const withTerms = (
  terms: Partial<Approval["terms"]>,
  approvers: Partial<Approval["terms"]["approvers"]> = {},
): Approval => {
  const approval = deletion();
  return {
    ...approval,
    terms: { ...approval.terms, ...terms, approvers: { ...approval.terms.approvers, ...approvers } },
  };
};

test("a way that the rule leaves out does not count, and the others are named", () => {
  expect(weigh(withTerms({ via: ["check", "page"] }), attempt, comment).reason).toMatch(
    /by a button of the check run or the approval's page/,
  );
  expect(weigh(withTerms({ via: ["comment"] }), attempt, check).accepted).toBe(false);
  expect(weigh(withTerms({ via: ["comment"] }), attempt, page).accepted).toBe(false);
});

test("the run's own people answer where the rule says so", () => {
  expect(weigh(withTerms({}, { self: true }), attempt, by({ login: "mona" })).accepted).toBe(true);
});

test("a role counts by its name, and a rule of roles alone asks for no permission beside it", () => {
  const { permission: _, ...approvers } = deletion().terms.approvers;
  const approval = deletion();
  const byRole = {
    ...approval,
    terms: { ...approval.terms, approvers: { ...approvers, teams: [], roles: ["Releaser"] } },
  };
  expect(weigh(byRole, attempt, by({ permission: "triage", role: "releaser" })).accepted).toBe(true);
  expect(weigh(byRole, attempt, by({ permission: "admin", role: "admin" })).reason).toMatch(/role Releaser/);
  expect(weigh(byRole, attempt, by({ role: null })).accepted).toBe(false);
});

test("what goes beyond one call must be permitted, and is held against the longest", () => {
  const session = { ...attempt, grant: { kind: "session" } as const };
  const lasting = (ms: number) => ({ ...attempt, grant: { kind: "duration", ms } as const });
  expect(weigh(deletion(), session, comment).reason).toMatch(/permits no approval for a whole session/);
  expect(weigh(deletion(), lasting(1_000), comment).reason).toMatch(/permits no approval for a time/);
  const generous = withTerms({ grants: { session: true, longest: 60_000 } });
  expect(weigh(generous, session, comment).accepted).toBe(true);
  expect(weigh(generous, lasting(60_000), comment).accepted).toBe(true);
  expect(weigh(generous, lasting(60_001), comment).reason).toMatch(/at most 1 minute/);
  expect(weigh(generous, lasting(0), comment).accepted).toBe(false);
});

test("one person counts once, however they answer and spell themselves", () => {
  const answers = [
    { verdict: "approve", by: "github:OctoCat", via: "check", at: now, accepted: true, reason: "", grant: null },
  ] as const;
  const two = { ...withTerms({}, { count: 2 }), answers };
  for (const facts of [comment, check, page])
    expect(weigh(two, attempt, facts).reason).toMatch(/counts already.*2 different people/);
  expect(weigh(two, { ...attempt, verdict: "deny" }, comment).accepted).toBe(true);
  const hubot = { ...said, author_id: 9 };
  expect(weigh(two, attempt, { ...by({ login: "hubot", id: 9 }), heard: hubot, fetched: hubot }).accepted).toBe(true);
});

test("on a timeline or an issue, only what comes after the question is an answer to it", () => {
  const places = (kind: "comment" | "issue") => [{ kind, url: "https://github.com/x", id: 40, number: 12 }] as const;
  const later = (kind: "comment" | "issue", id: number): CommentFacts => {
    const fact = { ...said, id, in_reply_to: null };
    return { ...comment, kind, heard: fact, fetched: fact };
  };
  expect(weigh(deletion({ where: places("comment") }), attempt, later("comment", 41)).accepted).toBe(true);
  expect(weigh(deletion({ where: places("comment") }), attempt, later("comment", 39)).accepted).toBe(false);
  expect(weigh(deletion({ where: places("issue") }), attempt, later("issue", 41)).accepted).toBe(true);
  expect(weigh(deletion({ where: places("issue") }), attempt, later("comment", 41)).accepted).toBe(false);
  expect(weigh(deletion({ where: [] }), attempt, comment).accepted).toBe(false);
});

const agent = { ...job, issuer: "https://acme.okta.com", issuer_name: "okta", subject: "svc-cleaner", claims: {} };
const ana: Person = {
  name: "okta:ana@acme.com",
  provider: "okta",
  login: "ana@acme.com",
  account_id: null,
  groups: ["oncall"],
  role: "approver",
};

function others(): Approval {
  const approval = ask({ method: "DELETE", path: "/api/v1/monitor/4212", caller: agent, run: null });
  return {
    ...approval,
    terms: {
      ...approval.terms,
      via: ["page"],
      approvers: { ...approval.terms.approvers, groups: ["oncall"], teams: ["sre"] },
    },
  };
}

const pageOf = (person: Person | null, more: Partial<PageFacts> = {}): PageFacts => ({
  way: "page",
  now,
  person,
  caller_names: ["cleaner@acme.com"],
  standing: null,
  run: null,
  ...more,
});

test("a caller that is no GitHub job is answered by one of the groups, and by nobody else", () => {
  expect(weigh(others(), attempt, pageOf(ana)).accepted).toBe(true);
  expect(weigh(others(), attempt, pageOf({ ...ana, groups: ["ONCALL", "dev"] })).reason).toMatch(/group oncall/);
  expect(weigh(others(), attempt, pageOf({ ...ana, groups: [], role: "admin" })).accepted).toBe(false);
  expect(weigh(others(), attempt, pageOf({ ...ana, role: "viewer" })).reason).toMatch(/Viewers look/);
  expect(weigh(others(), attempt, pageOf(null)).accepted).toBe(false);
});

test("nobody answers for themselves, by whatever name, not even where a rule says self", () => {
  const itself = { ...others(), terms: { ...others().terms, approvers: { ...others().terms.approvers, self: true } } };
  for (const login of ["svc-cleaner", "SVC-Cleaner", "cleaner@acme.com"])
    expect(weigh(itself, attempt, pageOf({ ...ana, login, name: `okta:${login}` })).reason).toMatch(/for themselves/);
  expect(weigh(itself, attempt, pageOf(ana, { caller_names: null })).accepted).toBe(false);
});

test("a comment or a button never answers for a caller that is no GitHub job", () => {
  const anyway = { ...others(), terms: { ...others().terms, via: ["comment", "check", "page"] as const } };
  expect(weigh(anyway, attempt, comment).accepted).toBe(false);
  expect(weigh(anyway, attempt, check).accepted).toBe(false);
});

test("every reason is one sentence that ends like one", () => {
  for (const facts of [
    { ...comment, proof: null },
    { ...comment, fetched: null },
    by({ type: "Bot" }),
    { ...page, person: null },
  ]) {
    const { reason } = weigh(deletion(), attempt, facts);
    expect(reason).toMatch(/^[A-Z][^\n]*\.$/);
  }
});
