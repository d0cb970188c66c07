/** dogwatch.yaml changes while calls come in: the new rules and limits hold from the next call on, and none in flight is dropped. */

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isReplicated } from "../standins/replicas.ts";
import { openStore } from "../../server/store/database.ts";
import { expireIdle } from "../../server/journeys/close.ts";
import type { AuditEvent } from "../../server/model/audit.ts";
import { quietLog } from "../standins/database.ts";
import { send } from "../standins/send.ts";
import { type World, startWorld } from "../standins/world.ts";

const rules = `
    - { name: no-secrets, effect: deny, when: 'operation.name == "SubmitLog" && request.body.exists(one, one.message == "secret")' }
    - { name: everything, effect: allow, when: 'true' }`;
const logs = Buffer.from(JSON.stringify([{ message: "a".repeat(10_000) }]));

let world: World;
let token: string;
let session: string;
let letGo: () => void = () => undefined;
const held = new Promise<void>((resolve) => {
  letGo = resolve;
});

beforeAll(async () => {
  world = await startWorld(
    async ({ url }) => {
      if (url.includes("held")) await held;
      return { status: 200, body: "{}" };
    },
    { rules, more: "limits: { inspect: 64KiB }" },
  );
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(() => world.close());

const submit = () =>
  send(world.url, {
    method: "POST",
    target: "/proxy/http-intake.logs.datadoghq.com/api/v2/logs",
    headers: [
      ["DD-API-KEY", token],
      ["Content-Type", "application/json"],
    ],
    body: logs,
  });
const change = (from: string, to: string): void =>
  writeFileSync(world.file, readFileSync(world.file, "utf8").replace(from, to));

test("new limits and rules hold from the next call on; one in flight ends as it began", async ({ skip }) => {
  skip(isReplicated, "each gateway reads its file for itself, one of them a moment later");
  expect((await submit()).status).toBe(200);
  const inFlight = send(world.url, {
    method: "POST",
    target: "/api/v1/monitor?held",
    headers: [["DD-API-KEY", token]],
  });
  await world.upstream.received(2);

  const { reason } = await world.audited(/configuration_loaded/);
  change("inspect: 64KiB", "inspect: 1KiB");
  change(
    "- { name: everything, effect: allow, when: 'true' }",
    "- { name: writes, effect: allow, when: 'operation.access != \"read\"' }",
  );
  while ((await world.audited(/configuration_loaded/)).reason === reason);

  expect((await submit()).status).toBe(413);
  const read = await send(world.url, { target: "/api/v1/monitor", headers: [["DD-API-KEY", token]] });
  expect([read.status, read.header("dogwatch-error")]).toEqual([403, "denied"]);
  letGo();
  expect((await inFlight).status).toBe(200);
  const policies = (await world.endedCalls(session)).map(({ decision }) => decision.policy);
  expect(new Set(policies).size).toBe(2);
});

test("a change that cannot be used leaves the last good one in force, and is written down without its secrets", async ({
  skip,
}) => {
  skip(isReplicated, "each gateway reads its file for itself, one of them a moment later");
  change("operation.access != ", "operation.acess != ");
  const refused = await world.audited(/configuration_refused/);
  expect(refused.reason).toMatch(/dogwatch\.yaml:\d+:\d+/);
  expect(refused.reason).not.toContain("real-api-key");
  expect((await submit()).status).toBe(413);
  expect((await world.read("/readyz")).status).toBe(200);
});

test("a session in which nothing happens is ended, and the audit log says whose it was", async () => {
  const { access_token, session_id } = await world.openSession({ jti: "idle" });
  const store = await openStore({
    connectionString: world.database.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  try {
    // All others were used later. It is not made old itself: the gateway, which looks for such sessions too, could be first.
    await world.database.query("UPDATE sessions SET last_used_at = now() + interval '1 hour' WHERE id <> $1", [
      session_id,
    ]);
    const events: AuditEvent[] = [];
    const parts = { sessions: store.sessions, audit: (event: AuditEvent) => void events.push(event) };
    await expireIdle(parts, new Date(Date.now() + 60_000));
    expect(events).toEqual([
      {
        kind: "session_expired",
        who: expect.stringMatching(/^github repo:acme\/app/) as string,
        what: `session ${session_id}`,
        reason: "nothing happened in it; 0 calls, 0 denied",
      },
    ]);
    for (let said = ""; said !== "session_closed"; ) {
      const answer = await send(world.url, { target: "/api/v1/monitor", headers: [["DD-API-KEY", access_token]] });
      expect([401, 403]).toContain(answer.status);
      said = answer.header("dogwatch-error") ?? "";
    }
  } finally {
    await store.close();
  }
});
