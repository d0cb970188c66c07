/** The log of seals over HTTP: who may read what of it, that its tiles give its checkpoint's root, and the commands that read it. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { summarize } from "../../action/summary.ts";
import { openCheckpoint } from "../../server/stages/seal/checkpoint.ts";
import { GrowingTree, hashLeaf } from "../../server/stages/seal/merkle.ts";
import { accessTokens, startGateway, type TestGateway } from "./gateway.ts";
import { recordCall } from "./recordCall.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { auditor, viewer } = accessTokens;

let gateway: TestGateway;
let folder: string;
let token: string;
const ids: string[] = [];
const closeAnswers: { readonly seal: { readonly checkpoint: string } }[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  // Ids are of now: a session that says it began at another time is a finding.
  gateway.clock.now = Date.now();
  folder = mkdtempSync(join(tmpdir(), "dogwatch-export-"));
  for (let i = 0; i < 3; i++) {
    const opened = await gateway.open();
    token = opened["access_token"] ?? "";
    const id = opened["session_id"] ?? "";
    for (let n = 0; n < 2; n++)
      await recordCall(gateway.store, id, { request: { bytes: Buffer.from(`{"n":${n}}`) }, response: null });
    const closed = await gateway.post(`/v1/sessions/${id}/close`, token);
    ids.push(id);
    closeAnswers.push(closed.json);
  }
  writeFileSync(join(folder, "key"), `${gateway.signKeys.signers[0].vkey}\n`);
  const [first] = ids;
  const totals = closeAnswers[0] as never;
  writeFileSync(
    join(folder, "summary.md"),
    summarize(
      { id: first ?? "", url: "https://dogwatch.example.com/s", connection: "prod" },
      { totals, calls: [], approvals: [] },
    ),
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await gateway.close();
});

const bytesAt = async (path: string, bearer = auditor): Promise<{ status: number; bytes: Buffer }> => {
  const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${bearer}` } });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
};

describe("the log", () => {
  test("its checkpoint is a signed note, its tile gives the root, its entries give the tile", async () => {
    const { text, headers } = await gateway.get("/v1/log/checkpoint", auditor);
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const checkpoint = openCheckpoint(text, gateway.signKeys.known);
    const { bytes } = await bytesAt("/v1/log/tile/0/000.p/3");
    expect(bytes.length).toBe(96);
    const tree = new GrowingTree();
    for (let at = 0; at < 96; at += 32) tree.add(bytes.subarray(at, at + 32));
    expect(checkpoint).toMatchObject({ size: 3, root: tree.root() });
    const entries = (await bytesAt("/v1/log/tile/entries/000.p/3")).bytes;
    for (let at = 0, i = 0; at < entries.length; i++) {
      const length = entries.readUInt16BE(at);
      const entry = entries.subarray(at + 2, at + 2 + length);
      expect(JSON.parse(entry.toString())).toMatchObject({ type: "dogwatch-seal-v1", session_id: ids[i], calls: 2 });
      expect(hashLeaf(entry)).toEqual(bytes.subarray(i * 32, i * 32 + 32));
      at += 2 + length;
    }
    expect((await bytesAt("/v1/log/tile/0/000.p/2")).bytes).toEqual(bytes.subarray(0, 64));
  });

  test("a session shows its seal as its close answered it", async () => {
    expect((await gateway.get(`/v1/sessions/${ids[0]}`, auditor)).json.seal).toEqual(closeAnswers[0]?.seal);
  });

  test("its key is the one that signs", async () => {
    expect((await gateway.get("/v1/log/key", auditor)).text).toBe(`${gateway.signKeys.signers[0].vkey}\n`);
  });

  test.each([
    "/v1/log/tile/0/000",
    "/v1/log/tile/0/000.p/4",
    "/v1/log/tile/0/000.p/0",
    "/v1/log/tile/0/000.p/256",
    "/v1/log/tile/0/001.p/1",
    "/v1/log/tile/1/000.p/1",
    "/v1/log/tile/9/000.p/1",
    "/v1/log/tile/00/000.p/1",
    "/v1/log/tile/0/x000/000.p/1",
    "/v1/log/tile/0/../checkpoint",
    "/v1/log/tile/entries/000",
    "/v1/log/tile/entries/999.p/1",
  ])("%s is not there", async (path) => {
    expect((await bytesAt(path)).status).toBe(404);
  });

  test("is read by those who are known, and its entries by those who may read all sessions", async () => {
    for (const path of ["/v1/log/checkpoint", "/v1/log/key", "/v1/log/tile/0/000.p/3"]) {
      expect((await gateway.get(path)).status).toBe(401);
      expect((await gateway.get(path, "wrong")).status).toBe(401);
      expect((await gateway.get(path, token)).status).toBe(200);
    }
    for (const path of ["/v1/log/tile/entries/000.p/3", "/v1/proof?all=true", `/v1/proof?session=${ids[0]}`]) {
      expect((await gateway.get(path)).status).toBe(401);
      expect((await gateway.get(path, token)).status).toBe(403);
      expect((await gateway.get(path, viewer)).status).toBe(403);
    }
  });

  test.each(["", "?all=true&session=01999999-0000-7000-8000-000000000000", "?session=x", "?all=false"])(
    "an export of %j is refused",
    async (query) => {
      expect((await gateway.get(`/v1/proof${query}`, auditor)).status).toBe(400);
    },
  );
});

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** `offline`: nothing can be reached, and no gateway is named. */
const dogwatch = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "server/main.ts"), ...words], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...env },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (piece) => (out += piece));
    child.stderr.on("data", (piece) => (err += piece));
    child.on("close", (code) => resolve({ code, out, err }));
  });
const asAuditor = () => ({ DOGWATCH_GATEWAY: gateway.url, DOGWATCH_TOKEN: auditor });

describe("the commands", () => {
  test("export writes a file, and verify needs nothing but it, the key and a job summary", async () => {
    const exported = await dogwatch(
      ["export", ids[0] ?? "", ids[2] ?? "", "--proof", "--out", "some.jsonl"],
      asAuditor(),
    );
    expect(exported, exported.err).toMatchObject({ code: 0, out: expect.stringMatching(/^some\.jsonl: \d+ bytes\n$/) });
    expect(statSync(join(folder, "some.jsonl")).mode & 0o777).toBe(0o600);
    const verified = await dogwatch(["verify", "some.jsonl", "--key", "key", "--anchor", "summary.md"]);
    expect(verified, verified.err).toMatchObject({ code: 0 });
    expect(verified.out).toContain("anchor: summary.md, 1 seal: the log continues it");
    expect(verified.out).toContain(`session ${ids[0]}: anchored (2 calls, leaf 0)`);
    expect(verified.out).toContain(`session ${ids[2]}: unanchored (2 calls, leaf 2)`);
    expect(verified.out.trimEnd().split("\n").at(-1)).toBe(
      "2 sessions: 1 anchored, 1 unanchored, 0 missing, 0 altered",
    );
  });

  test("verify says what was altered, for people and for programs, with exit code 1", async () => {
    await dogwatch(["export", "--all", "--proof", "--out", "all.jsonl"], asAuditor());
    const text = readFileSync(join(folder, "all.jsonl"), "utf8");
    writeFileSync(
      join(folder, "altered.jsonl"),
      text.replace('"path":"/api/v1/monitor"', '"path":"/api/v1/dashboard"'),
    );
    const people = await dogwatch(["verify", "altered.jsonl", "--key", gateway.signKeys.signers[0].vkey]);
    expect(people.code).toBe(1);
    expect(people.out).toContain(
      `session ${ids[0]}: ALTERED (2 calls, leaf 0)\n  request: call 1: request line altered since it was sealed\n`,
    );
    const json = await dogwatch(["verify", "altered.jsonl", "--json"], {
      DOGWATCH_LOG_KEY: gateway.signKeys.signers[0].vkey,
    });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      findings: [],
      sessions: [
        { verdict: "altered", findings: [{ kind: "request", n: 1 }] },
        { verdict: "unanchored" },
        { verdict: "unanchored" },
      ],
    });
  });

  test("verify --all reads everything from the gateway", async () => {
    const verified = await dogwatch(["verify", "--all", "--key", "key", "--anchor", "summary.md"], asAuditor());
    expect(verified, verified.err).toMatchObject({ code: 0 });
    expect(verified.out).toContain("3 sessions: 1 anchored, 2 unanchored, 0 missing, 0 altered");
  });

  test.each([
    [["verify", "some.jsonl"], 2, /no key/],
    [["verify", "--key", "key"], 2, /name a file, or --all/],
    [["verify", "none.jsonl", "--key", "key"], 2, /is not there/],
    [["verify", "summary.md", "--key", "PRIVATE+KEY+x+00000000+c2VjcmV0"], 2, /no public key of a log/],
    [["verify", "some.jsonl", "--key", "key", "--anchor", "key"], 2, /no checkpoint in it/],
    [["export", "--proof"], 2, /name sessions/],
    [["export", "nonsense", "--proof"], 2, /no id of a session/],
    [["export", "--all"], 2, /--proof/],
    [["verify", "--all", "--key", "key", "--gateway", "http://127.0.0.1:9"], 3, /cannot be reached/],
  ] as const)("%j ends with %i", async (words, code, said) => {
    const ended = await dogwatch(words, { DOGWATCH_TOKEN: auditor, DOGWATCH_GATEWAY: gateway.url });
    expect(ended).toMatchObject({ code, err: expect.stringMatching(said) });
    expect(ended.err).not.toContain("c2VjcmV0");
  });

  test("an export that is not permitted leaves no file", async () => {
    const ended = await dogwatch(["export", "--all", "--proof", "--out", "no.jsonl"], {
      DOGWATCH_GATEWAY: gateway.url,
      DOGWATCH_TOKEN: viewer,
    });
    expect(ended.code).toBe(2);
    expect(() => statSync(join(folder, "no.jsonl"))).toThrow(/ENOENT/);
  });
});
