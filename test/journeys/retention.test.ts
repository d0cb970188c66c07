/** A gateway with `retention` drops what is old by itself; people and programs are told so, and everything else reads as before. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../server/app.ts";
import { openStore } from "../../server/store/database.ts";
import { quietLog } from "../standins/database.ts";
import { auditorToken, type Scene, startScene, type Visit, visit } from "../standins/world.ts";
import { bodyOf, closing, lieFallow, opening, sessionOfOld } from "../store/specimens.ts";

let scene: Scene;
let gateway: Gateway;
let reader: Visit;
let old: string;
let young: string;

const start = (): Promise<Gateway> =>
  startGateway({ file: scene.file, env: {}, log: pino({ level: "silent" }), patience: 1_000 });

beforeAll(async () => {
  scene = await startScene(() => ({ status: 200 }), { more: "retention: { bodies: 3d, receipts: 400d }" });
  const store = await openStore({
    connectionString: scene.database.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  [old, young] = [await sessionOfOld(scene.database, 6), await sessionOfOld(scene.database, 2)];
  for (const id of [old, young])
    await store.sink.record(opening(id, { request: { headers: [], body: bodyOf("asked") } }), () =>
      closing({ response: { headers: [], body: bodyOf("answered") } }),
    );
  await lieFallow(scene.database, old, 4);
  await lieFallow(scene.database, young, 1);
  await store.close();
  gateway = await start();
  reader = visit(gateway.url, scene.issuer);
});
afterAll(async () => {
  await gateway.close();
  await scene.close();
});

test("what is older than retention.bodies is gone soon after the start, and only that", async () => {
  await reader.audited(/^recordings_expired bodies of the sessions of/);
  const [gone] = await reader.calls(old);
  expect(gone).toMatchObject({
    state: "closed",
    status: 200,
    request: { body: { size: 5, sha256: null, expired: true } },
    response: { body: { size: 8, sha256: null, expired: true } },
  });
  const [kept] = await reader.calls(young);
  expect(kept).toMatchObject({
    request: { body: { text: "asked", sha256: createHash("sha256").update("asked").digest("hex"), expired: false } },
    response: { body: { text: "answered" } },
  });
});

test("a page says that a body has expired and offers no bytes, and asking for them is answered 410", async () => {
  await reader.audited(/^recordings_expired/);
  const { headers } = await fetch(`${gateway.url}/sign-in`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ token: auditorToken }),
  });
  const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  const page = async (path: string) => {
    const response = await fetch(gateway.url + path, { headers: { cookie } });
    return { status: response.status, text: await response.text() };
  };
  const shown = await page(`/sessions/${old}/calls/1`);
  expect(shown.text).toContain("expired: its bytes are not kept any more");
  expect(shown.text).not.toContain("request/body");
  expect((await page(`/sessions/${young}/calls/1`)).text).toContain("request/body");
  const raw = await page(`/sessions/${old}/calls/1/request/body`);
  expect([raw.status, raw.text.includes("retention.bodies")]).toEqual([410, true]);
  expect((await reader.read(`/v1/sessions/${old}/calls/1/response/body`)).status).toBe(410);
});

test("a shorter retention takes effect at the next start at the latest", async () => {
  await gateway.close();
  writeFileSync(scene.file, readFileSync(scene.file, "utf8").replace("bodies: 3d", "bodies: 1d"));
  await lieFallow(scene.database, young, 1.5);
  gateway = await start();
  reader = visit(gateway.url, scene.issuer);
  await expect
    .poll(async () => (await reader.calls(young)).map(({ request }) => request.body?.expired))
    .toEqual([true]);
});
