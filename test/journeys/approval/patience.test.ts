/** Clients that wait less long than people take: they send again, and end with one question and one effect. */

import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../../server/app.ts";
import type { ApprovalJson, TokenAnswer } from "../../../server/contract.ts";
import { deleteMonitor, deletesOf, type Reviewed, startReviewed } from "../../standins/reviewed.ts";

let scene: Reviewed;
let gateway: Gateway;
let monitor = 0;

beforeAll(async () => {
  scene = await startReviewed(
    ({ method }) => ({
      status: 200,
      headers: [["content-type", "application/json"]],
      body: method === "GET" ? '{"id":1,"name":"Checkout latency"}' : '{"deleted_monitor_id":1}',
    }),
    // As long for these clients as 50 s are for datadogpy, which gives up after 60.
    { more: "hold: 500ms" },
  );
  gateway = await startGateway({ file: scene.file, env: {}, log: pino({ level: "silent" }), patience: 1_000 });
  scene.deliverTo(gateway.url);
});

afterAll(async () => {
  await gateway?.close();
  await scene?.close();
});

const askedBy = async ({ session_id }: TokenAnswer): Promise<readonly ApprovalJson[]> =>
  (await scene.approvals(gateway.url)).filter((approval) => approval.session_id === session_id);

const approve = async (opened: TokenAnswer): Promise<void> => {
  for (;;) {
    const [asked] = await askedBy(opened);
    const question = scene.github.comments
      .in(scene.repository)
      .find(({ body }) => asked !== undefined && body.includes(`dogwatch:approval:${asked.id}`));
    if (question?.kind === "review_comment") {
      scene.github.as("mona").reply(question, `/approve ${asked?.code}`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

test("one that is told so before its own patience ends, and sends again, as datadogpy's callers do", async () => {
  const opened = await scene.openSession(gateway.url);
  const id = (monitor += 1);
  const first = await deleteMonitor(gateway.url, opened, id);
  expect(first).toMatchObject({ status: 403 });
  expect(first.header("dogwatch-error")).toBe("approval_required");
  expect(first.errors?.join()).toContain("Send the identical request again");
  await approve(opened);
  let answer = first;
  while (answer.status === 403) answer = await deleteMonitor(gateway.url, opened, id);
  expect(answer.status).toBe(200);
  expect(deletesOf(scene, id)).toBe(1);
  expect(await askedBy(opened)).toMatchObject([{ state: "consumed" }]);
});

test("one that hangs up before it is told, five times, as datadog-ci's retries do", async () => {
  const opened = await scene.openSession(gateway.url);
  const id = (monitor += 1);
  const impatient = async (): Promise<number> =>
    fetch(`${gateway.url}/api/v1/monitor/${id}`, {
      method: "DELETE",
      headers: { "dd-api-key": opened.access_token },
      signal: AbortSignal.timeout(200),
    }).then(
      ({ status }) => status,
      () => 0,
    );
  // On a slow machine it may have gone every time before anybody could be asked.
  for (let tries = 0; tries < 5 || (await askedBy(opened)).length === 0; tries += 1) await impatient();
  await approve(opened);
  await expect.poll(async () => (await askedBy(opened))[0]?.state).toBe("approved");
  expect(deletesOf(scene, id)).toBe(0);
  expect((await deleteMonitor(gateway.url, opened, id)).status).toBe(200);
  expect(deletesOf(scene, id)).toBe(1);
  expect(await askedBy(opened)).toMatchObject([{ state: "consumed" }]);
});
