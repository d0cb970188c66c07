/** What stands beside the bodies of a call holds no secret either, wherever it is stored, and neither does what people are asked. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dumpOf, foundIn } from "../../standins/dump.ts";
import { send } from "../../standins/send.ts";
import { type World, startWorld } from "../../standins/world.ts";
import { patient, startApprovalScene } from "../approval/scene.ts";
import { inRanges, readInRanges } from "./scene.ts";

const key = (n: number): string => `AKIAQ3EGRZUOT7WBP${"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[n] ?? "Z"}2M`;
const short = "s3cr3t-of-nobody";

describe("what is stored beside the bodies", () => {
  let world: World;
  let kept: readonly string[] = [];
  beforeAll(async () => {
    world = await startWorld(
      () => ({
        status: 200,
        headers: [
          ["Content-Type", `application/json; note=${key(1)}`],
          [`X-${key(2)}`, "1"],
          ["Location", `https://x.example/?api_key=${short}1`],
          ["WWW-Authenticate", `Basic realm="${key(3)}"`],
          ["X-Auth", `Bearer ${key(4)}`],
        ],
        body: "{}",
      }),
      { more: "" },
    );
    const { access_token, session_id } = await world.openSession();
    const base: readonly (readonly [string, string])[] = [["DD-API-KEY", access_token]];
    const body = Buffer.from("{}");
    await send(world.url, {
      method: "PUT",
      target: "/api/v1/monitor/1",
      body,
      headers: [...base, ["Content-Type", `text/x-${key(5)}`]],
    });
    await send(world.url, {
      method: "PUT",
      target: "/api/v1/monitor/1",
      body,
      headers: [...base, ["Content-Type", "application/json"], [`X-${key(6)}`, "1"]],
    });
    await send(world.url, {
      method: "PUT",
      target: "/api/v1/monitor/1",
      body,
      headers: [...base, ["Content-Encoding", key(7)]],
    });
    await send(world.url, { method: "GET", target: `/api/v1/monitor?api%5Fkey=${short}2`, headers: base });
    await send(world.url, { method: "GET", target: `/api/v1/monitor?api_key[]=${short}3`, headers: base });
    await send(world.url, { method: "GET", target: `/api/v1/monitor?a;api_key=${short}4`, headers: base });
    await send(world.url, {
      method: "GET",
      target: `/api/v1/unknown/${key(8)}`,
      headers: [...base, ["User-Agent", `me/${key(9)}`]],
    });
    await send(world.url, { method: "GET", target: `/api/v1/unknown/api_key/${short}5`, headers: base });
    await send(world.url, {
      method: "GET",
      target: "/api/v1/monitor",
      headers: [...base, ["Referer", `https://x.example/?api_key=${short}6`]],
    });
    await send(world.url, { method: "GET", target: "/api/v1/monitor", headers: [...base, ["X-Api-Key", `${short}7`]] });
    await send(world.url, {
      method: "PUT",
      target: "/api/v1/monitor/1",
      body: Buffer.from(`{"password":["${short}9"]}`),
      headers: [...base, ["Content-Type", "application/json"]],
    });
    await world.endedCalls(session_id);
    kept = [...(await dumpOf(world.database)), world.log.join("\n")];
  }, 240_000);
  afterAll(() => world?.close());

  test.for<[string, string]>([
    ["an answer's content type", key(1)],
    ["the name of an answer's header field", key(2)],
    ["a link", `${short}1`],
    ["a challenge", key(3)],
    ["a header field of the answer", key(4)],
    ["the content type", key(5)],
    ["the name of a header field", key(6)],
    ["the content coding", key(7)],
    ["a query: the name encoded", `${short}2`],
    ["a query: the name of a list", `${short}3`],
    ["a query: behind a semicolon", `${short}4`],
    ["an unknown path", key(8)],
    ["the client", key(9)],
    ["an unknown path, behind the name of a key", `${short}5`],
    ["a referer", `${short}6`],
    ["a header field named after a key", `${short}7`],
    ["a list of passwords", `${short}9`],
  ])("%s", ([, secret]) => {
    expect(foundIn(kept, [secret.toLowerCase(), secret])).toEqual([]);
  });
});

test("what people are asked does not name a secret of the path", patient, async () => {
  const scene = await startApprovalScene({ approve: { DeleteMonitor: "" } });
  try {
    const asked = await (await scene.job()).ask(`/api/v1/monitor/${key(10)}`);
    expect(asked.approval.title).toMatch(/^Delete monitor dwm_aws-access-key-id_/);
    expect(JSON.stringify([asked.question, asked.check, asked.approval])).not.toContain(key(10));
    expect(foundIn([...(await dumpOf(scene.database)), scene.log.join("\n")], [key(10)])).toEqual([]);
  } finally {
    await scene.close();
  }
});

test("an answer in ranges is not stored in halves of a value", async () => {
  const body = `{"padding":"${"x".repeat(50)}","message":"ann@example.com and ${key(11)}"}`;
  const world = await startWorld(inRanges(body), {
    more: "  masks: [{ name: m, detect: [personal, secret], where: [recording] }]",
  });
  try {
    const { access_token, session_id } = await world.openSession();
    const read = await readInRanges(world.url, access_token, body.length);
    expect(read).toContain("ann@example.com");
    const calls = await world.endedCalls(session_id);
    expect(calls).toHaveLength(Math.ceil(body.length / 8));
    for (const { response } of calls) {
      expect(response?.body?.withheld).toMatch(/^it is a piece of a larger one, .*HMAC-SHA-256/);
      expect(response?.body?.text ?? null).toBeNull();
    }
  } finally {
    await world.close();
  }
});
