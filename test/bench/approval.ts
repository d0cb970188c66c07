/**
 * How long a person's answer takes to the call that waits for it: `node test/bench/approval.ts [ROUNDS]`, default 40.
 * Two gateways on one database: GitHub's delivery comes to one, the call waits at the other, and Datadog answers at once.
 */

import { deleteMonitor, deletesOf, startReviewed } from "../standins/reviewed.ts";
import { startDatabase } from "../standins/database.ts";
import { startGatewayProcess } from "../standins/gatewayProcess.ts";

const rounds = Number(process.argv[2] ?? 40);

const database = await startDatabase();
const scene = await startReviewed(({ method }) => ({
  status: 200,
  headers: [["content-type", "application/json"]],
  body: method === "GET" ? '{"id":1,"name":"Checkout latency"}' : '{"deleted_monitor_id":1}',
}));
const [hearing, waiting] = await Promise.all([startGatewayProcess(scene.file), startGatewayProcess(scene.file)]);
try {
  scene.deliverTo(hearing.url);
  const took: number[] = [];
  for (let round = 1; round <= rounds; round += 1) took.push(await answerOnce(round));
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  console.log(
    `from GitHub's delivery to the answer of the waiting call, two gateways, ${rounds} rounds: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms (goal: median 250 ms)`,
  );
} finally {
  await Promise.all([hearing.kill("SIGTERM"), waiting.kill("SIGTERM")]);
  await scene.close();
  await database.stop();
}

/** ms */
async function answerOnce(monitor: number): Promise<number> {
  const opened = await scene.openSession(waiting.url);
  const answer = deleteMonitor(waiting.url, opened, monitor);
  const question = await shown(opened.session_id);
  const began = performance.now();
  scene.github.as("mona").reply(question.comment, `/approve ${question.code}`);
  const { status } = await answer;
  const took = performance.now() - began;
  if (status !== 200 || deletesOf(scene, monitor) !== 1) throw new Error(`round ${monitor} ended with ${status}`);
  return took;
}

async function shown(session_id: string) {
  for (;;) {
    const asked = (await scene.approvals(waiting.url)).find((approval) => approval.session_id === session_id);
    const comment = scene.github.comments
      .in(scene.repository)
      .find(({ body }) => asked !== undefined && body.includes(`dogwatch:approval:${asked.id}`));
    if (asked !== undefined && comment?.kind === "review_comment") return { code: asked.code, comment };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
