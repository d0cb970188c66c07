/** From the call to the search: what agents did is found while they go on, by masked text only, at any gateway. */

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { send } from "../../standins/send.ts";
import { type World, auditorToken, realKeys, startWorld } from "../../standins/world.ts";

let world: World;
let token: string;
let session: string;

beforeAll(async () => {
  world = await startWorld(
    () => ({
      status: 200,
      body: '{"name":"Checkout latency","handle":"ann.lee@example.com","wide":"needle-in-the-answer"}',
    }),
    {
      rules: `
    - { name: reads, effect: allow, when: 'operation.access == "read"' }
    - { name: no-monitor-deletes, effect: deny, when: 'operation.name == "DeleteMonitor"' }`,
    },
  );
  ({ access_token: token, session_id: session } = await world.openSession());
});
afterAll(() => world.close());

const call = (method: string, target: string) => send(world.url, { method, target, headers: [["DD-API-KEY", token]] });

const get = async (path: string) => {
  const response = await fetch(`${world.url}${path}`, { headers: { authorization: `Bearer ${auditorToken}` } });
  return { status: response.status, text: await response.text() };
};
const found = async (q: string): Promise<{ n: number; session_id: string }[]> => {
  const { text } = await get(`/v1/search?q=${encodeURIComponent(q)}`);
  return JSON.parse(text).items;
};
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

test("an answer and a refusal are found soon after they were given", async () => {
  expect((await call("GET", "/api/v1/monitor/4212")).status).toBe(200);
  expect((await call("DELETE", "/api/v1/monitor/4212")).status).toBe(403);
  await soon(async () => expect(await found("needle-in-the-answer")).toMatchObject([{ n: 1, session_id: session }]));
  await soon(async () =>
    expect(await found(`decision:deny rule:no-monitor-deletes session:${session}`)).toMatchObject([{ n: 2 }]),
  );
  expect(await found(`4212 session:${session} -decision:deny`)).toMatchObject([{ n: 1 }]);
});

test("neither tokens nor keys are found, in a search, an export or an event", async () => {
  await soon(async () => expect(await found(`session:${session}`)).not.toEqual([]));
  for (const secret of [token, token.slice(4, 40), realKeys.api, realKeys.app.slice(3, 30)]) {
    expect(await found(`"${secret}"`)).toEqual([]);
    for (const format of ["har", "jsonl", "curl"]) {
      expect((await get(`/v1/sessions/${session}/export?format=${format}`)).text).not.toContain(secret);
      expect((await get(`/v1/search/export?q=&format=${format}`)).text).not.toContain(secret);
    }
  }
});

test("whoever follows a session is told while it goes on, and the stream ends with it", async () => {
  const { access_token, session_id } = await world.openSession();
  const response = await fetch(`${world.url}/v1/sessions/${session_id}/events`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const all = response.text();
  await send(world.url, { method: "GET", target: "/api/v1/monitor/1", headers: [["DD-API-KEY", access_token]] });
  const closed = await fetch(`${world.url}/v1/sessions/${session_id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect(closed.status).toBe(200);
  const text = await all;
  expect(text).toMatch(/event: call\nid: 1\n[^]*event: end\n/);
  expect(text).not.toContain("needle-in-the-answer");
});

test("a gateway that stops lets go of whoever listens", async () => {
  const own = await startWorld(() => ({ status: 200, body: "{}" }));
  const { access_token, session_id } = await own.openSession();
  const response = await fetch(`${own.url}/v1/sessions/${session_id}/events`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const all = response.text().catch(() => "cut");
  expect(response.status).toBe(200);
  await own.close();
  expect(await all).toMatch(/retry|cut/);
});
