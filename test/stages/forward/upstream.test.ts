/** Connections to Datadog: a call that finds none free is told in time, and is never sent afterwards. */

import { afterEach, expect, test } from "vitest";
import { type Sent, Upstreams, isBroken } from "../../../server/stages/forward/upstream.ts";
import { type Upstream, startUpstream } from "../../standins/upstream.ts";

let upstream: Upstream;
let upstreams: Upstreams;

afterEach(async () => {
  await upstreams.close();
  await upstream.close();
});

const write = (n: number): Sent =>
  upstreams.send(upstream.url, {
    method: "POST",
    host: "api.datadoghq.com",
    target: `/api/v1/monitor?n=${n}`,
    headers: [],
    body: Buffer.from("{}"),
  });

test("a call that no connection is free for is given up unsent, and stays so when one becomes free", async () => {
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  upstream = await startUpstream(async () => {
    await held;
    return { status: 200, body: "{}" };
  });
  upstreams = new Upstreams({ connect: 500, wait: 1_000, connections: 4 });
  const busy = [1, 2, 3, 4].map(write);
  await upstream.received(4);
  const late = await write(5).answered;
  expect(late).toMatchObject({ broken: "network", sent: false, message: expect.stringContaining("free") as string });
  letGo();
  for (const { answered } of busy) {
    const answer = await answered;
    if (isBroken(answer)) throw new Error(answer.message);
    await answer.body.collect();
  }
  const after = await write(6).answered;
  expect(isBroken(after)).toBe(false);
  expect(upstream.requests.map(({ url }) => url.slice(-1)).toSorted()).toEqual(["1", "2", "3", "4", "6"]);
});

test("an address where nobody listens is told as unsent", async () => {
  upstream = await startUpstream(() => "hang up");
  upstreams = new Upstreams();
  const { port } = upstream;
  await upstream.close();
  const answer = await upstreams.send(`http://127.0.0.1:${port}`, {
    method: "GET",
    host: "api.datadoghq.com",
    target: "/",
    headers: [],
    body: null,
  }).answered;
  expect(answer).toMatchObject({ broken: "network", sent: false });
});
