/** What was on its way at the same time when it was recorded may be so again; all else comes in its order. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Footprint, mayGoBeside, UnderWay } from "../../../server/journeys/replay/order.ts";
import { inParallel } from "../../standins/send.ts";
import { type Answerer, startUpstream, type Upstream } from "../../standins/upstream.ts";
import { type ReplayScene, startReplayScene } from "./scene.ts";

const print = (changes: Partial<Footprint>): Footprint => ({
  from: 0,
  until: 10,
  reads: false,
  isOfThings: true,
  ids: [],
  text: "",
  ...changes,
});

describe("a call may go beside an earlier one", () => {
  const one = print({ ids: ["17"], text: "/api/v1/monitor/17?" });
  const other = print({ from: 5, ids: ["4218"], text: "/api/v1/monitor/4218?" });

  test.each<[string, boolean, Footprint, Footprint]>([
    ["both read, whenever that was", true, print({ reads: true, from: 20, isOfThings: false }), print({ reads: true })],
    ["both are about other things, and were on their way at the same time", true, other, one],
    ["it came after the end of the earlier one", false, { ...other, from: 10 }, one],
    ["it is a list", false, { ...other, reads: true, isOfThings: false }, one],
    ["the earlier one is not known", false, other, { ...one, isOfThings: false }],
    ["it is about the same thing", false, { ...one, from: 5 }, one],
    ["it reads what the earlier one changes", false, { ...one, from: 5, reads: true }, one],
    ["its body names the thing of the earlier one", false, { ...other, text: 'x? {"ids":[17]}' }, one],
    ["the earlier one's body names its thing", false, other, { ...one, text: 'x? {"ids":[4218]}' }],
    ["it names what the earlier one's answer told", false, other, print({ ids: ["4218"] })],
    ["the earlier one never ended", false, { ...one, from: 99 }, { ...one, until: Number.POSITIVE_INFINITY }],
  ])("%s: %s", (_, may, later, earlier) => {
    expect(mayGoBeside(later, earlier)).toBe(may);
  });
});

test("one that went wrong lets no other go, and is told when the rest has ended", async () => {
  const underWay = new UnderWay(2);
  const ended: string[] = [];
  const slow = Promise.withResolvers<void>();
  underWay.add(
    print({ reads: true }),
    slow.promise.then(() => void ended.push("slow")),
  );
  underWay.add(print({ reads: true }), Promise.reject(new Error("the database is gone")));
  await expect(underWay.until(print({ reads: true }))).rejects.toThrow("the database is gone");
  const all = underWay.all().catch((error: unknown) => ended.push(String(error)));
  slow.resolve();
  await all;
  expect(ended).toEqual(["slow", "Error: the database is gone"]);
});

describe("through the gateway", () => {
  let [live, lab]: Upstream[] = [];
  let scene: ReplayScene;
  let answerLive: Answerer;
  /** What is on its way at the sandbox, by what it is about; and what was so beside what. */
  const now = new Set<string>();
  const beside = new Set<string>();
  let made = 0;

  const answer: Answerer = ({ method, url }) => ({
    status: 200,
    headers: [["content-type", "application/json"]],
    body: JSON.stringify({ id: method === "POST" ? 90_000 + ++made : Number(/\d+$/.exec(url)?.[0] ?? 0) }),
  });
  /** The first of these that comes waits there for another one. */
  let meeting: RegExp;
  let met = Promise.withResolvers<void>();
  const noting: Answerer = async (request, ...more) => {
    const what = `${request.method} ${request.url.split("?")[1] ?? ""}`;
    for (const one of now) beside.add([one, what].toSorted().join(" + "));
    now.add(what);
    if ([...now].filter((one) => meeting.test(one)).length > 1) met.resolve();
    // What may not come meanwhile has a moment to do it.
    await (meeting.test(what) ? met.promise : sleep(50));
    now.delete(what);
    return answer(request, ...more);
  };
  const watch = (those: RegExp): void => {
    [meeting, met] = [those, Promise.withResolvers()];
    beside.clear();
  };

  beforeAll(async () => {
    [live, lab] = await Promise.all([
      startUpstream((request) => answerLive(request)),
      startUpstream((request) => noting(request)),
    ]);
    scene = await startReplayScene({ endpoints: { live: live?.url ?? "", lab: lab?.url ?? "" } });
  });
  afterAll(async () => {
    await scene.close();
    await Promise.all([live?.close(), lab?.close()]);
  });

  test("reads go together, and changes that came one after the other do not", async () => {
    answerLive = answer;
    watch(/read-/);
    const session = await scene.open();
    const call = (method: string, path: string, body?: object) =>
      scene.call(session, { method, path, ...(body !== undefined && { body }) });
    for (const n of [1, 2]) await call("GET", `/api/v1/org?read-${n}`);
    for (const n of [1, 2, 3]) await call("POST", `/api/v1/monitor?make-${n}`, { name: n });
    expect(await scene.replay(session.session_id)).toMatchObject({ state: "done", same: 5 });
    expect([...beside]).toEqual(["GET read-1 + GET read-2"]);
  });

  test("what was made and changed side by side is so again, each thing in its order, with the ids of here", async () => {
    // Of the first two things both wait for one another's creation, so that they were side by side.
    let arrived = 0;
    const both = Promise.withResolvers<void>();
    answerLive = async (request) => {
      if (request.method === "POST" && ++arrived === 2) both.resolve();
      if (request.method === "POST") await both.promise;
      return answer(request);
    };
    watch(/POST make-/);
    const session = await scene.open();
    await inParallel(["a", "b"], 2, async (name) => {
      const made = await scene.call(session, { path: `/api/v1/monitor?make-${name}`, body: { name } });
      const { id } = JSON.parse(made.body.toString());
      await scene.call(session, { method: "PUT", path: `/api/v1/monitor/${id}?change-${name}`, body: { name } });
    });
    const replay = await scene.replay(session.session_id);
    expect(replay).toMatchObject({ state: "done", same: 4, different: 0 });
    expect(beside).toContain("POST make-a + POST make-b");
    for (const name of ["a", "b"]) expect(beside).not.toContain(`POST make-${name} + PUT change-${name}`);
  });
});
