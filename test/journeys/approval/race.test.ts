/** Two gateways, many identical requests and many answers at once: one question, one use, nobody left waiting. `npm run soak -- race` plays more rounds. */

import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../../server/app.ts";
import type { ApprovalJson, CallJson } from "../../../server/contract.ts";
import { deleteMonitor, deletesOf, type Reviewed, startReviewed } from "../../standins/reviewed.ts";
import { visit } from "../../standins/world.ts";

const rounds = Number(process.env["DOGWATCH_RACE_ROUNDS"] ?? 5);
const requests = 50;
const answers = 20;

let scene: Reviewed;
let gateways: readonly Gateway[];

beforeAll(async () => {
  // Whoever is not woken waits longer than a test may take.
  scene = await startReviewed(
    ({ method }) => ({
      status: 200,
      headers: [["content-type", "application/json"]],
      body: method === "GET" ? '{"id":1,"name":"Checkout latency"}' : '{"deleted_monitor_id":1}',
    }),
    { more: "hold: 10m" },
  );
  const start = () => startGateway({ file: scene.file, env: {}, log: pino({ level: "silent" }), patience: 1_000 });
  gateways = [await start(), await start()];
});

afterAll(async () => {
  for (const gateway of gateways ?? []) await gateway.close();
  await scene?.close();
});

const urlOf = (index: number): string => (gateways[index % gateways.length] as Gateway).url;

test.for(Array.from({ length: rounds }, (_, round) => round))("round %i", async (round) => {
  const monitor = 1_000 + round;
  const opened = await scene.openSession(urlOf(round));
  const before = scene.github.comments.in(scene.repository).length;
  const checksBefore = scene.github.checks.in(scene.repository).length;
  scene.deliverTo(urlOf(round));
  const sent = Array.from({ length: requests }, (_, i) => deleteMonitor(urlOf(i), opened, monitor));

  const asked = await scene.asked(urlOf(round), opened.session_id);
  const held = visit(urlOf(0), scene.issuer);
  await expect.poll(async () => deletesIn(await held.calls(opened.session_id))).toBe(requests);
  expect(deletesOf(scene, monitor)).toBe(0);

  // Half of the answers reach the other gateway too.
  const comment = await questionOf(asked);
  for (let i = 0; i < answers; i += 1)
    scene.github.as(i % 2 === 0 ? "mona" : "ada").reply(comment, `/approve ${asked.code}`);
  scene.deliverTo(urlOf(round + 1));
  await Promise.all(
    scene.github.deliveries.all
      .filter(({ event, payload }) => event === "pull_request_review_comment" && payload.includes(asked.code))
      .slice(0, answers / 2)
      .map((delivery) => scene.github.deliveries.repeat(delivery)),
  );

  const received = await Promise.all(sent);
  expect(received.filter(({ status }) => status === 200)).toHaveLength(1);
  const others = received.filter(({ status }) => status !== 200);
  expect(new Set(others.map((answer) => answer.header("dogwatch-error")))).toEqual(new Set(["approval_required"]));
  expect(deletesOf(scene, monitor)).toBe(1);

  const mine = (await scene.approvals(urlOf(0))).filter(({ session_id }) => session_id === opened.session_id);
  expect(mine).toHaveLength(1);
  await scene.github.deliveries.settled();
  await expect.poll(async () => (await approvalOf(asked)).answers.length).toBe(answers);
  const settled = await approvalOf(asked);
  expect(settled.state).toBe("consumed");
  expect(settled.answers.filter(({ accepted }) => accepted)).toHaveLength(1);
  const written = scene.github.comments.in(scene.repository).slice(before);
  expect(written.filter(({ body }) => body.startsWith(`<!-- dogwatch:approval:${asked.id} -->`))).toHaveLength(1);
  expect(scene.github.checks.in(scene.repository).length - checksBefore).toBe(1);
  const calls = await held.endedCalls(opened.session_id);
  expect(calls.filter(({ method, status }) => method === "DELETE" && status === 200)).toHaveLength(1);
  expect(calls.filter(({ state }) => state === "indeterminate")).toEqual([]);
});

const deletesIn = (calls: readonly CallJson[]): number => calls.filter(({ method }) => method === "DELETE").length;

async function approvalOf({ id }: ApprovalJson): Promise<ApprovalJson> {
  const found = (await scene.approvals(urlOf(1))).find((approval) => approval.id === id);
  if (found === undefined) throw new Error(`approval ${id} is gone`);
  return found;
}

async function questionOf({ id }: ApprovalJson) {
  const [question] = scene.github.comments
    .in(scene.repository)
    .filter(({ body }) => body.startsWith(`<!-- dogwatch:approval:${id} -->`));
  if (question?.kind !== "review_comment") throw new Error("the question is no review comment");
  return question;
}
