/** Bodies that rules read are held until their calls end, and all of them together take no more than their share of memory. */

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isReplicated } from "../standins/replicas.ts";
import { send } from "../standins/send.ts";
import { type World, startWorld } from "../standins/world.ts";

let world: World;
let letGo: () => void = () => undefined;
const held = new Promise<void>((resolve) => {
  letGo = resolve;
});

beforeAll(async () => {
  world = await startWorld(
    async () => {
      await held;
      return { status: 202, body: "{}" };
    },
    {
      rules: `
    - { name: no-secrets, effect: deny, when: 'operation.name == "SubmitLog" && request.body.exists(one, one.message == "secret")' }
    - { name: everything, effect: allow, when: 'true' }`,
      // Two such bodies may be held at a time: there are 256 MiB for all.
      more: "limits: { inspect: 128MiB }",
    },
  );
});
afterAll(() => world.close());

test("a body beyond the share is turned away unsent while others are held, and passes when they have gone", async ({
  skip,
}) => {
  skip(isReplicated, "the memory for held bodies is each gateway's own");
  const { access_token } = await world.openSession();
  const submit = (message: string) =>
    send(world.url, {
      method: "POST",
      target: "/proxy/http-intake.logs.datadoghq.com/api/v2/logs",
      headers: [
        ["DD-API-KEY", access_token],
        ["Content-Type", "application/json"],
        ["Content-Encoding", "gzip"],
      ],
      body: gzipSync(JSON.stringify([{ message }])),
    });
  const first = [submit("one"), submit("two")];
  await world.upstream.received(2);
  const refused = await submit("three");
  expect([refused.status, refused.header("dogwatch-error")]).toEqual([503, "gateway_busy"]);
  expect(world.upstream.requests.length).toBe(2);
  letGo();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([202, 202]);
  expect((await submit("four")).status).toBe(202);
  // Turned away, forwarded or refused: what was set aside is given back.
  for (let i = 0; i < 5; i++) expect((await submit("secret")).status).toBe(403);
  expect((await submit("five")).status).toBe(202);
});
