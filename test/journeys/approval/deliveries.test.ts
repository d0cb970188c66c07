/** Deliveries that are forged, repeated, out of order or lost: one answer counts once, however it is told, and none is missed. */

import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Delivery } from "../../../server/demo/github/deliveries.ts";
import { type ApprovalScene, type Asked, eventually, inThread, patient, startApprovalScene } from "./scene.ts";

let scene: ApprovalScene;
beforeAll(async () => {
  scene = await startApprovalScene({ approve: { DeleteMonitor: "", UpdateMonitor: "via: [check]" } });
});
afterAll(() => scene?.close());

const say = (login: string) => scene.github.as(login);
let next = 100;
const path = (): string => `/api/v1/monitor/${(next += 1)}`;

const deliveryOf = (id: number): Promise<Delivery> =>
  eventually(
    () =>
      scene.github.deliveries.all.find(
        ({ payload }) => payload.includes(`"id":${id},`) && payload.includes("/approve"),
      ) ?? null,
  );

const post = (body: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(`${scene.url}/webhooks/github`, { method: "POST", body, headers });

test("a forged delivery is turned away, whatever it says", patient, async () => {
  const target = path();
  const asked = await (await scene.job()).ask(target, { prefer: "respond-async" });
  scene.github.deliveries.lose({ event: "pull_request_review_comment", times: 1 });
  const said = say("octocat").reply(inThread(asked.question), "No.");
  const { payload, headers } = await eventually(
    () => scene.github.deliveries.all.find((one) => one.payload.includes(`"id":${said.id},`)) ?? null,
  );
  const forged = payload.replace('"No."', `"/approve ${asked.code}"`);
  expect(forged).not.toBe(payload);
  for (const signature of [
    headers["x-hub-signature-256"] ?? "",
    `sha256=${createHmac("sha256", "guessed").update(forged).digest("hex")}`,
    "",
  ])
    expect((await post(forged, { ...headers, "x-hub-signature-256": signature })).status).toBe(401);
  expect(await asked.now()).toMatchObject({ state: "pending", answers: [] });
  expect(scene.changes(target)).toEqual([]);
  await scene.audited(/request_refused POST \/webhooks\/github the signature is missing or wrong/);
});

test("what is signed and not so on GitHub is no answer", patient, async () => {
  const target = path();
  const asked = await (await scene.job()).ask(target, { prefer: "respond-async" });
  scene.github.deliveries.lose({ event: "pull_request_review_comment", times: 1 });
  const said = say("octocat").reply(inThread(asked.question), "No.");
  const { payload, headers } = await eventually(
    () => scene.github.deliveries.all.find((one) => one.payload.includes(`"id":${said.id},`)) ?? null,
  );
  const altered = payload.replace('"No."', `"/approve ${asked.code}"`);
  const signature = `sha256=${createHmac("sha256", scene.app.webhook_secret).update(altered).digest("hex")}`;
  expect((await post(altered, { ...headers, "x-hub-signature-256": signature })).status).toBe(200);
  expect(await asked.now()).toMatchObject({
    state: "pending",
    answers: [{ accepted: false, reason: expect.stringMatching(/was edited/) }],
  });
  expect(scene.changes(target)).toEqual([]);
});

test("a delivery that is repeated is heard once", patient, async () => {
  const target = path();
  const job = await scene.job();
  const asked = await job.ask(target);
  const said = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  expect((await asked.answer).status).toBe(200);
  await asked.reply(said);
  const delivery = await deliveryOf(said.id);
  expect(await Promise.all([1, 2, 3].map(() => scene.github.deliveries.repeat(delivery)))).toEqual([200, 200, 200]);
  expect((await asked.now()).answers).toHaveLength(1);
  expect(asked.replies().filter(({ body }) => body.includes(`:${said.id} `))).toHaveLength(1);
  // The delivery's own id is not signed: another one makes it no other delivery.
  expect((await post(delivery.payload, { ...delivery.headers, "x-github-delivery": "another" })).status).toBe(200);
  expect((await asked.now()).answers).toHaveLength(1);
  // An identical request is another question, which the old answer does not answer.
  const again = await job.ask(target, { prefer: "respond-async" });
  await scene.github.deliveries.repeat(delivery);
  expect(await again.now()).toMatchObject({ state: "pending", answers: [] });
  expect(scene.changes(target)).toHaveLength(1);
});

test("a comment and its edit that arrive the wrong way round are one refusal", patient, async () => {
  const target = path();
  const asked = await (await scene.job()).ask(target, { prefer: "respond-async" });
  scene.github.deliveries.hold({ event: "pull_request_review_comment" });
  const said = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
  say("octocat").edit(said, `/deny ${asked.code}`);
  await scene.github.deliveries.release("reversed");
  expect(await asked.reply(said)).toMatch(/this one was edited/);
  await scene.github.deliveries.settled();
  expect((await asked.now()).answers).toMatchObject([{ accepted: false }]);
  expect(asked.replies().filter(({ body }) => body.includes(`:${said.id}`))).toHaveLength(1);
  expect(scene.changes(target)).toEqual([]);
});

test("told to two gateways at once, it is one answer and one reply", patient, async () => {
  const first = scene.gateway.url;
  const target = path();
  const asked = await (await scene.job()).ask(target, { prefer: "respond-async" });
  const second = await scene.start();
  scene.github.deliveries.lose({ event: "pull_request_review_comment", times: 2 });
  const said = [
    say("reader").reply(inThread(asked.question), `/approve ${asked.code}`),
    say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`),
  ];
  for (const { id } of said) {
    const { payload, headers } = await deliveryOf(id);
    const tell = (url: string) => fetch(`${url}/webhooks/github`, { method: "POST", body: payload, headers });
    const told = await Promise.all([first, second.url, first, second.url].map(tell));
    for (const { status } of told) expect([200, 202]).toContain(status);
  }
  await asked.until("approved");
  for (const comment of said) await asked.reply(comment);
  expect((await asked.now()).answers.map(({ accepted }) => accepted)).toEqual([false, true]);
  for (const { id } of said) expect(asked.replies().filter(({ body }) => body.includes(`:${id} `))).toHaveLength(1);
  expect(scene.changes(target)).toEqual([]);
});

describe("with all deliveries lost", () => {
  beforeAll(() => scene.github.deliveries.lose());
  afterAll(() => scene.github.deliveries.release());

  const within15 = async (answered: () => Promise<unknown>): Promise<number> => {
    const from = performance.now();
    await answered();
    return performance.now() - from;
  };

  test("a comment is found, and passes its call", { timeout: 120_000 }, async () => {
    const target = path();
    const asked = await (await scene.job()).ask(target);
    const wrong = say("reader").reply(inThread(asked.question), `/approve ${asked.code}`);
    const said = say("octocat").reply(inThread(asked.question), `/approve ${asked.code}`);
    const took = await within15(() => asked.answer);
    expect((await asked.answer).status).toBe(200);
    // The goal is 15 seconds; a slow machine may take longer, never without end.
    expect(took).toBeLessThan(60_000);
    expect(await asked.reply(said)).toMatch(/\*\*Approved\.\*\*/);
    expect(await asked.reply(wrong)).toMatch(/yours is `read`|This question was approved before/);
    expect((await asked.now()).answers).toHaveLength(2);
    expect(scene.changes(target)).toHaveLength(1);
  });

  test("a button that was pressed is found in the App's deliveries", { timeout: 120_000 }, async () => {
    const target = path();
    scene.monitors.set(target, { id: 1, name: "Disk", priority: 3 });
    const asked = await (await scene.job()).ask(target, { method: "PUT", body: '{"priority":1}' });
    say("octocat").press(asked.check!, `approve:${asked.code}`);
    expect((await asked.answer).status).toBe(200);
    expect((await asked.now()).answers).toMatchObject([{ via: "check", by: "github:octocat", accepted: true }]);
    expect(scene.changes(target)).toHaveLength(1);
  });

  test("a comment on the timeline is found, and told why it does not count", { timeout: 120_000 }, async () => {
    const job = await scene.job();
    const asked = await job.ask(path(), { prefer: "respond-async" });
    const said = say("octocat").comment(job.pull!, `/approve ${asked.code}`);
    expect(await asked.reply(said)).toMatch(/no reply to the question/);
    expect((await asked.now()).state).toBe("pending");
  });

  test("one that was edited before it was found does not count", { timeout: 120_000 }, async () => {
    const job = await scene.job();
    const asked: Asked = await job.ask(path(), { prefer: "respond-async" });
    const said = say("octocat").reply(inThread(asked.question), "Hm.");
    // GitHub's times are whole seconds: an edit within the same one is a comment that was written so.
    await eventually(() => (Date.now() - said.created_at.getTime() > 2_000 ? true : null));
    say("octocat").edit(said, `/approve ${asked.code}`);
    expect(await asked.reply(said)).toMatch(/this one was edited/);
    expect((await asked.now()).state).toBe("pending");
  });
});
