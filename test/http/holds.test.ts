/** Holding sessions over HTTP, on the command line, and in an export: admins alone, written down first, and still as it was signed. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyRecordings } from "../../server/cli/evidence/verify.ts";
import { hold, release } from "../../server/cli/holds/ask.ts";
import { openStore } from "../../server/store/database.ts";
import { quietLog } from "../standins/database.ts";
import { adminToken } from "../journeys/people/scene.ts";
import { auditorAndAdmin } from "../journeys/people/oidcScene.ts";
import { auditorToken, startWorld, type World } from "../standins/world.ts";

let world: World;
let dir: string;

beforeAll(async () => {
  world = await startWorld(() => ({ status: 200, body: '{"id":4212}' }), { tokens: auditorAndAdmin });
  dir = mkdtempSync(join(tmpdir(), "dogwatch-holds-"));
});
afterAll(async () => {
  await world.close();
  rmSync(dir, { recursive: true, force: true });
});

const reason = { reason: "INC-4711: legal asked for it" };
const send = (method: string, id: string, token: string | null, body: object = reason): Promise<Response> =>
  fetch(`${world.url}/v1/sessions/${id}/hold`, {
    method,
    headers: { "content-type": "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });

/** A session that is sealed. */
async function ended(): Promise<{ readonly id: string; readonly token: string }> {
  const { session_id: id, access_token: token } = await world.openSession();
  await (await fetch(`${world.url}/api/v1/monitor/4212`, { headers: { "dd-api-key": token } })).text();
  const closed = await fetch(`${world.url}/v1/sessions/${id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  expect(closed.status).toBe(200);
  return { id, token };
}

test("an admin holds and releases; everybody sees that it is held, and the audit log why", async () => {
  const { id } = await ended();
  const held = await send("POST", id, adminToken);
  expect(held.status).toBe(200);
  expect(await held.json()).toMatchObject({
    session: { id, hold: { by: "boss (admin)", ...reason } },
    bodies: "kept",
  });
  expect((await world.session(id)).hold).toMatchObject({ by: "boss (admin)", ...reason });
  expect((await world.audit()).find(({ kind }) => kind === "session_held")).toMatchObject({
    who: "boss (admin)",
    what: `session ${id}`,
    ...reason,
  });
  const released = await send("DELETE", id, adminToken, { reason: "it is closed" });
  expect([released.status, await released.json()]).toEqual([200, expect.objectContaining({ id, hold: null })]);
  expect((await world.audit()).find(({ kind }) => kind === "session_released")).toMatchObject({
    reason: "it is closed",
  });
});

test("nobody else does, without a reason nobody does, and what is not there is not held", async () => {
  const { id, token } = await ended();
  for (const method of ["POST", "DELETE"]) {
    expect((await send(method, id, auditorToken)).status).toBe(403);
    expect((await send(method, id, token)).status).toBe(403);
    expect((await send(method, id, null)).status).toBe(401);
    for (const body of [{}, { reason: "" }, { reason: "  x " }, { reason: "x".repeat(501) }, { ...reason, by: "me" }])
      expect((await send(method, id, adminToken, body)).status).toBe(400);
    expect((await send(method, "0199c3a1-5f00-7000-8000-000000000001", adminToken)).status).toBe(404);
  }
  expect((await world.session(id)).hold).toBeNull();
});

test("when it cannot be written down it does not happen", async () => {
  const { id } = await ended();
  await world.database.query("ALTER TABLE audit_events RENAME TO audit_events_away");
  try {
    expect((await send("POST", id, adminToken)).status).toBe(503);
  } finally {
    await world.database.query("ALTER TABLE audit_events_away RENAME TO audit_events");
  }
  expect((await world.session(id)).hold).toBeNull();
});

test("what is held is as it was signed when everything beside it is gone, and of what is gone nothing is missed", async () => {
  const [held, beside] = [await ended(), await ended()];
  expect((await send("POST", held.id, adminToken)).status).toBe(200);
  const key = (await (await world.read("/v1/log/key")).text()).trim();
  const later = await openStore({
    connectionString: world.database.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  try {
    await world.database.query(`
      SET session_replication_role = replica;
      UPDATE sessions SET last_used_at = now() - interval '3 hours';
      RESET session_replication_role`);
    // Nothing is kept at all: every day that began is too old, this one too.
    await later.retain({ bodies: -2 * 86_400_000, receipts: 400 * 86_400_000 });
  } finally {
    await later.close();
  }
  const body = await world.read(`/v1/sessions/${held.id}/calls/1/response/body`);
  expect([body.status, await body.text()]).toEqual([200, '{"id":4212}']);
  expect((await world.read(`/v1/sessions/${beside.id}/calls/1/response/body`)).status).toBe(410);
  const verified = async (...ids: readonly string[]) => {
    const file = join(dir, "export.jsonl");
    const asked = ids.map((id) => `session=${id}`).join("&");
    writeFileSync(file, await (await world.read(`/v1/proof?${asked}`)).text());
    return verifyRecordings(file, { key: [key], session: [...ids] }, {});
  };
  expect(await verified(held.id)).toEqual({
    exitCode: 0,
    output: expect.stringContaining(`session ${held.id}: unanchored (1 call`),
  });
  // The salt is still there for the other one: this one's body is expired all the same, and neither lost nor altered.
  expect((await verified(beside.id)).output).toContain("1 bodies are said to have expired, and their time is not over");
});

test("the command line does both, and says when the bodies had gone before", async () => {
  const { id } = await ended();
  const request = { gateway: world.url, ...reason };
  const env = { DOGWATCH_TOKEN: adminToken };
  expect(await hold(id, request, env)).toEqual({
    exitCode: 0,
    output: expect.stringMatching(/^held by boss \(admin\) since .*, with its bodies: INC-4711: legal asked for it\n$/),
  });
  expect(await release(id, request, env)).toEqual({ exitCode: 0, output: "released\n" });
  await world.database.query("UPDATE sessions SET bodies_expired = true WHERE id = $1", [id]);
  expect(await hold(id, { ...request, json: true }, env)).toMatchObject({ exitCode: 1 });
  expect(await hold("0199c3a1-5f00-7000-8000-000000000001", request, env)).toMatchObject({ exitCode: 1 });
  expect(await hold(id, request, { DOGWATCH_TOKEN: auditorToken })).toMatchObject({ exitCode: 2 });
});
