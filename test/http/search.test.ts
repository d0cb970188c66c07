/** Search, exports and events over HTTP: who may, what they get, and what a file of it is good for. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import fetchHar from "fetch-har";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, page, searchHit } from "../../server/contract.ts";
import { openStore } from "../../server/store/database.ts";
import { quietLog } from "../standins/database.ts";
import { bodyOf, closing, opening } from "../store/specimens.ts";
import { accessTokens, audience, startGateway, type TestGateway } from "./gateway.ts";
import { recordCall } from "./recordCall.ts";

const { auditor, admin, viewer, approver } = accessTokens;

let gateway: TestGateway;
let id: string;
let token: string;
const quotes = `{"it's":"a \\"quote\\" $(touch /tmp/dogwatch-broken-out) \`id\` %s"}`;

beforeAll(async () => {
  gateway = await startGateway();
  const opened = await gateway.open();
  id = opened["session_id"] ?? "";
  token = opened["access_token"] ?? "";
  await recordCall(gateway.store, id, {
    request: { bytes: Buffer.from(quotes) },
    response: { bytes: Buffer.from('{"b":"é plain answer"}') },
  });
  await recordCall(gateway.store, id, {
    request: { bytes: Buffer.from([0, 1, 2, 255]), content_type: "application/octet-stream" },
    response: { bytes: gzipSync('{"packed":"zipped answer"}'), encoding: "gzip" },
  });
  await recordCall(gateway.store, id, { request: null, response: { bytes: Buffer.from([0xff, 0xfe]) } });
  await gateway.store.indexer.catchUp();
});
afterAll(() => gateway.close());

const search = (q: string, as: string = auditor, more = "") =>
  gateway.get(`/v1/search?q=${encodeURIComponent(q)}${more}`, as);

describe("who", () => {
  const surfaces = (): readonly string[] => [
    "/v1/search?q=plain",
    "/v1/search?q=status%3Aabc",
    `/v1/search/export?q=plain&format=har`,
    "/v1/search/export?q=plain&format=jsonl",
    "/v1/search/export?q=plain&format=curl",
    `/v1/sessions/${id}/export?format=har`,
    `/v1/sessions/${id}/export?format=jsonl`,
    `/v1/sessions/${id}/export?format=curl`,
  ];

  test("a session token, a viewer, an approver and a stranger get the same no whether there is something or not, and no word of what is there", async () => {
    for (const path of [...surfaces(), `/v1/sessions/${id}/events`])
      for (const who of [viewer, approver, "no-such-token", undefined, ...(path.endsWith("events") ? [] : [token])]) {
        const answer = await gateway.get(path, who);
        expect([401, 403]).toContain(answer.status);
        expect(answer.json.errors).toHaveLength(1);
        expect(answer.text).not.toMatch(/plain answer|CreateMonitor|items|cursor|column|x-ndjson|log/);
        const nothing = await gateway.get(path.replace("plain", "nothinglikeit"), who);
        expect(nothing.text).toBe(answer.text);
      }
  });

  test("a session follows itself, without bodies, and learns of no other", async () => {
    const other = await gateway.open();
    expect((await gateway.get(`/v1/sessions/${id}/events`, other["access_token"])).status).toBe(404);
    expect(
      (await gateway.get("/v1/sessions/0199c3a1-5f00-7000-8000-0000000000ff/events", other["access_token"])).text,
    ).toBe(
      (await gateway.get(`/v1/sessions/${id}/events`, other["access_token"])).text.replace(
        id,
        "0199c3a1-5f00-7000-8000-0000000000ff",
      ),
    );
  });

  test("an admin finds what an auditor finds, and what they looked for stays out of the audit log", async () => {
    gateway.events.length = 0;
    expect((await search("plain", admin)).json).toEqual((await search("plain")).json);
    expect(gateway.events).toMatchObject([
      { kind: "recording_viewed", who: "ops-admin (admin)", what: "a search, 1 calls" },
      {},
    ]);
    expect(JSON.stringify(gateway.events)).not.toContain("plain");
  });
});

describe("a search", () => {
  test("finds calls by their answers, packed ones too, and shows where", async () => {
    const found = await search("zipped");
    expect(found.json).toEqual(page(searchHit).parse(found.json));
    expect(found.json).toMatchObject({
      items: [
        {
          id: `${id}/2`,
          url: `${audience}/sessions/${id}/calls/2`,
          connection: "prod",
          repository: "acme/app",
          excerpts: [{ where: "response", text: '{"packed":"zipped answer"}', marks: [[11, 17]] }],
        },
      ],
      next_cursor: null,
    });
    expect(found.json.items[0].response.body).not.toHaveProperty("text");
    expect((await search("repo:acme/app actor:octocat operation:CreateMonitor")).json.items).toHaveLength(3);
  });

  test("goes on where its cursor says", async () => {
    const first = (await search("createmonitor", auditor, "&limit=2")).json;
    const second = (await search("createmonitor", auditor, `&limit=2&cursor=${first.next_cursor}`)).json;
    expect([...first.items, ...second.items].map(({ n }: { n: number }) => n)).toEqual([3, 2, 1]);
    expect(second.next_cursor).toBeNull();
    const forged = await search(
      "createmonitor",
      auditor,
      `&cursor=${Buffer.from('["calls",1]').toString("base64url")}`,
    );
    expect([forged.status, forged.json.errors]).toEqual([
      400,
      ["dogwatch: cursor is not one that a search gave: leave it out to begin again"],
    ]);
  });

  test("that cannot be understood says where", async () => {
    const wrong = await search("plain statsu:404");
    expect([wrong.status, wrong.headers.get("dogwatch-error")]).toEqual([400, "request_malformed"]);
    expect(wrong.json).toEqual({
      errors: [
        "dogwatch: q, column 7: there is no field 'statsu'; did you mean status? (put it in quotes to look for it as text)",
      ],
    });
    for (const [q, status] of [
      ["(".repeat(2_000), 400],
      ["x".repeat(9_000), 400],
      ["a\0b", 400],
    ] as const)
      expect((await search(q)).status).toBe(status);
  });
});

test("no time is too early or too late to be asked for", async () => {
  for (const q of [
    "after:999999w plain",
    "after:0000-01-01 plain",
    "before:9999-12-31T23:59:59-23:59 plain",
    "after:0000-01-01T00:00:00+23:59 before:9999-12-31 plain",
  ]) {
    const found = await search(q);
    expect([q, found.status, found.json.items?.length]).toEqual([q, 200, 1]);
  }
  for (const q of ["before:0000-01-01", "before:999999w", "after:9999-12-31T23:59:59-23:59"])
    expect((await search(q)).json).toEqual({ items: [], next_cursor: null });
});

test("whoever asks for nothing but the head of a stream has nothing read for them", async () => {
  gateway.events.length = 0;
  for (const path of [
    "/v1/search/export?q=plain",
    `/v1/sessions/${id}/export`,
    `/v1/proof?session=${id}`,
    `/v1/sessions/${id}/events`,
    `/v1/sessions/${id}/calls/1/response/body`,
  ]) {
    const answer = await fetch(gateway.url + path, { method: "HEAD", headers: { authorization: `Bearer ${auditor}` } });
    expect([path, answer.status]).toEqual([path, 404]);
  }
  expect(gateway.events.filter(({ kind }) => kind === "recording_viewed")).toEqual([]);
});

describe("an export", () => {
  const take = async (format: string) =>
    (await gateway.get(`/v1/sessions/${id}/export?format=${format}`, auditor)).text;

  test("as JSON Lines has each call as the API shows it", async () => {
    const answer = await gateway.get(`/v1/sessions/${id}/export?format=jsonl`, auditor);
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="dogwatch-${id}.jsonl"`);
    const lines = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => call.parse(JSON.parse(line)));
    expect(lines.map(({ n }) => n)).toEqual([1, 2, 3]);
    for (const line of lines)
      expect((await gateway.get(`/v1/sessions/${id}/calls/${line.n}`, auditor)).json).toEqual(line);
    const found = (await gateway.get("/v1/search/export?q=createmonitor&format=jsonl", auditor)).text;
    expect(
      found
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(lines.toReversed());
  });

  test("as HAR is what the schema says, also when there is nothing in it", async () => {
    const validate = harValidator();
    for (const text of [
      await take("har"),
      (await gateway.get("/v1/search/export?q=nothinglikeit&format=har", auditor)).text,
    ]) {
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
    }
    const [first, second, third] = JSON.parse(await take("har")).log.entries;
    expect(first).toMatchObject({
      request: { method: "POST", url: "https://api.datadoghq.com/api/v1/monitor", postData: { text: quotes } },
      response: { status: 200, content: { text: '{"b":"é plain answer"}', size: 23 } },
    });
    expect(second).toMatchObject({
      request: { postData: { _base64: "AAEC/w==" } },
      response: { content: { text: '{"packed":"zipped answer"}' } },
    });
    expect(third.response.content).toMatchObject({ encoding: "base64", text: "//4=" });
  });

  test("as HAR is read by a client that sends it again", async () => {
    const received = await receiver();
    const har = JSON.parse(await take("har"));
    har.log.entries = har.log.entries.slice(0, 1);
    har.log.entries[0].request.url = `${received.url}/api/v1/monitor`;
    expect((await fetchHar(har)).status).toBe(200);
    expect(received.requests).toMatchObject([{ method: "POST", url: "/api/v1/monitor", body: quotes }]);
    await received.close();
  });

  test("as a script sends the same bytes, and nothing that was recorded runs in the shell", async () => {
    const received = await receiver();
    const script = (await take("curl")).replaceAll("https://api.datadoghq.com", received.url);
    await promisify(execFile)("sh", ["-c", script], {
      env: { PATH: process.env["PATH"] ?? "", DD_API_KEY: "k1", DD_APP_KEY: "k2" },
    });
    expect(received.requests).toMatchObject([
      { method: "POST", url: "/api/v1/monitor", body: quotes, key: "k1" },
      { method: "POST", url: "/api/v1/monitor", body: Buffer.from([0, 1, 2, 255]).toString("latin1") },
      { method: "POST", url: "/api/v1/monitor", body: "" },
    ]);
    await received.close();
  });

  test("moves no terminal, turns no writing around, and says the same", async () => {
    const opened = (await gateway.open())["session_id"] ?? "";
    const odd = `{"a":"\u009b31m\u202eevil\u2066\u200b\u2028\u007f 日本 é 👩‍🚀"}`;
    const escapes = "\u001b]0;owned\u0007\u001b[2J";
    await recordCall(gateway.store, opened, {
      request: { bytes: Buffer.from(escapes), content_type: "text/plain" },
      response: { bytes: Buffer.from(odd) },
    });
    await recordCall(gateway.store, opened, { request: { bytes: Buffer.from(odd) }, response: null });
    const text = async (format: string) =>
      (await gateway.get(`/v1/sessions/${opened}/export?format=${format}`, auditor)).text;
    for (const format of ["har", "jsonl", "curl"])
      expect([format, (await text(format)).match(/[^\P{C}\n]|\p{Zl}|\p{Zp}/u)]).toEqual([format, null]);
    const [first, second] = (await text("jsonl")).split("\n").map((line) => line && call.parse(JSON.parse(line)));
    expect(first).toMatchObject({ request: { body: { text: escapes } }, response: { body: { text: odd } } });
    expect(second).toMatchObject({ request: { body: { text: odd } } });
    expect(JSON.parse(await text("har")).log.entries[1].request.postData.text).toBe(odd);
    const received = await receiver();
    const script = (await text("curl")).replaceAll("https://api.datadoghq.com", received.url);
    await promisify(execFile)("sh", ["-c", script], {
      env: { PATH: process.env["PATH"] ?? "", DD_API_KEY: "k1", DD_APP_KEY: "k2" },
    });
    expect(received.requests.map(({ body }) => body)).toEqual([escapes, odd]);
    await received.close();
  });

  test("as a script sends bodies that no command line would hold", async () => {
    const opened = (await gateway.open())["session_id"] ?? "";
    const bodies = [`{"it's":"${"long $(id) ".repeat(60_000)}"}`, `@${"x".repeat(300_000)}\n\n`];
    for (const body of bodies)
      await recordCall(gateway.store, opened, { request: { bytes: Buffer.from(body) }, response: null });
    const received = await receiver();
    const { text } = await gateway.get(`/v1/sessions/${opened}/export?format=curl`, auditor);
    const folder = await mkdtemp(join(tmpdir(), "dogwatch-script-"));
    await writeFile(join(folder, "script.sh"), text.replaceAll("https://api.datadoghq.com", received.url));
    await promisify(execFile)("sh", [join(folder, "script.sh")], {
      env: { PATH: process.env["PATH"] ?? "", DD_API_KEY: "k1", DD_APP_KEY: "k2" },
    });
    await rm(folder, { recursive: true });
    expect(received.requests.map(({ body }) => body === bodies[0] || body === bodies[1])).toEqual([true, true]);
    await received.close();
  });

  test("says what has expired instead of its bytes", async () => {
    const opened = (await gateway.open())["session_id"] ?? "";
    await recordCall(gateway.store, opened, {
      request: { bytes: Buffer.from("{}") },
      response: { bytes: Buffer.from('"shortlived"') },
    });
    await gateway.store.indexer.catchUp();
    expect((await search("shortlived")).json.items).toHaveLength(1);
    await gateway.database.query(
      "DELETE FROM bodies WHERE digest IN (SELECT response_digest FROM closings WHERE session_id = $1)",
      [opened],
    );
    expect((await search("shortlived")).json.items).toEqual([]);
    for (const format of ["har", "jsonl", "curl"]) {
      const { text } = await gateway.get(`/v1/sessions/${opened}/export?format=${format}`, auditor);
      expect(text).not.toContain("shortlived");
      if (format === "har")
        expect(JSON.parse(text).log.entries[0].response.content.comment).toBe("the body has expired");
    }
  });
});

describe("events", () => {
  type Event = { readonly event: string; readonly id: string; readonly data: { n?: number; state?: string } };
  /** Everything up to the end of the stream, or until `enough`. */
  const listen = async (
    session: string,
    as: string,
    { lastEventId = "", query = "", enough = 1_000 } = {},
  ): Promise<Event[]> => {
    const response = await fetch(`${gateway.url}/v1/sessions/${session}/events${query}`, {
      headers: { authorization: `Bearer ${as}`, ...(lastEventId !== "" && { "last-event-id": lastEventId }) },
    });
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const events: Event[] = [];
    let held = "";
    for await (const piece of response.body ?? []) {
      held += Buffer.from(piece).toString();
      const whole = held.split("\n\n");
      held = whole.pop() ?? "";
      for (const text of whole) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
        if (field("event") !== "")
          events.push({ event: field("event"), id: field("id"), data: JSON.parse(field("data")) });
      }
      if (events.length >= enough) break;
    }
    return events;
  };
  const told = (events: readonly Event[]): string[] =>
    events.map(({ event, data }) => `${event} ${data.n ?? ""} ${data.state}`);

  test("tell each call when it begins and when it ends, then the end, and then end", async () => {
    const { session_id = "", access_token = "" } = await gateway.open();
    const { sink, sessions } = gateway.store;
    const first = await sink.open(opening(session_id));
    const all = listen(session_id, access_token);
    expect(told(await listen(session_id, auditor, { enough: 1 }))).toEqual(["call 1 open"]);
    const second = await sink.open(opening(session_id));
    await sink.close(second, closing({ response: { headers: [], body: bodyOf('"unseen text"') } }));
    await sink.close(first, closing());
    await sink.record(opening(session_id), () => closing());
    await sessions.close(session_id, "closed");
    const events = await all;
    expect(told(events).filter((one) => !one.endsWith("open"))).toEqual(
      expect.arrayContaining(["call 1 closed", "call 2 closed", "call 3 closed"]),
    );
    expect(told(events).at(0)).toBe("call 1 open");
    expect(told(events).at(-1)).toBe("end  closed");
    expect(JSON.stringify(events)).not.toContain("unseen");
    // Whoever comes later is told the same, each call once.
    expect(told(await listen(session_id, auditor))).toEqual([
      "call 1 closed",
      "call 2 closed",
      "call 3 closed",
      "end  closed",
    ]);
  });

  test("are told to one reader forty times at a time, so that nobody keeps the others out", async () => {
    const { session_id = "", access_token = "" } = await gateway.open();
    const leaving = new AbortController();
    const ask = (as: string): Promise<Response> =>
      fetch(`${gateway.url}/v1/sessions/${session_id}/events`, {
        headers: { authorization: `Bearer ${as}` },
        signal: leaving.signal,
      });
    const [first, ...others] = await Promise.all(Array.from({ length: 40 }, () => ask(auditor)));
    expect(new Set([first, ...others].map((one) => one?.status))).toEqual(new Set([200]));
    const refused = await ask(auditor);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({
      errors: [expect.stringMatching(/listens 40 times at this gateway already/)],
    });
    expect((await ask(access_token)).status).toBe(200);
    await first?.body?.cancel();
    await expect.poll(async () => (await ask(auditor)).status).toBe(200);
    leaving.abort();
  });

  test("go on after the last one that was heard, ends of calls that were open then included", async () => {
    const { session_id = "" } = await gateway.open();
    const { sink, sessions } = gateway.store;
    const first = await sink.open(opening(session_id));
    await sink.record(opening(session_id), () => closing());
    const heard = await listen(session_id, auditor, { enough: 2 });
    expect(told(heard)).toEqual(["call 1 open", "call 2 closed"]);
    await sink.close(first, closing());
    await sink.record(opening(session_id), () => closing());
    await sessions.close(session_id, "closed");
    expect(told(await listen(session_id, auditor, { lastEventId: heard[1]?.id ?? "" }))).toEqual([
      "call 1 closed",
      "call 3 closed",
      "end  closed",
    ]);
  });

  test("begin where a browser says in the address that it is, and go on where it says in the header that it was", async () => {
    const { session_id = "" } = await gateway.open();
    const { sink, sessions } = gateway.store;
    const first = await sink.open(opening(session_id));
    for (let n = 0; n < 3; n++) await sink.record(opening(session_id), () => closing());
    await sink.close(first, closing());
    await sessions.close(session_id, "closed");
    const query = "?last_event_id=2-1";
    expect(told(await listen(session_id, auditor, { query }))).toEqual([
      "call 1 closed",
      "call 3 closed",
      "call 4 closed",
      "end  closed",
    ]);
    expect(told(await listen(session_id, auditor, { query, lastEventId: "3" }))).toEqual([
      "call 4 closed",
      "end  closed",
    ]);
    for (const wrong of ["?last_event_id=x", "?last_event_id=1-", "?after=1"])
      expect((await gateway.get(`/v1/sessions/${session_id}/events${wrong}`, auditor)).status).toBe(400);
  });

  test("are told by every gateway, of what happens at any other", async () => {
    const { session_id = "" } = await gateway.open();
    const events = listen(session_id, auditor);
    const other = await openStore({
      connectionString: gateway.database.connectionString,
      log: quietLog,
      clock: () => new Date(gateway.clock.now),
    });
    try {
      const call = await other.sink.open(opening(session_id));
      await other.sink.close(call, closing());
      await other.sessions.close(session_id, "closed");
      expect(told(await events).slice(-2)).toEqual(["call 1 closed", "end  closed"]);
    } finally {
      await other.close();
    }
  });

  test("do not begin with an id of somebody's own making", async () => {
    for (const lastEventId of [
      "x",
      "-1",
      "1-",
      "9999999999",
      `1-${Array.from({ length: 200 }, () => "1").join(".")}`,
    ]) {
      const response = await fetch(`${gateway.url}/v1/sessions/${id}/events`, {
        headers: { authorization: `Bearer ${auditor}`, "last-event-id": lastEventId },
      });
      expect(response.status).toBe(400);
    }
  });
});

const harValidator = () => {
  const schemas: Record<string, { $id: string; $schema?: string }> = createRequire(import.meta.url)("har-schema");
  const ajv = new Ajv({ strict: false, logger: false });
  addFormats.default(ajv);
  for (const schema of Object.values(schemas)) {
    const { $schema: _, ...rest } = schema;
    ajv.addSchema(rest);
  }
  const validate = ajv.getSchema("har.json#") ?? ajv.getSchema("har.json");
  if (validate === undefined) throw new Error("har-schema has no har.json");
  return validate;
};

type Received = { readonly method: string; readonly url: string; readonly body: string; readonly key: string };

const receiver = async () => {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const bytes = Buffer.concat(pieces);
      const body = bytes.includes(0) ? bytes.toString("latin1") : bytes.toString("utf8");
      requests.push({
        method: request.method ?? "",
        url: request.url ?? "",
        body,
        key: String(request.headers["dd-api-key"] ?? ""),
      });
      response.writeHead(200).end("{}");
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>((closed) => server.close(() => closed())),
  };
};
