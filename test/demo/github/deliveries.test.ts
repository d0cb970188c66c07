/** Webhooks: what is told to whom, signed; and everything that happens to deliveries on their way. */

import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Acme, workflow } from "./acme.ts";

type Received = {
  readonly event: string;
  readonly guid: string;
  readonly body: string;
  readonly signature: string;
  readonly json: Record<string, unknown>;
};

let acme: Acme;
let server: Server;
let received: Received[];
let status: number;
beforeEach(async () => {
  received = [];
  status = 202;
  server = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      const header = (name: string): string => String(request.headers[name]);
      const body = bytes.toString();
      const [event, guid, signature] = [
        header("x-github-event"),
        header("x-github-delivery"),
        header("x-hub-signature-256"),
      ];
      received.push({ event, guid, body, signature, json: JSON.parse(body) as Record<string, unknown> });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  acme = await Acme.open();
  acme.app.webhook_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/github`;
});
afterEach(async () => {
  await acme.close();
  server.closeAllConnections();
  await new Promise((down) => server.close(down));
});

const told = (): string[] => received.map(({ event, json }) => `${event} ${String(json["action"])}`);

/** What the App's list shows, by its pages. */
const listed = async (query = "") => {
  const answer = await acme.ask("GET", `/app/hook/deliveries${query}`, { token: await acme.jwt() });
  return { items: answer.body as { guid: string; event: string; status_code: number; redelivery: boolean }[], answer };
};

describe("a delivery", () => {
  test("is signed with the App's secret, and says who did what where", async () => {
    const { github, pull, installation } = acme;
    const thread = github.as("rita").startThread(pull, workflow, "Why?");
    const reply = github.as("mona").reply(thread, "/approve K7M2Q9XZ");
    await github.deliveries.settled();
    expect(told()).toEqual(["pull_request_review_comment created", "pull_request_review_comment created"]);
    for (const { body, signature } of received)
      expect(signature).toBe(`sha256=${createHmac("sha256", acme.app.webhook_secret).update(body).digest("hex")}`);
    expect(received.find(({ json }) => (json["comment"] as { id: number }).id === reply.id)?.json).toMatchObject({
      comment: { in_reply_to_id: thread.id, body: "/approve K7M2Q9XZ", user: { login: "mona", type: "User" } },
      pull_request: { number: 7 },
      repository: { id: 70, full_name: "acme/checkout" },
      sender: { login: "mona" },
      installation: { id: installation.id },
    });
  });

  test("tells of everything that Dogwatch listens for", async () => {
    const { github, pull, app, checkout } = acme;
    const mona = github.as("mona");
    const comment = mona.comment(pull, "Hello");
    mona.edit(comment, "Hello again");
    mona.remove(comment);
    const actions = [{ label: "Approve", description: "x", identifier: "approve:K7M2Q9XZ" }];
    const made = { app, name: "Dogwatch", head_sha: pull.head_sha, external_id: "7", actions };
    const check = github.checks.create(checkout, { ...made, conclusion: "action_required" });
    mona.press(check, "approve:K7M2Q9XZ");
    const before = pull.head_sha;
    github.pulls.push(pull, { by: "octocat" });
    github.pulls.close(pull, "mona");
    github.pulls.reopen(pull, "mona");
    github.apps.uninstall(acme.installation);
    await github.deliveries.settled();
    expect(told().toSorted()).toEqual([
      "check_run completed",
      "check_run created",
      "check_run requested_action",
      "installation deleted",
      "issue_comment created",
      "issue_comment deleted",
      "issue_comment edited",
      "pull_request closed",
      "pull_request reopened",
      "pull_request synchronize",
    ]);
    const find = (action: string) => received.find(({ json }) => json["action"] === action)?.json;
    expect(find("edited")).toMatchObject({ changes: { body: { from: "Hello" } } });
    expect(find("synchronize")).toMatchObject({ before, after: pull.head_sha });
    expect(find("requested_action")).toMatchObject({
      requested_action: { identifier: "approve:K7M2Q9XZ" },
      check_run: { id: check.id, external_id: "7", app: { id: app.id } },
      sender: { login: "mona" },
    });
  });

  test("goes to Apps that are installed there, listen, and may read it", async () => {
    const { github, pull, checkout } = acme;
    const elsewhere = await github.apps.register({ owner: "acme", name: "Elsewhere" });
    github.repositories.add("acme/other");
    github.apps.install(elsewhere, { account: "acme", repositories: [github.repositories.named("acme/other")] });
    const deaf = await github.apps.register({ owner: "acme", name: "Deaf", events: ["check_run"] });
    github.apps.install(deaf, { account: "acme" });
    const blind = await github.apps.register({ owner: "acme", name: "Blind", permissions: { metadata: "read" } });
    github.apps.install(blind, { account: "acme" });
    github.as("mona").comment(pull, "Hello");
    const check = github.checks.create(checkout, {
      app: acme.app,
      name: "x",
      head_sha: pull.head_sha,
      conclusion: "neutral",
      actions: [{ label: "Approve", description: "x", identifier: "a" }],
    });
    github.as("mona").press(check, "a");
    const to = (event: string, action: string) =>
      github.deliveries.all.filter((each) => each.event === event && each.action === action).map(({ app }) => app.slug);
    expect(to("issue_comment", "created")).toEqual(["dogwatch"]);
    expect(to("check_run", "created")).toEqual(["dogwatch", "deaf"]);
    expect(to("check_run", "requested_action")).toEqual(["dogwatch"]);
  });
});

describe("on the way", () => {
  test("all are lost, or the next of a kind, and GitHub lists them as failed", async () => {
    const { github, pull } = acme;
    const mona = github.as("mona");
    github.deliveries.lose({ event: "issue_comment", times: 1 });
    mona.comment(pull, "lost");
    mona.startThread(pull, workflow, "heard");
    mona.comment(pull, "heard too");
    await github.deliveries.settled();
    expect(told().toSorted()).toEqual(["issue_comment created", "pull_request_review_comment created"]);
    github.deliveries.lose();
    mona.comment(pull, "lost again");
    await github.deliveries.settled();
    expect(received).toHaveLength(2);
    const { items } = await listed("?status=failure&per_page=2");
    expect(items).toMatchObject([
      { event: "issue_comment", status_code: 502, action: "created", repository_id: 70 },
      { event: "issue_comment", status_code: 502 },
    ]);
  });

  test("are held, and arrive in another order", async () => {
    const { github, pull } = acme;
    github.deliveries.hold({ event: "issue_comment" });
    const mona = github.as("mona");
    mona.comment(pull, "first");
    mona.comment(pull, "second");
    await github.deliveries.settled();
    expect(received).toEqual([]);
    await github.deliveries.release("reversed");
    const bodies = received.map(({ json }) => (json["comment"] as { body: string }).body);
    expect(bodies).toEqual(["second", "first"]);
  });

  test("arrive twice with the same bytes, and again when the App asks", async () => {
    const { github, pull } = acme;
    github.as("mona").comment(pull, "Hello");
    await github.deliveries.settled();
    const [delivery] = github.deliveries.all.filter(({ event }) => event === "issue_comment");
    expect(await github.deliveries.repeat(delivery!)).toBe(202);
    expect(received[1]).toEqual(received[0]);
    const again = await acme.ask("POST", `/app/hook/deliveries/${delivery!.id}/attempts`, { token: await acme.jwt() });
    expect(again.status).toBe(202);
    await github.deliveries.settled();
    expect(received.map(({ guid }) => guid)).toEqual([delivery!.guid, delivery!.guid, delivery!.guid]);
    const { items } = await listed();
    expect(items.slice(0, 2)).toMatchObject([
      { guid: delivery!.guid, redelivery: true },
      { guid: delivery!.guid, redelivery: false },
    ]);
  });

  test("what the App's server answers is written down; where there is none, too", async () => {
    const { github, pull, app } = acme;
    status = 500;
    github.as("mona").comment(pull, "Hello");
    await github.deliveries.settled();
    expect((await listed()).items[0]).toMatchObject({ status: "Invalid HTTP Response: 500", status_code: 500 });
    app.webhook_url = "http://127.0.0.1:1/";
    github.as("mona").comment(pull, "Hello");
    await github.deliveries.settled();
    expect((await listed()).items[0]).toMatchObject({ status: "failed to connect to host", status_code: 502 });
  });
});

test("the App's list goes page by page, newest first, and each can be read whole", async () => {
  const { github, pull } = acme;
  for (const text of ["one", "two", "three"]) github.as("mona").comment(pull, text);
  await github.deliveries.settled();
  const first = await listed("?per_page=2");
  const next = /<([^>]+)>; rel="next"/.exec(first.answer.headers.get("link") ?? "")?.[1] ?? "";
  const second = await listed(new URL(next).search);
  expect(next).toContain("cursor=v1_");
  expect(second.answer.headers.get("link")).toBeNull();
  const guids = github.deliveries.all.map(({ guid }) => guid).toReversed();
  expect([...first.items, ...second.items].map(({ guid }) => guid)).toEqual(guids.slice(0, 4));
  expect((await listed("?cursor=v1_7")).answer.status).toBe(400);

  // Larger than a JavaScript number: as text they stay what they are.
  const id = github.deliveries.all.at(-1)!.id;
  expect(Number.isSafeInteger(Number(id))).toBe(false);
  const raw = await fetch(`${github.apiUrl}/app/hook/deliveries?per_page=1`, {
    headers: { authorization: `Bearer ${await acme.jwt()}` },
  });
  expect(await raw.text()).toContain(`"id":${id},`);
  const whole = await acme.ask("GET", `/app/hook/deliveries/${id}`, { token: await acme.jwt() });
  expect(whole.body).toMatchObject({
    request: {
      payload: { action: "created", comment: { body: "three" } },
      headers: { "x-github-event": "issue_comment" },
    },
  });
  const other = await github.apps.register({ owner: "acme", name: "Another" });
  const token = await acme.jwt({ iss: String(other.id), pem: other.pem });
  expect((await acme.ask("GET", `/app/hook/deliveries/${id}`, { token })).status).toBe(404);
});
