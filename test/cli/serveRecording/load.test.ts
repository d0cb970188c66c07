/** What `dogwatch serve-recording` takes for a recording, and that it takes all of it or nothing. */

import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WrongUsage } from "../../../server/cli/api.ts";
import { loadRecording } from "../../../server/cli/serveRecording/load.ts";
import { GatewayError } from "../../../server/errors.ts";
import { bodyJson, callOf, session, writeLines } from "./files.ts";

let folder: string;
let file: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-double-test-"));
  file = join(folder, "export.jsonl");
});
afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
  rmSync(folder, { recursive: true });
});

/** What it says instead of serving. */
const refusal = async (source = file, options = {}, env = {}): Promise<string> => {
  const error: unknown = await loadRecording(source, options, env).then(
    async ({ close }) => {
      await close();
      return null;
    },
    (failed: unknown) => failed,
  );
  expect(error).toBeInstanceOf(WrongUsage);
  return (error as Error).message;
};

describe("a file of calls", () => {
  test("is read with every call, whose bodies are read again when they are wanted", async () => {
    const wide = "é\u2028".repeat(800_000);
    writeLines(file, [
      callOf(2, { method: "POST", request: { headers: [], body: bodyJson('{"a":9007199254740993}') } }),
      "",
      callOf(1, {}, wide),
    ]);
    const { calls, gaps, name, close } = await loadRecording(file, {}, {});
    expect(calls.map(({ n, method }) => [n, method])).toEqual([
      [2, "POST"],
      [1, "GET"],
    ]);
    expect((await calls[0]?.request.body?.read())?.toString()).toBe('{"a":9007199254740993}');
    expect((await calls[1]?.response?.body?.read())?.toString()).toBe(wide);
    expect([gaps, name]).toEqual([[], `session ${session}`]);
    await close();
  });

  test("says why a body is not there", async () => {
    const gone = (more: object) => {
      const { text: _text, ...body } = bodyJson("{}", more);
      return { headers: [], body };
    };
    writeLines(file, [
      callOf(1, { response: gone({ expired: true, sha256: null }) }),
      callOf(2, { response: gone({ truncated: true, size: 99, text: "{" }) }),
      callOf(3, { response: gone({ withheld: "it is not valid gzip" }) }),
      callOf(4, { response: gone({ size: 9 * 2 ** 20 }) }),
      callOf(5, {}, ""),
    ]);
    const { calls, close } = await loadRecording(file, {}, {});
    expect(calls.map(({ response }) => response?.body?.missing)).toEqual([
      "has expired",
      "was recorded only in part: it had 99 bytes (limits.record)",
      "was not recorded: it is not valid gzip",
      "is too large to stand in this export, it has 9437184 bytes: dogwatch export --proof writes it whole",
      null,
    ]);
    await close();
  });

  test.each<[string, (string | object)[], RegExp]>([
    [
      "a line that is no JSON",
      [callOf(1, {}), "{oops"],
      /export\.jsonl: line 2 is no JSON, or was cut: export the session again/,
    ],
    [
      "a line that was cut",
      [callOf(1, {}), JSON.stringify(callOf(2, {})).slice(0, 400)],
      /line 2 is no JSON, or was cut/,
    ],
    ["another file's line", [callOf(1, {}), { hello: 1 }], /line 2 is no call of an export \(session_id: /],
    ["a line that is a number", ["7"], /line 1 is no call of an export/],
    ["a call twice", [callOf(1, {}), callOf(2, {}), callOf(1, {})], /line 3 is call 1 again, which is in line 1/],
    ["a status that is none", [callOf(1, { status: 101 })], /line 1 is no call of an export \(status: /],
    ["a number that is none", [callOf(0, {})], /line 1 is no call of an export \(n: /],
    [
      "a body that somebody changed",
      [callOf(1, { response: { headers: [], body: bodyJson("{}", { text: "{ }" }) } })],
      /line 1 holds a body that is not the one it was recorded with/,
    ],
    ["a prototype in place of a call", ['{"__proto__":{"n":1}}'], /line 1 is no call of an export/],
    ["nothing", [], /there is no call in this recording/],
  ])("%s: nothing of it is served, and the line is named", async (_what, lines, says) => {
    expect(await refusal(writeLines(file, lines))).toMatch(says);
  });

  test("bytes that are no text are found, also behind thousands of lines", async () => {
    writeLines(
      file,
      Array.from({ length: 3_000 }, (_, i) => callOf(i + 1, {})),
    );
    appendFileSync(file, Buffer.from([0x7b, 0xff, 0x0a]));
    expect(await refusal()).toMatch(/line 3001 is no UTF-8 text/);
  });

  test("holds one session, or is told which", async () => {
    const other = session.replace(/1$/, "2");
    writeLines(file, [callOf(1, {}), { ...callOf(3, {}), session_id: other }]);
    expect(await refusal()).toBe(`it holds 2 sessions: say which with --session, ${session}, ${other}`);
    expect(await refusal(file, { session: session.replace(/1$/, "9") })).toMatch(/no call of session .*9 in it/);
    const { calls, gaps, close } = await loadRecording(file, { session: other.toUpperCase() }, {});
    expect([calls.map(({ n }) => n), gaps]).toEqual([[3], [1, 2]]);
    await close();
  });

  test("that was changed while it was served gives no other answer", async () => {
    writeLines(file, [callOf(1, {}, '{"a":1}')]);
    const { calls, close } = await loadRecording(file, {}, {});
    writeLines(file, [callOf(1, {}, '{"a":2}')]);
    // A whole line again, and one that is as it says: then the bytes are its own.
    writeFileSync(file, JSON.stringify(callOf(1, {}, '{"a":1}')).replace('{\\"a\\":1}', '{\\"a\\":3}'));
    await expect(calls[0]?.response?.body?.read()).rejects.toThrow("is not the one it was recorded with");
    await close();
  });

  test.each([
    ["no-such-file.jsonl", /the recording cannot be read: .*no-such-file\.jsonl/],
    [tmpdir(), /is no file: write the id of a session, or a file/],
  ])("%s is wrong usage", async (source, says) => {
    expect(await refusal(source)).toMatch(says);
  });
});

describe("a session of a gateway", () => {
  const gateway = async (answer: { status?: number; text: string; breaks?: boolean }) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(answer.status ?? 200).write(answer.text);
      if (answer.breaks) response.destroy();
      else response.end();
    });
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { asked, env: { DOGWATCH_GATEWAY: url, DOGWATCH_TOKEN: "t" } };
  };

  test("is asked for once, with an access token, and leaves no file behind", async () => {
    vi.stubEnv("TMPDIR", folder);
    const { asked, env } = await gateway({ text: `${JSON.stringify(callOf(1, {}))}\n` });
    const { calls, close } = await loadRecording(`https://dogwatch.example.com/sessions/${session}`, {}, env);
    expect(asked).toEqual([`/v1/sessions/${session}/export?format=jsonl Bearer t`]);
    expect(readdirSync(folder)).toEqual([]);
    expect((await calls[0]?.response?.body?.read())?.toString()).toBe('{"n":1}');
    await close();
  });

  test("that breaks off, or is not there, is not served", async () => {
    const broken = await gateway({ text: `${JSON.stringify(callOf(1, {}))}\n`, breaks: true });
    await expect(loadRecording(session, {}, broken.env)).rejects.toThrow(GatewayError);
    const missing = await gateway({ status: 404, text: '{"errors":["dogwatch: there is no session"]}' });
    await expect(loadRecording(session, {}, missing.env)).rejects.toThrow("dogwatch: there is no session");
    await expect(loadRecording(session, {}, {})).rejects.toThrow("no gateway: name it with --gateway URL");
  });
});
