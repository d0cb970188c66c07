/** Who may be asked about a run, and whom GitHub says it belongs to: what GitHub does not say refuses, and says what to mend. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type { App, Pull, Repository, Run } from "../../../server/demo/github/state.ts";
import { createGitHub } from "../../../server/github/client.ts";
import { forWork } from "../../../server/github/permissions.ts";
import { isOfServer } from "../../../server/journeys/approval/claimed.ts";
import { createDirectory } from "../../../server/journeys/approval/directory.ts";
import { type Directory, isUnasked } from "../../../server/journeys/approval/parts.ts";
import type { RunContext } from "../../../server/model/approval.ts";
import type { Caller } from "../../../server/model/caller.ts";
import { Secret } from "../../../server/model/connection.ts";
import { quietLog } from "../../standins/database.ts";

let github: GitHubStandin;
let directory: Directory;
let repository: Repository;
let pull: Pull;
let run: Run;
let names = 0;

beforeAll(async () => {
  github = await startGitHub({ clock: () => new Date() });
  for (const login of ["mona", "hubot", "ana", "ben", "cid", "octocat"]) github.accounts.add(login);
  const app = await github.apps.register({ owner: "acme" });
  github.apps.install(app, { account: "acme" });
  directory = directoryOf(app);
});
afterAll(() => github?.close());

beforeEach(() => {
  github.faults.clear();
  repository = github.repositories.add(`acme/app-${(names += 1)}`);
  pull = github.pulls.open(repository, { author: "ana", committer: "ben", authoredBy: "cid" });
  run = github.runs.start(repository, { actor: "mona", triggering_actor: "hubot", pull });
});

const directoryOf = ({ id, pem }: App): Directory =>
  createDirectory({
    github: createGitHub({
      apiUrl: github.apiUrl,
      appId: String(id),
      privateKey: new Secret(pem),
      log: quietLog,
      clock: () => new Date(),
      issues: false,
    }),
    apiUrl: github.apiUrl,
    log: quietLog,
  });

const callerOf = (more: Readonly<Record<string, unknown>> = {}, of: Run = run): Caller => ({
  issuer: github.issuer,
  issuer_name: "github",
  subject: "repo:acme/app:pull_request",
  groups: [],
  claims: { ...github.runs.claims(of), ...more },
});

const contextOf = async (caller = callerOf()): Promise<RunContext> => {
  const found = await directory.contextOf(caller);
  if (isUnasked(found)) throw new Error(found.unasked);
  return found;
};

const unasked = async (caller = callerOf()): Promise<string> => {
  const found = await directory.contextOf(caller);
  return isUnasked(found) ? found.unasked : "it is known";
};

describe("a run", () => {
  test("is known by GitHub's word: its pull request, its head, its people", async () => {
    expect(await contextOf()).toEqual({
      repository: `acme/${repository.name}`,
      repository_id: String(repository.id),
      run_id: String(run.id),
      run_attempt: "1",
      pull: { number: pull.number, head_sha: pull.head_sha, url: expect.stringContaining(`/pull/${pull.number}`) },
      own_people: ["mona", "hubot", "ana", "cid", "ben"],
      head_sha: pull.head_sha,
      job: run.jobs[0]?.name,
    });
  });

  test("has the head that the API names, never the merge commit that is claimed", async () => {
    const context = await contextOf(callerOf({ sha: "f".repeat(40), head_sha: "f".repeat(40) }));
    expect(context.head_sha).toBe(pull.head_sha);
  });

  test("keeps the actor whom GitHub signed among its people", async () => {
    expect((await contextOf(callerOf({ actor: "somebody-else" }))).own_people).toContain("somebody-else");
  });

  test.each<[string, () => Readonly<Record<string, unknown>>]>([
    [
      "of another run",
      () => ({ check_run_id: String(github.runs.start(repository, { actor: "ana", pull }).jobs[0]?.id) }),
    ],
    ["that is none", () => ({ check_run_id: "1" })],
    ["that is no number", () => ({ check_run_id: "1/../2" })],
    ["that its token does not name", () => ({ check_run_id: undefined })],
    [
      "that GitHub does not tell of",
      () => {
        github.faults.next("actions/get-job-for-workflow-run", { kind: "status", status: 500 }, 3);
        return {};
      },
    ],
  ])("has no name for a job %s, and people are asked all the same", async (_what, claims) => {
    expect(await contextOf(callerOf(claims()))).not.toHaveProperty("job");
  });

  test("is found under the name that its repository has now", async () => {
    const caller = callerOf();
    github.repositories.rename(repository, `acme/renamed-${names}`);
    expect((await contextOf(caller)).repository).toBe(`acme/renamed-${names}`);
  });

  test("of a push belongs to the open pull request that has its commit as head", async () => {
    const pushed = github.runs.start(repository, { actor: "mona", event: "push", head_sha: pull.head_sha });
    expect((await contextOf(callerOf({}, pushed))).pull?.number).toBe(pull.number);
    github.pulls.close(pull, "ana");
    expect((await contextOf(callerOf({}, pushed))).pull).toBeNull();
  });

  test("of a push without a pull request has none, and its people are those who set it off", async () => {
    const { sha } = github.pulls.commitTo(repository, { by: "mona" });
    const pushed = github.runs.start(repository, { actor: "mona", event: "push", head_sha: sha });
    expect(await contextOf(callerOf({}, pushed))).toMatchObject({ pull: null, head_sha: sha, own_people: ["mona"] });
  });

  test("of a fork's pull request is found by the number that GitHub signed", async () => {
    const fork = github.repositories.add(`ana/fork-${names}`);
    const theirs = github.pulls.open(repository, { author: "ana", from: fork });
    const forked = github.runs.start(repository, { actor: "ana", pull: theirs });
    expect(forked.pulls).toEqual([]);
    expect((await contextOf(callerOf({}, forked))).pull?.number).toBe(theirs.number);
  });
});

describe("nobody can be asked", () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      "about an older attempt",
      () => github.runs.rerun(run, "mona"),
      /is attempt 1 of run \d+, and attempt 2 is the newest/,
    ],
    ["about a run that has ended", () => github.runs.end(run, "success"), /run \d+ has ended/],
    ["when the pull request is closed", () => github.pulls.close(pull, "ana"), /pull request \d+ is closed/],
    ["when its head has moved", () => github.pulls.push(pull, { by: "ana" }), /has new commits since the run began/],
    [
      "when GitHub has trouble",
      () => github.faults.next("actions/get-workflow-run", { kind: "status", status: 502 }, 3),
      /GitHub could not be asked where the run happens/,
    ],
    [
      "when nobody knows who made the last commit",
      () => github.faults.next("pulls/list-commits", { kind: "status", status: 403, message: "no" }),
      /GitHub could not be asked where the run happens.*list the commits/,
    ],
  ])("%s", async (_what, change, reason) => {
    const caller = callerOf();
    change();
    expect(await unasked(caller)).toMatch(reason);
  });

  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ["about a run that is not there", { run_id: "1" }, /GitHub knows no run 1 of repository/],
    [
      "about a run of another repository",
      { repository_id: "1" },
      /does not see repository acme\/app-\d+ \(id 1\): install it/,
    ],
    ["about a pull request that is not there", { ref: "refs/pull/99/merge" }, /shows no pull request 99/],
    ["for a token that names no run", { run_id: undefined }, /does not name its run/],
    ["for a token whose run is a number", { run_id: 5 }, /does not name its run/],
  ])("%s", async (_what, claims, reason) => {
    expect(await unasked(callerOf(claims))).toMatch(reason);
  });

  test("where the App is not installed", async () => {
    const stranger = github.repositories.add(`stranger/app-${names}`);
    const theirs = github.pulls.open(stranger, { author: "mona" });
    const other = github.runs.start(stranger, { actor: "mona", pull: theirs });
    expect(await unasked(callerOf({}, other))).toMatch(/GitHub App does not see|App is not installed/);
  });

  test("in a repository that only has the name", async () => {
    const caller = callerOf();
    const name = `acme/${repository.name}`;
    github.repositories.remove(repository);
    const twin = github.repositories.add(name);
    github.runs.start(twin, { id: run.id, actor: "mona", pull: github.pulls.open(twin, { author: "mona" }) });
    expect(await unasked(caller)).toMatch(/does not see repository/);
  });

  test("about a pushed run whose listed pull request has moved on", async () => {
    const pushed = github.runs.start(repository, { actor: "mona", event: "push", pull });
    const caller = callerOf({ ref: "refs/heads/change" }, pushed);
    github.pulls.push(pull, { by: "ana" });
    expect(await unasked(caller)).toMatch(/has new commits since the run began/);
  });
});

test.each([
  ["https://token.actions.githubusercontent.com", "https://api.github.com", true],
  ["https://token.actions.acme.ghe.com", "https://api.acme.ghe.com", true],
  ["https://ghe.example.com/_services/token", "https://ghe.example.com/api/v3", true],
  ["http://127.0.0.1:4000", "http://127.0.0.1:5000/api/v3", true],
  ["https://token.actions.githubusercontent.com", "https://ghe.example.com/api/v3", false],
  ["https://ghe.example.com/_services/token", "https://api.github.com", false],
  ["https://token.actions.acme.ghe.com", "https://api.other.ghe.com", false],
  ["https://api.github.com.evil.example", "https://api.github.com", false],
  ["http://127.0.0.1:4000", "https://api.github.com", false],
])("tokens of %s speak of %s: %s", (issuer, api, expected) => {
  expect(isOfServer(issuer, api)).toBe(expected);
});

describe("later", () => {
  test("the same is asked again, and what changed is seen", async () => {
    const context = await contextOf();
    const where = {
      repository_id: String(repository.id),
      run_attempt: "1",
      over: false,
      pull: { number: pull.number, open: true, head_sha: pull.head_sha },
      head_sha: run.head_sha,
    };
    expect(await directory.whereIs(context)).toEqual(where);
    expect(await directory.runNow(context)).toEqual({ ...where, own_people: ["mona", "hubot", "ana", "cid", "ben"] });
    const pushed = github.pulls.push(pull, { by: "octocat" });
    github.runs.rerun(run, "ben");
    expect(await directory.runNow(context)).toMatchObject({
      run_attempt: "2",
      pull: { head_sha: pushed.sha },
      own_people: ["mona", "ben", "ana", "octocat"],
    });
    github.runs.end(run, "failure");
    expect(await directory.whereIs(context)).toMatchObject({ over: true });
  });

  test("what could not be asked is not known", async () => {
    const context = await contextOf();
    github.faults.next("pulls/get", { kind: "status", status: 500 }, 3);
    expect(await directory.whereIs(context)).toBeNull();
    github.faults.next("pulls/list-commits", { kind: "refused" }, 3);
    expect(await directory.runNow(context)).toBeNull();
    expect(await directory.runNow({ ...context, run_id: "1" })).toBeNull();
  });
});

describe("the standing of an account", () => {
  test("is its live permission, its role, and those of the named teams it is in", async () => {
    const context = await contextOf();
    github.repositories.permit(repository, "octocat", { role: "maintain", role_name: "captain" });
    const team = github.accounts.addTeam("acme", `sre-${names}`, ["octocat"]);
    github.accounts.addTeam("acme", `other-${names}`, ["octocat"]);
    expect(await directory.standingOf(context, "OctoCat", [`sre-${names}`, "none"])).toEqual({
      login: "octocat",
      id: github.accounts.named("octocat").id,
      type: "User",
      permission: "maintain",
      role: "captain",
      teams: [`sre-${names}`],
    });
    github.accounts.leave(team, "octocat");
    github.accounts.join(team, "octocat", "pending");
    expect((await directory.standingOf(context, "octocat", [`sre-${names}`]))?.teams).toEqual([]);
  });

  test("of a bot is none, and nothing more is asked about it", async () => {
    const context = await contextOf();
    const before = github.requests.length;
    expect(await directory.standingOf(context, "github-actions[bot]", ["sre"])).toMatchObject({
      type: "Bot",
      permission: "none",
      teams: null,
    });
    const asked = github.requests.slice(before).map(({ operation }) => operation);
    expect(asked).toEqual(["users/get-by-username"]);
  });

  test("that could not be asked is not known; teams that could not be are not either", async () => {
    const context = await contextOf();
    expect(await directory.standingOf(context, "nobody-at-all", [])).toBeNull();
    github.faults.next("repos/get-collaborator-permission-level", { kind: "status", status: 500 }, 3);
    expect(await directory.standingOf(context, "octocat", [])).toBeNull();
    github.faults.next("teams/get-membership-for-user-in-org", { kind: "status", status: 500 }, 3);
    expect(await directory.standingOf(context, "octocat", ["sre"])).toMatchObject({ login: "octocat", teams: null });
  });
});

test("an App without the permission for teams knows nobody's, and works for the rest", async () => {
  const lean = await github.apps.register({
    owner: "acme",
    name: `Lean ${names}`,
    permissions: forWork({ issues: false }),
  });
  github.apps.install(lean, { account: "acme" });
  const known = directoryOf(lean);
  const context = await known.contextOf(callerOf());
  if (isUnasked(context)) throw new Error(context.unasked);
  github.accounts.addTeam("acme", `lean-${names}`, ["octocat"]);
  expect(await known.standingOf(context, "octocat", [`lean-${names}`])).toMatchObject({
    login: "octocat",
    teams: null,
  });
});
