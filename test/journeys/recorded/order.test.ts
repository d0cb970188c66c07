/** Which of several recorded answers comes next, and what a write has to do with it. */

import { expect, test } from "vitest";
import { doubleOf } from "./recorded.ts";

test("answers to one request come in their order, and the last one again", async () => {
  const poll = { call: "GET /api/v1/synthetics/tests/a/results" };
  const { ask, double } = await doubleOf([poll, { call: "GET /api/v1/validate" }, poll, poll]);
  const got = [];
  for (let i = 0; i < 5; i++) got.push((await ask(poll.call)).text);
  expect(got).toEqual(['{"ok":1}', '{"ok":3}', '{"ok":4}', '{"ok":4}', '{"ok":4}']);
  expect(double.asked.unasked.map(({ call }) => call.n)).toEqual([2]);
});

test("requests at the same moment get one answer each", async () => {
  const poll = { call: "POST /api/v2/logs/events/search", sent: { filter: { query: "q" } } };
  const { ask } = await doubleOf([poll, poll, poll, poll]);
  const told = await Promise.all(Array.from({ length: 4 }, () => ask(poll.call, { body: poll.sent })));
  expect(new Set(told.map(({ n }) => n))).toEqual(new Set([1, 2, 3, 4]));
});

const get = { call: "GET /api/v1/monitor/1" };
const put = (name: string) => ({ call: "PUT /api/v1/monitor/1", sent: { name } });

test("reads before a write are answered from before it, reads after it from behind it", async () => {
  const { ask } = await doubleOf([get, get, put("a"), get, put("b"), get]);
  const reads = async (times: number) => {
    const got = [];
    for (let i = 0; i < times; i++) got.push((await ask(get.call)).n);
    return got;
  };
  expect(await reads(3)).toEqual([1, 2, 2]);
  expect((await ask("PUT /api/v1/monitor/1", { body: { name: "a" } })).n).toBe(3);
  expect(await reads(2)).toEqual([4, 4]);
  expect((await ask("PUT /api/v1/monitor/1", { body: { name: "b" } })).n).toBe(5);
  expect(await reads(1)).toEqual([6]);
});

test("what was recorded behind a write that was not made is not given away", async () => {
  const { ask, double } = await doubleOf([put("a"), get]);
  expect(await ask(get.call)).toMatchObject({
    status: 403,
    code: "recorded_later",
    errors: [
      "dogwatch: GET /api/v1/monitor/1 was recorded as call 2 (v1.MonitorsApi.GetMonitor) only after call 1 (v1.MonitorsApi.UpdateMonitor) PUT /api/v1/monitor/1, which was not made",
    ],
  });
  // Another write than the recorded one is not recorded, and changes nothing.
  expect((await ask("PUT /api/v1/monitor/1", { body: { name: "other" } })).code).toBe("not_recorded");
  expect((await ask(get.call)).code).toBe("recorded_later");
  await ask("PUT /api/v1/monitor/1", { body: { name: "a" } });
  expect((await ask(get.call)).n).toBe(2);
  expect(double.asked.unanswered.map(({ code, n }) => [code, n])).toEqual([
    ["recorded_later", 2],
    ["not_recorded", 1],
    ["recorded_later", 2],
  ]);
});

test("what was true before a write is not said after it", async () => {
  const { ask } = await doubleOf([get, { call: "DELETE /api/v1/monitor/1" }]);
  expect((await ask(get.call)).n).toBe(1);
  await ask("DELETE /api/v1/monitor/1");
  expect(await ask(get.call)).toMatchObject({
    code: "recorded_earlier",
    errors: [
      "dogwatch: GET /api/v1/monitor/1 was recorded only before call 2 (v1.MonitorsApi.DeleteMonitor) DELETE /api/v1/monitor/1, last as call 1 (v1.MonitorsApi.GetMonitor): what it gave after that was not recorded",
    ],
  });
});

test("an agent that leaves a write out goes on from the next one it makes", async () => {
  const gone = { ...get, status: 404, gave: { errors: ["Monitor not found"] } };
  const { ask } = await doubleOf([put("a"), get, { call: "DELETE /api/v1/monitor/1" }, gone]);
  await ask("DELETE /api/v1/monitor/1");
  expect(await ask(get.call)).toMatchObject({ status: 404, n: 4 });
});

test("a write to one thing says nothing about another id, or another kind of thing", async () => {
  const { ask } = await doubleOf([
    put("a"),
    { call: "GET /api/v1/monitor/2" },
    { call: "GET /api/v1/dashboard/abc-def-ghi" },
    { call: "GET /api/v1/monitor" },
    { call: "GET /api/v1/monitor/1/downtimes" },
  ]);
  expect((await ask("GET /api/v1/monitor/2")).n).toBe(2);
  expect((await ask("GET /api/v1/dashboard/abc-def-ghi")).n).toBe(3);
  // A list may show it.
  expect((await ask("GET /api/v1/monitor")).code).toBe("recorded_later");
  expect((await ask("GET /api/v1/monitor/1/downtimes")).code).toBe("recorded_later");
});

test("only what may have changed something holds reads back", async () => {
  const { ask } = await doubleOf([
    { ...put("a"), status: 400 },
    {
      ...put("b"),
      state: "refused",
      status: 403,
      gave: { errors: ["dogwatch: denied"] },
      headers: [["dogwatch-error", "denied"]],
    },
    { call: "POST /api/v2/logs", sent: [{ message: "telemetry" }] },
    { call: "POST /api/v1/monitor/validate", sent: { name: "x" } },
    get,
    { ...put("c"), state: "indeterminate", status: 403, gave: { errors: ["dogwatch: it may have been applied"] } },
    { call: "GET /api/v1/monitor/1?later=1" },
  ]);
  expect((await ask(get.call)).n).toBe(5);
  expect((await ask("GET /api/v1/monitor/1?later=1")).code).toBe("recorded_later");
  // Its caller was told that nobody knows.
  expect(await ask("PUT /api/v1/monitor/1", { body: { name: "c" } })).toMatchObject({ status: 403, n: 6 });
  expect((await ask("GET /api/v1/monitor/1?later=1")).n).toBe(7);
  expect(await ask("PUT /api/v1/monitor/1", { body: { name: "b" } })).toMatchObject({
    status: 403,
    code: "denied",
    n: 2,
  });
});

test("a call that an agent was told to wait for elsewhere is no answer: the one that was sent again is", async () => {
  const wait = {
    ...put("a"),
    state: "refused",
    status: 202,
    headers: [["dogwatch-approval", "0199"]],
    gave: {},
  } as const;
  const { ask, double } = await doubleOf([wait, put("a")]);
  expect(await ask("PUT /api/v1/monitor/1", { body: { name: "a" } })).toMatchObject({ status: 200, n: 2 });
  expect(double.asked.unasked).toEqual([]);
});

test("a read that differs only in its times is found on the right side of a write", async () => {
  const at = (from: number) => ({ call: `GET /api/v1/monitor/1?from=${from}` });
  const { ask } = await doubleOf([at(1_700_000_000), put("a"), at(1_700_000_900)]);
  await ask("PUT /api/v1/monitor/1", { body: { name: "a" } });
  // Equal to the one before the write, and like the one behind it.
  expect((await ask(at(1_700_000_000).call)).n).toBe(3);
});

test("a call whose agent left before it was answered is passed over for the one that was sent again", async () => {
  const left = { gave: null, status: null } as const;
  const { ask } = await doubleOf([
    { ...get, ...left },
    get,
    { ...put("a"), ...left, state: "indeterminate" },
    put("a"),
    get,
  ]);
  expect((await ask(get.call)).n).toBe(2);
  expect((await ask("PUT /api/v1/monitor/1", { body: { name: "a" } })).n).toBe(4);
  expect((await ask(get.call)).n).toBe(5);
});
