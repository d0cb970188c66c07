/** Whatever is asked of it, the sandbox answers: hostile ids, bodies bent in every place, more than it has room for. */

import { expect, test } from "vitest";
import { buildCatalogue } from "../../../server/datadog/catalogue.ts";
import { intakeRoutes } from "../../../server/datadog/intake.ts";
import { writeJson } from "../../../server/datadog/sandbox/json.ts";
import { createOrganization } from "../../../server/datadog/sandbox/organization.ts";
import { createDirectory } from "../../../server/datadog/sandbox/route.ts";
import { routesOf } from "../../../server/datadog/sandbox/routes.ts";
import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import { createRoom, NoRoom } from "../../../server/datadog/sandbox/shelf.ts";
import { loadRecordings, recordingsMissing } from "../../standins/recordings.ts";
import { learn, read, translate } from "./agreement.ts";
import { bothKeys, type Loose, noon } from "./open.ts";

const open = () => createOrganization({ clock: () => new Date(noon), chance: Math.random, room: 2 ** 26 });

test("knows no operation of the API that Datadog does not have", () => {
  const shape = (method: string, path: string): string => `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`;
  const known = new Set(buildCatalogue().entries.map(({ method, path }) => shape(method, path)));
  const forgotten = new Set(intakeRoutes.map(({ method, path }) => shape(method, path)));
  const invented = routesOf(open())
    .map(({ method, path }) => shape(method, path))
    .filter((route) => !known.has(route) && !forgotten.has(route));
  expect(invented).toEqual([
    // Operations that Datadog's API had and the present client no longer knows.
    "POST /api/v1/monitor/{}/mute",
    "POST /api/v1/monitor/{}/unmute",
    "POST /api/v2/application_keys",
  ]);
});

test("no id and no field reaches a prototype, at any route", () => {
  const routes = routesOf(open());
  const directory = createDirectory(routes);
  const poison = '{"__proto__":{"polluted":1},"data":{"__proto__":{"polluted":1},"id":"__proto__","type":"__proto__"}}';
  const broken: string[] = [];
  for (const { method, path } of routes) {
    for (const id of ["__proto__", "constructor", "toString", "%00", "..%2f"]) {
      const target = path.replaceAll(/\{\w+\}/g, id);
      const found = directory.find(null, method, target);
      try {
        const json = method === "GET" ? undefined : JSON.parse(poison);
        const rest = { path: target, query: new URLSearchParams(), headers: {}, bytes: Buffer.from(poison) };
        found?.route.handle({ ...rest, params: found.params, json });
      } catch (error) {
        broken.push(`${method} ${target}: ${String(error)}`);
      }
    }
  }
  expect(broken).toEqual([]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

/** The same JSON with one place replaced, for every place. */
const bent = (value: unknown, hostile: unknown): unknown[] => {
  if (value === null || typeof value !== "object") return [hostile];
  const entries = Object.entries(value).slice(0, 12);
  const inner = entries.flatMap(([name, each]) =>
    bent(each, hostile).map((next) =>
      Array.isArray(value)
        ? value.map((old: unknown, at) => (String(at) === name ? next : old))
        : { ...value, [name]: next },
    ),
  );
  return [hostile, ...inner];
};

const hostile = [null, 0, "", [], {}, [null], { data: null }, "x".repeat(300)];

test("a recorded request with any one place of its body bent is answered, never broken", {
  timeout: 600_000,
}, ({ skip }) => {
  const recordings = loadRecordings();
  if (recordings === null) skip(recordingsMissing);
  const org = open();
  const directory = createDirectory(routesOf(org));
  const broken = new Set<string>();
  let asked = 0;
  for (const { exchanges } of recordings ?? []) {
    const ids = new Map<string, string>();
    for (const { request, response } of exchanges) {
      const path = translate(request.path, ids);
      const found = directory.find(null, request.method, path);
      if (found === undefined) continue;
      const rest = { path, params: found.params, query: new URLSearchParams(request.query), headers: {} };
      const handle = (json: Loose): Loose => {
        asked += 1;
        try {
          const { body } = found.route.handle({ ...rest, json, bytes: Buffer.alloc(0) });
          return body === undefined ? undefined : JSON.parse(writeJson(body));
        } catch (error) {
          if (!(error instanceof NoRoom)) broken.add(`${request.method} ${found.route.path}: ${String(error)}`);
        }
      };
      const body = read(translate(request.body.toString("utf8"), ids));
      // Before the request itself, so that what it changes or deletes is still there.
      for (const bad of body === undefined ? [] : hostile)
        for (const json of bent(body, bad).slice(0, 60)) handle(JSON.parse(JSON.stringify(json)));
      learn({ theirs: read(response.body.toString("utf8")), ours: handle(body) }, ids);
    }
  }
  expect(asked).toBeGreaterThan(30_000);
  expect([...broken]).toEqual([]);
});

test("says that it is full, keeps what it has, and takes more once something is deleted", async () => {
  const { url, close } = await createSandbox({ clock: () => new Date(noon), room: 400_000 }).listen();
  const send = async (method: string, path: string, body?: unknown) => {
    const headers = { ...bothKeys, "content-type": "application/json" };
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const json: Loose = await answer.json();
    return { status: answer.status, json };
  };
  const dashboard = { title: "Big", layout_type: "ordered", widgets: [], description: "x".repeat(150_000) };
  const first = await send("POST", "/api/v1/dashboard", dashboard);
  expect(first.status).toBe(200);
  expect((await send("POST", "/api/v1/dashboard", dashboard)).status).toBe(200);
  const full = await send("POST", "/api/v1/dashboard", dashboard);
  expect(full).toEqual({
    status: 413,
    json: { errors: ["The sandbox is full: delete something, or start it again"] },
  });
  expect((await send("GET", `/api/v1/dashboard/${first.json.id}`)).json.title).toBe("Big");
  const webhooks = "/api/v1/integration/webhooks/configuration/webhooks";
  const webhook = { name: "hook", url: "https://example.com", payload: "x".repeat(60_000) };
  expect((await send("POST", webhooks, webhook)).status).toBe(201);
  expect((await send("POST", webhooks, { ...webhook, name: "other" })).status).toBe(413);
  expect((await send("DELETE", `${webhooks}/hook`)).status).toBe(200);
  expect((await send("POST", webhooks, { ...webhook, name: "other" })).status).toBe(201);
  await close();
});

test("a stream keeps the newest that fit, by number and by size", () => {
  const { stream } = createRoom(40_000);
  const words = stream<string>(1000);
  for (let i = 0; i < 100; i += 1) words.add(`${i}:${"x".repeat(1000)}`);
  expect(words.items.length).toBeLessThan(14);
  expect(words.items.at(-1)?.startsWith("99:")).toBe(true);
  const small = stream<number>(10);
  for (let i = 0; i < 1000; i += 1) small.add(i);
  expect(small.items.length).toBeLessThanOrEqual(12);
  expect(small.items.at(-1)).toBe(999);
});
