/** A gateway without a GitHub App: it takes no deliveries, and says to a job whom nobody can be asked about. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { send } from "../../standins/send.ts";
import { startWorld, type World } from "../../standins/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(() => ({ status: 200, body: "{}" }), {
    rules: "    - { name: humans, effect: approve, when: 'true' }",
  });
});
afterAll(() => world?.close());

test("its webhook is not there", async () => {
  const response = await fetch(`${world.url}/webhooks/github`, { method: "POST", body: "{}" });
  expect(response.status).toBe(404);
});

test("a job hears what is missing, and nothing is sent", async () => {
  const { access_token } = await world.openSession();
  const answer = await send(world.url, {
    method: "DELETE",
    target: "/api/v1/monitor/1",
    headers: [["DD-API-KEY", access_token]],
  });
  expect(answer.header("dogwatch-error")).toBe("approval_required");
  expect(answer.errors?.[0]).toContain("this gateway has no GitHub App");
  expect(world.upstream.requests).toEqual([]);
});
