/** What an undoing tells of Datadog's own words: nothing in them that a recording would hide. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ReceivedRequest } from "../../standins/upstream.ts";
import { auditorToken, startWorld, type World } from "../../standins/world.ts";
import { adminToken, stepFor, undoing } from "./scene.ts";

type Told = readonly [status: number, body: unknown];

let scene: World & ReturnType<typeof undoing>;
let answer: (request: ReceivedRequest) => Told;
const secret = "ann@example.com";
const before = {
  id: 7,
  name: "a",
  type: "query alert",
  query: "q",
  message: `Mail ${secret}`,
  options: { variables: { a: 1 } },
};
const after = { ...before, name: "b" };

beforeAll(async () => {
  const world = await startWorld(
    (request) => {
      const [status, body] = answer(request);
      return { status, headers: [["Content-Type", "application/json"]], body: JSON.stringify(body) };
    },
    {
      tokens: `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: boss, role: admin, token: ${adminToken} }]`,
      more: "  masks: [{ name: personal, detect: [personal], where: [recording] }]",
    },
  );
  scene = { ...world, ...undoing(world.url, world.upstream.url) };
});
afterAll(() => scene?.close());
beforeEach(() => {
  answer = ({ method }) => [200, method === "GET" ? before : after];
});

const changed = async () => {
  const session = await scene.openSession();
  await scene.call(session, "GET", "/api/v1/monitor/7");
  await scene.call(session, "PUT", "/api/v1/monitor/7", { name: "b" });
  return session.session_id;
};

test("a complaint that quotes the value that was kept", async () => {
  const session = await changed();
  answer = ({ method }) => (method === "GET" ? [200, after] : [400, { errors: [`no such mailbox: ${secret}`] }]);
  const undone = await scene.apply(session);
  expect(stepFor(undone, 2)).toMatchObject({
    state: "failed",
    result: expect.stringContaining("Datadog answered 400"),
  });
  expect(JSON.stringify(undone)).not.toContain(secret);
});

test("a complaint about the look", async () => {
  const session = await changed();
  answer = () => [403, { errors: [`${secret} may not see this`] }];
  const undone = await scene.apply(session);
  expect(stepFor(undone, 2)).toMatchObject({
    state: "failed",
    result: expect.stringContaining("Datadog answered 403"),
  });
  expect(JSON.stringify(undone)).not.toContain(secret);
});

test("the name of a member that somebody added", async () => {
  const session = await changed();
  answer = () => [200, { ...after, options: { variables: { a: 1, [secret]: 1 } } }];
  const undone = await scene.apply(session);
  expect(stepFor(undone, 2)).toMatchObject({ state: "conflict" });
  expect(stepFor(undone, 2).differs).toEqual(["options.variables.[email]"]);
  expect(JSON.stringify(undone)).not.toContain(secret);
});
