/** How often an export asks the database: by the page and by what is read together, never by the call. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { exportProof, type ProofParts } from "../../../server/journeys/proof.ts";
import { createBodies } from "../../../server/store/bodies.ts";
import { Salts } from "../../../server/store/epochs.ts";
import { createSealLog } from "../../../server/store/log.ts";
import { createReceipts } from "../../../server/store/receipts.ts";
import { openRows, type Rows } from "../../../server/store/rows.ts";
import { createSeals } from "../../../server/store/seals.ts";
import { createSessions } from "../../../server/store/sessions.ts";
import { bodyOf, closing, opening, openSession } from "../../store/specimens.ts";
import { reportOf, type Scene, startScene, verify } from "./scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene?.close());

/** Two bodies a call, each its own; these sizes in turn. */
const record = async (calls: number, sizes: readonly number[]): Promise<string> => {
  const { sessions, sink } = scene.store;
  const { id } = await openSession(sessions);
  const body = (what: string, n: number) => bodyOf(`${what} ${id} ${n}`.padEnd(sizes[n % sizes.length] ?? 0, `${n}`));
  for (let n = 0; n < calls; n += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, calls - n) }, (_, i) =>
        sink.record(opening(id, { request: { headers: [], body: body("request", n + i) } }), () =>
          closing({ response: { headers: [], body: body("response", n + i) } }),
        ),
      ),
    );
  await sessions.close(id, "closed");
  for (let seal = await scene.sealer.seal(id); seal?.checkpoint == null; seal = await scene.sealer.seal(id));
  return id;
};

/** An export through rows that are counted: how often the database was asked, and the most that was in memory of what one question gave. */
const exported = async (id: string) => {
  const rows = await openRows(scene.database.connectionString);
  let questions = 0;
  let most = 0;
  const counted: Rows = {
    ...rows,
    ask: (question) => {
      questions += 1;
      return rows.ask(question);
    },
  };
  const bodies = createBodies(counted, new Salts());
  const parts: ProofParts = {
    sessions: createSessions(counted, () => new Date()),
    receipts: createReceipts(counted, bodies),
    bodies: {
      ...bodies,
      readSmall: async (ids) => {
        const read = await bodies.readSmall(ids);
        most = Math.max(
          most,
          [...read.values()].reduce((sum, { length }) => sum + length, 0),
        );
        return read;
      },
    },
    seals: createSeals(counted),
    sealLog: createSealLog(counted),
    signKeys: scene.keys,
    keepsReceipts: () => 400 * 86_400_000,
    auditFirst: async () => undefined,
    now: () => new Date(),
  };
  const found = await exportProof(parts, { kind: "access", name: "ops", role: "auditor" }, [id]);
  if ("code" in found) throw new Error(found.message);
  const lines: string[] = [];
  for await (const line of found) lines.push(JSON.stringify(line));
  await rows.close();
  expect(reportOf(await verify(lines, { keys: scene.keys, wanted: [id] }), id)).toMatchObject({
    verdict: "unanchored",
    findings: [],
  });
  return { questions, most };
};

test("2,000 calls with 4,000 bodies are asked for in less than 100 questions, and twice as many calls in about twice as many", async () => {
  const [once, twice] = [await exported(await record(1_000, [200])), await exported(await record(2_000, [200]))];
  expect(twice.questions).toBeLessThan(100);
  expect(twice.questions - once.questions).toBeLessThan(1.2 * once.questions);
}, 120_000);

test("bodies of any size are read together in a few megabytes at most, in however many questions that takes", async () => {
  const { questions, most } = await exported(await record(300, [100, 60_000, 30_000]));
  expect(most).toBeLessThanOrEqual(4 * 2 ** 20);
  expect(most).toBeGreaterThan(2 ** 20);
  expect(questions).toBeLessThan(60);
}, 120_000);

test("a body that is asked for with others, and is gone, is named, and the others are there", async () => {
  const id = await record(20, [300]);
  await scene.tamper([
    "DELETE FROM bodies WHERE digest = (SELECT response_digest FROM closings WHERE session_id = $1 AND n = 7)",
    id,
  ]);
  const report = reportOf(await verify(await scene.export([id]), { keys: scene.keys, wanted: [id] }), id);
  expect(report.findings).toEqual([
    { kind: "body", n: 7, message: "call 7: the response body is gone, and its time was not over" },
  ]);
});
