/** `dogwatch verify` as a command: what it reads, what it believes of who sent it, and what it says to whoever asked wrongly. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linesOf, longestLine } from "../../../server/cli/evidence/lines.ts";
import { type VerifyRequest, verifyRecordings } from "../../../server/cli/evidence/verify.ts";
import { newMemory, newSealer } from "../../standins/sealing.ts";
import { type Scene, startScene } from "../../journeys/evidence/scene.ts";

let scene: Scene;
let dir: string;
let file: string;
let id: string;

beforeAll(async () => {
  scene = await startScene();
  id = await scene.session(2);
  // Somebody's agent sends a line separator, which some readers take for the end of a line.
  await scene.tamper(
    `UPDATE phrases SET value = replace(value::text, 'it matched', 'it ' || U&'\\2028' || U&'\\2029' || ' matched')::json`,
    "DELETE FROM seals",
    "DELETE FROM sealed_digests",
    "DELETE FROM log_tiles",
    "UPDATE log_size SET size = 0",
    "DELETE FROM log_checkpoints",
    "UPDATE sessions SET sealed = false",
  );
  await newSealer({ store: scene.store, keys: scene.keys, memory: newMemory() }).round();
  dir = await mkdtemp(join(tmpdir(), "dogwatch-verify-"));
  file = join(dir, "export.jsonl");
  const lines = await scene.export([id]);
  await writeFile(file, `${lines.join("\n")}\n`);
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
  await scene.close();
});

const run = (from: string | undefined, request: VerifyRequest = {}, env: NodeJS.ProcessEnv = {}) =>
  verifyRecordings(from, { key: scene.keys.known.map(({ vkey }) => vkey), ...request }, env);

test("a line ends with a line feed and with nothing else", async () => {
  expect(readFileSync(file, "utf8")).toContain("\u2028");
  expect(await run(file)).toMatchObject({ exitCode: 0 });
});

describe("whoever verifies says what was asked for", () => {
  const other = "0199c3a1-5f00-7000-8000-000000000001";

  test("by its id", async () => {
    expect(await run(file, { session: [id] })).toMatchObject({ exitCode: 0 });
    const { exitCode, output } = await run(file, { session: [id, other] });
    expect([exitCode, output]).toEqual([1, expect.stringContaining(`session ${other}: MISSING`)]);
  });

  test("as everything", async () => {
    const { exitCode, output } = await run(file, { all: true });
    expect([exitCode, output]).toEqual([1, expect.stringContaining("FILE: everything was asked for")]);
  });

  test.each<[VerifyRequest, RegExp]>([
    [{ all: true, session: [other] }, /either --all or --session/],
    [{ session: ["nonsense"] }, /no id of a session/],
    [{ retentionBodies: "soon" }, /--retention-bodies: must be a duration/],
    [{ retentionReceipts: "0d" }, /--retention-receipts: must be at least/],
  ])("%j is wrong usage", async (request, said) => {
    expect(await run(file, request)).toEqual({ exitCode: 2, output: expect.stringMatching(said) });
  });
});

test("what expires is told by the retention that whoever verifies knows", async () => {
  const expired = join(dir, "expired.jsonl");
  const lines = (await scene.export([id])).flatMap((line) => {
    const { kind, n, side, last } = JSON.parse(line) as Record<string, unknown>;
    if (kind !== "body") return [line];
    return last === true ? [JSON.stringify({ kind: "bodyless", n, side, why: "expired" })] : [];
  });
  await writeFile(expired, `${[...lines.slice(0, -1), `{"kind":"end","lines":${lines.length}}`].join("\n")}\n`);
  expect(await run(expired)).toEqual({ exitCode: 1, output: expect.stringContaining("their time is not over") });
  // So short that it is over in any case.
  expect(await run(expired, { retentionBodies: "1ms" })).toMatchObject({ exitCode: 0 });
});

test("what cannot be read is wrong usage, and nothing altered", async () => {
  expect(await run(dir)).toEqual({ exitCode: 2, output: expect.stringMatching(/cannot be read: .*directory/) });
});

test("--all: a gateway that answers with an export of nothing is not believed", async () => {
  const lines = (await scene.export("all")).filter((line) => /^\{"kind":"(header|checkpoint|leaves)"/.test(line));
  const [header = "", ...rest] = lines;
  const sent = [
    header.replace('"sessions":"all"', '"sessions":[]'),
    ...rest,
    `{"kind":"end","lines":${lines.length + 1}}`,
  ];
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" }).end(`${sent.join("\n")}\n`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { exitCode, output } = await run(undefined, { all: true, gateway }, { DOGWATCH_TOKEN: "t".repeat(40) });
    expect(exitCode).toBe(1);
    expect(output).toContain("FILE: everything was asked for");
    expect(output).toContain("MISSING: leaf 0 of the log is of a session that is not in the file");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

describe("lines", () => {
  const read = async (pieces: readonly (string | Buffer)[]): Promise<string[]> => {
    const found: string[] = [];
    for await (const line of linesOf(each(pieces))) found.push(line);
    return found;
  };

  test("are put together from pieces that end anywhere", async () => {
    const bytes = Buffer.from("a\u2028b\n\nwörd\r\nend");
    for (let at = 1; at < bytes.length; at++)
      expect(await read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(["a\u2028b", "", "wörd\r", "end"]);
    expect(await read([])).toEqual([]);
  });

  test("that are too long, or no UTF-8, are empty: nobody repairs them", async () => {
    const piece = Buffer.alloc(2 ** 20, "x");
    const long = Array.from({ length: longestLine / piece.length }, () => piece);
    expect((await read(["a\n", ...long, "\nb\n"])).map(({ length }) => length)).toEqual([1, longestLine, 1]);
    expect(await read(["a\n", ...long, "x\nb\n"])).toEqual(["a", "", "b"]);
    expect(await read([Buffer.from([0x61, 0xff, 0x0a, 0x62])])).toEqual(["", "b"]);
  });
});

async function* each(pieces: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}
