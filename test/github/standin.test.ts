/** The client against the stand-in for GitHub, end to end: both were written from GitHub's description, neither from the other. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGitHub, type GitHubApp } from "../../server/github/client.ts";
import { readDelivery } from "../../server/github/heard.ts";
import { verifySignature } from "../../server/github/signature.ts";
import { Secret } from "../../server/model/connection.ts";
import type { Heard } from "../../server/model/github.ts";
import { Acme, workflow } from "../demo/github/acme.ts";
import { quietLog } from "../standins/database.ts";
import { failing } from "./farSide.ts";

const of = { repository_id: "70", repository: "acme/checkout" } as const;
const marker = "<!-- dogwatch:01890000 -->";
const question = `${marker}\nDelete monitor 4212? /approve ABC123`;

let acme: Acme;
let client: GitHubApp;
let webhook: Server;
let heard: (Heard | null)[];

beforeEach(async () => {
  acme = await Acme.open();
  // The App's own tokens are dated by this machine's clock.
  acme.clock.now = new Date();
  client = createGitHub({
    apiUrl: acme.github.apiUrl,
    appId: String(acme.app.id),
    privateKey: new Secret(acme.app.pem),
    log: quietLog,
    clock: () => acme.clock.now,
    issues: false,
  });
  heard = [];
  webhook = createServer((request, response) => {
    void buffer(request).then((body) => {
      const signature = request.headers["x-hub-signature-256"] as string | undefined;
      const signed = verifySignature(new Secret(acme.app.webhook_secret), body, signature);
      if (signed) heard.push(hear(String(request.headers["x-github-event"]), body));
      response.writeHead(signed ? 202 : 401).end();
    });
  });
  webhook.listen(0, "127.0.0.1");
  await once(webhook, "listening");
  Object.assign(acme.app, { webhook_url: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}` });
});

const hear = (event: string, body: Buffer): Heard | null =>
  readDelivery(event, JSON.parse(body.toString()) as unknown, String(acme.app.id));

afterEach(async () => {
  webhook.closeAllConnections();
  webhook.close();
  await acme.close();
});

const ask = () =>
  client.createReviewComment(of, { number: 7, head_sha: acme.pull.head_sha, path: workflow, body: question });

const refused = (operation: string): number =>
  acme.github.requests.filter((each) => each.operation === operation && each.status >= 400).length;

const times = (operation: string): number => acme.github.requests.filter((each) => each.operation === operation).length;

test("the App that the stand-in makes by itself lacks nothing", async () => {
  expect(await client.verify()).toEqual([]);
});

test("a question is asked, answered in its thread, looked up, answered back and closed, with no permission refused", async () => {
  const { github, pull } = acme;
  const repository = await client.repository(of);
  expect(repository).toMatchObject({ repository_id: "70", repository: "acme/checkout", owner: "acme" });
  const run = await client.run(of, "9001");
  expect(run).toMatchObject({
    repository_id: "70",
    head_sha: pull.head_sha,
    workflow_path: workflow,
    pulls: [7],
    actor: "octocat",
  });
  expect(await client.pullsWith(of, run!.head_sha)).toEqual([await client.pull(of, 7)]);
  expect(await client.changedFiles(of, 7)).toEqual([workflow, "src/cart.ts"]);
  expect(await client.headCommitters(of, { number: 7, head_sha: pull.head_sha })).toEqual(["octocat"]);
  const asked = await ask();
  expect(asked).toMatchObject({ kind: "review_comment", number: 7 });

  const reply = github.as("mona").reply(asked!.id!, "/approve ABC123");
  await github.deliveries.settled();
  const delivered = heard.find((each) => each?.kind === "comment" && each.comment.id === reply.id);
  expect(delivered).toMatchObject({
    kind: "comment",
    action: "created",
    place: "review_comment",
    repository: { repository_id: "70" },
    comment: { author: "mona", in_reply_to: asked!.id, body: "/approve ABC123", number: 7 },
  });
  const comment = await client.comment(of, "review_comment", reply.id);
  expect(comment).toEqual((delivered as Heard & { kind: "comment" }).comment);
  expect(await client.account(of, "mona")).toMatchObject({ id: comment!.author_id, type: "User" });
  expect(await client.access(of, "mona")).toEqual({ permission: "maintain", role: "maintain" });

  await client.reply(of, asked!, "Thank you");
  await client.edit(of, asked!, `${marker}\nApproved by mona`);
  expect(github.comments.get(asked!.id!).body).toBe(`${marker}\nApproved by mona`);
  expect(github.requests.filter(({ status }) => status >= 400)).toEqual([]);
});

test("a check run's button is heard from its delivery, and from the list of deliveries when that one is lost", async () => {
  const { github, pull } = acme;
  const content = {
    conclusion: "action_required",
    title: "Delete monitor 4212",
    summary: "octocat asks",
    text: "all of it",
    actions: [{ label: "Approve", description: "Let it pass once", identifier: "approve" }],
  } as const;
  const before = acme.clock.now;
  github.deliveries.lose();
  const check = await client.createCheckRun(of, {
    head_sha: pull.head_sha,
    external_id: "01890000-0000-7000-8000-000000000001",
    details_url: "https://dogwatch.example.com/approvals/1",
    content,
  });
  github.as("mona").press(check.id!, "approve");
  const listed = await client.deliveries(before);
  const found = await Promise.all(
    listed.filter(({ event }) => event === "check_run").map(({ id }) => client.delivery(id)),
  );
  expect(heard).toEqual([]);
  expect(found).toContainEqual({
    kind: "button",
    press: {
      repository: of,
      check_run_id: check.id,
      head_sha: pull.head_sha,
      external_id: "01890000-0000-7000-8000-000000000001",
      identifier: "approve",
      sender: "mona",
      sender_id: github.accounts.named("mona").id,
    },
  });
  await github.deliveries.release();
  github.as("mona").press(check.id!, "approve");
  await github.deliveries.settled();
  expect(heard).toContainEqual(found.find((each) => each?.kind === "button"));
  await client.updateCheckRun(of, check.id!, { ...content, conclusion: "success", actions: [] });
  expect(github.checks.get(check.id!)).toMatchObject({ conclusion: "success" });
});

test("polling for comments costs none of the limit while nothing is new, and finds what is", async () => {
  const { github, installation } = acme;
  const since = acme.clock.now;
  const asked = await ask();
  const poll = async () => (await client.commentsSince(of, "review_comment", since)).map(({ id }) => id);
  expect(await poll()).toEqual([asked!.id]);
  const left = github.limits.left(installation.id);
  for (let round = 0; round < 20; round += 1) expect(await poll()).toEqual([asked!.id]);
  expect(github.limits.left(installation.id)).toBe(left);
  acme.later(2_000);
  const reply = github.as("mona").reply(asked!.id!, "/approve ABC123");
  expect(await poll()).toEqual([asked!.id, reply.id]);
  acme.later(2_000);
  github.as("mona").edit(reply, "/deny ABC123");
  const [edited] = await client.commentsSince(of, "review_comment", acme.clock.now);
  expect(edited).toMatchObject({ id: reply.id, body: "/deny ABC123" });
  expect(edited!.updated_at).not.toBe(edited!.created_at);
});

describe("a create whose answer is lost", () => {
  test("is uncertain, was done once, and is found again", async () => {
    const since = acme.clock.now;
    acme.github.faults.next("pulls/create-review-comment", { kind: "lost" });
    expect(await failing(ask())).toMatchObject({ kind: "uncertain" });
    expect(times("pulls/create-review-comment")).toBe(1);
    const found = await client.find(of, { number: 7, marker, since });
    expect(found).toMatchObject({ kind: "review_comment", number: 7 });
    expect(acme.github.comments.get(found!.id!).body).toBe(question);
  });

  test("is found on the timeline too, and nobody else's words are taken for it", async () => {
    const since = acme.clock.now;
    const { github, pull } = acme;
    github.as("mona").comment(pull, question);
    expect(await client.find(of, { number: 7, marker, since })).toBeNull();
    github.faults.next("issues/create-comment", { kind: "lost" });
    expect(await failing(client.createComment(of, { number: 7, body: question }))).toMatchObject({ kind: "uncertain" });
    github.as("mona").comment(pull, question);
    const found = await client.find(of, { number: 7, marker, since });
    expect(github.comments.get(found!.id!).author.login).toBe(acme.app.bot.login);
  });

  test("that was an issue is found by its number", async () => {
    const { github, checkout } = acme;
    Object.assign(acme.app, { permissions: { ...acme.app.permissions, issues: "write" } });
    Object.assign(acme.installation, { permissions: { ...acme.installation.permissions, issues: "write" } });
    client = createGitHub({
      apiUrl: github.apiUrl,
      appId: String(acme.app.id),
      privateKey: new Secret(acme.app.pem),
      log: quietLog,
      clock: () => acme.clock.now,
      issues: true,
    });
    for (let each = 0; each < 12; each += 1)
      github.pulls.openIssue(checkout, { author: "mona", title: `issue ${each}` });
    const since = acme.clock.now;
    github.faults.next("issues/create", { kind: "lost" });
    expect(await failing(client.createIssue(of, { title: "Delete?", body: question }))).toMatchObject({
      kind: "uncertain",
    });
    github.pulls.openIssue(checkout, { author: "mona", title: "one more" });
    const found = await client.find(of, { number: null, marker, since });
    expect(found).toMatchObject({ kind: "issue" });
    expect(github.pulls.find(checkout, found!.number!)).toMatchObject({ body: question });
  });
});

describe("people", () => {
  test("are what they are in the repository and its teams now", async () => {
    const { github, checkout } = acme;
    const team = github.accounts.addTeam("acme", "sre", ["mona"]);
    github.repositories.permit(checkout, "rita", { role: "maintain", role_name: "release-captain" });
    expect(await client.access(of, "rita")).toEqual({ permission: "maintain", role: "release-captain" });
    expect(await client.access(of, "octocat")).toMatchObject({ permission: "write" });
    expect(await client.isMember(of, "sre", "mona")).toBe(true);
    github.accounts.leave(team, "mona");
    expect(await client.isMember(of, "sre", "mona")).toBe(false);
    github.accounts.join(team, "mona", "pending");
    expect(await client.isMember(of, "sre", "mona")).toBe(false);
    expect(await client.isMember(of, "no-such-team", "mona")).toBe(false);
    github.accounts.add("stranger");
    expect((await client.access(of, "stranger")).permission).toBe("none");
    expect(await client.access(of, "nobody")).toEqual({ permission: "none", role: null });
    expect(await client.account(of, "nobody")).toBeNull();
  });

  test("of a public repository may read it", async () => {
    acme.checkout.private = false;
    acme.github.accounts.add("stranger");
    expect(await client.access(of, "stranger")).toMatchObject({ permission: "read" });
  });
});

describe("a repository", () => {
  test("that is renamed is found by its id, by a client that knows the old name and by one that does not", async () => {
    await client.pull(of, 7);
    acme.github.repositories.rename(acme.checkout, "acme/till");
    expect(await client.access(of, "mona")).toMatchObject({ permission: "maintain" });
    expect(await client.pull(of, 7)).toMatchObject({ number: 7, repository_id: "70" });
    const asked = await ask();
    expect(acme.github.comments.get(asked!.id!).repository.id).toBe(70);
    const fresh = createGitHub({
      apiUrl: acme.github.apiUrl,
      appId: String(acme.app.id),
      privateKey: new Secret(acme.app.pem),
      log: quietLog,
      clock: () => acme.clock.now,
      issues: false,
    });
    expect(await fresh.repository(of)).toMatchObject({ repository_id: "70", repository: "acme/till" });
  });

  test("whose name another one took over is not mistaken for it, and what people may do in the other one counts for nothing", async () => {
    const { github, checkout } = acme;
    await client.access(of, "mona");
    github.repositories.rename(checkout, "acme/till");
    const impostor = github.repositories.add("acme/checkout", { id: 71, private: false });
    github.repositories.permit(impostor, "rita", "admin");
    github.pulls.open(impostor, { author: "rita", number: 7, files: [workflow] });
    expect(await client.access(of, "rita")).toMatchObject({ permission: "read" });
    expect(await client.repository(of)).toMatchObject({ repository: "acme/till" });
    expect(await client.pull(of, 7)).toMatchObject({ repository_id: "70", author: "octocat" });
    const asked = await ask();
    expect(github.comments.get(asked!.id!).repository.id).toBe(70);
  });

  test("that was transferred is judged by its new owner's teams, not by those of the old one", async () => {
    const { github, checkout, app } = acme;
    github.accounts.addTeam("acme", "sre", ["mona"]);
    expect(await client.isMember(of, "sre", "mona")).toBe(true);
    github.accounts.addTeam("globex", "sre", ["rita"]);
    github.apps.install(app, { account: "globex" });
    github.repositories.rename(checkout, "globex/checkout");
    expect(await client.isMember(of, "sre", "mona")).toBe(false);
    expect(await client.isMember(of, "sre", "rita")).toBe(true);
  });

  test("that was deleted and made again under its name is none", async () => {
    const { github, checkout } = acme;
    github.repositories.remove(checkout);
    github.repositories.add("acme/checkout", { id: 71 });
    expect(await client.repository(of)).toBeNull();
    expect(await failing(client.pull(of, 7))).toMatchObject({ kind: "refused" });
  });

  test("that the App was taken off says where to put it back", async () => {
    acme.github.apps.uninstall(acme.installation);
    expect((await failing(client.pull(of, 7))).message).toContain("the App is not installed on 'acme/checkout'");
  });
});

test("a permission that lacks is named where it is missed, and nowhere before", async () => {
  const { checks: _, ...permissions } = acme.app.permissions;
  Object.assign(acme.installation, { permissions });
  expect(await client.pull(of, 7)).toMatchObject({ number: 7 });
  const content = { conclusion: "action_required", title: "t", summary: "s", text: "x", actions: [] } as const;
  const check = { head_sha: acme.pull.head_sha, external_id: "1", details_url: "https://d.example.com", content };
  expect((await failing(client.createCheckRun(of, check))).message).toContain(
    "the App needs the permission checks: write",
  );
  expect(refused("checks/create")).toBe(1);
});

test("a limit holds everything back until it is over", async () => {
  acme.github.limits.secondary({ retry_after: 30, status: 403 });
  const failure = await failing(client.pull(of, 7));
  expect(failure).toMatchObject({ kind: "limited", retry_at: new Date(acme.clock.now.getTime() + 30_000) });
  const asked = acme.github.requests.length;
  await failing(client.pull(of, 7));
  expect(acme.github.requests).toHaveLength(asked);
});
