/** Unchanged clients: curl with the token in every slot that Datadog's clients use, and large bodies in every coding they send. */

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeCodings } from "../../server/model/coding.ts";
import { send } from "../standins/send.ts";
import { headerOf } from "../standins/upstream.ts";
import { type World, realKeys, startWorld } from "../standins/world.ts";

const run = promisify(execFile);
const intake = "/proxy/http-intake.logs.datadoghq.com";
const MiB = 1024 * 1024;

let world: World;
let token: string;
let session: string;
let directory: string;

/** One rule reads what log intakes are sent, so their bodies are held and decoded; all others stream. */
const rules = `
    - { name: no-secrets, effect: deny, when: 'operation.name == "SubmitLog" && request.body.exists(one, one.message == "secret")' }
    - { name: everything, effect: allow, when: 'true' }`;

beforeAll(async () => {
  world = await startWorld(() => ({ status: 202, headers: [["Content-Length", "2"]], body: "{}" }), { rules });
  ({ access_token: token, session_id: session } = await world.openSession());
  directory = mkdtempSync(join(tmpdir(), "dogwatch-clients-"));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await world.close();
});

const lastSeen = () => world.upstream.requests.at(-1) ?? { method: "", url: "", rawHeaders: [], body: Buffer.alloc(0) };

/** Status, and what came back on standard output. */
async function curl(path: string, ...options: string[]): Promise<{ status: number; out: string }> {
  const { stdout } = await run("curl", ["-sS", "-w", "\n%{http_code}", ...options, world.url + path]);
  const [status = "", ...out] = stdout.split("\n").toReversed();
  return { status: Number(status), out: out.toReversed().join("\n") };
}

describe("curl with the token", () => {
  test.each([
    ["as Authorization: Bearer", "Authorization: Bearer TOKEN"],
    ["as DD-API-KEY", "DD-API-KEY: TOKEN"],
    ["as DD-APPLICATION-KEY", "DD-APPLICATION-KEY: TOKEN"],
    ["as DD_API_KEY", "DD_API_KEY: TOKEN"],
    ["as DD_APPLICATION_KEY", "DD_APPLICATION_KEY: TOKEN"],
    ["as dd-api-key, in small letters", "dd-api-key: TOKEN"],
  ])("%s", async (_, field) => {
    const before = world.upstream.requests.length;
    expect((await curl("/api/v1/monitor?page=0", "-H", field.replace("TOKEN", token))).status).toBe(202);
    expect(world.upstream.requests.length).toBe(before + 1);
    expect(lastSeen().url).toBe("/api/v1/monitor?page=0");
    expectKeys("both");
  });

  test.each(["api_key", "application_key", "dd-api-key"])("in the query, as %s", async (name) => {
    expect((await curl(`/api/v1/monitor?b=2&${name}=${token}&a=1`)).status).toBe(202);
    expect(lastSeen().url).toBe("/api/v1/monitor?b=2&a=1");
    expectKeys("both");
  });

  test("in the path of a log intake", async () => {
    expect((await curl(`${intake}/v1/input/${token}?ddsource=curl`, "-d", '[{"message":"hello"}]')).status).toBe(202);
    expect(lastSeen().url).toBe(`/v1/input/${realKeys.api}?ddsource=curl`);
    expect(headerOf(lastSeen(), "host")).toBe("http-intake.logs.datadoghq.com");
    expect((await world.calls(session)).at(-1)).toMatchObject({ path: "/v1/input/{api_key}", status: 202 });
    expect(headerOf(lastSeen(), "dd-application-key")).toBeUndefined();
    expect(JSON.stringify([lastSeen().url, ...lastSeen().rawHeaders])).not.toContain(token);
  });

  test("of an intake that takes the API key alone", async () => {
    expect((await curl(`${intake}/api/v2/logs`, "-H", `DD-API-KEY: ${token}`, "-d", "[]")).status).toBe(202);
    expectKeys("api");
  });

  test("twice in two slots, once for each key of the client", async () => {
    const fields = ["-H", `DD-API-KEY: ${token}`, "-H", `DD-APPLICATION-KEY: ${token}`];
    expect((await curl("/api/v1/monitor", ...fields)).status).toBe(202);
    expectKeys("both");
  });

  test("and another one in a second slot is refused", async () => {
    const { access_token: other } = await world.openSession({ jti: "other" });
    const before = world.upstream.requests.length;
    const fields = ["-H", `DD-API-KEY: ${token}`, "-H", `DD-APPLICATION-KEY: ${other}`];
    const answer = await curl("/api/v1/monitor", ...fields);
    expect(answer.status).toBe(401);
    expect(answer.out).toContain("two different tokens");
    expect(world.upstream.requests.length).toBe(before);
  });

  test("a real key of Datadog in its place is refused, and written down nowhere", async () => {
    const real = randomBytes(16).toString("hex");
    const answer = await curl("/api/v1/monitor", "-H", `DD-API-KEY: ${real}`);
    expect(answer.status).toBe(401);
    await world.audited(/token_refused .*is not a session token/);
    expect(answer.out + JSON.stringify(await world.audit()) + world.log.join("")).not.toContain(real);
  });

  function expectKeys(which: "api" | "both"): void {
    const seen = lastSeen();
    expect(headerOf(seen, "dd-api-key")).toBe(realKeys.api);
    expect(headerOf(seen, "dd-application-key")).toBe(which === "both" ? realKeys.app : undefined);
    expect(headerOf(seen, "authorization")).toBeUndefined();
    expect(JSON.stringify([seen.url, ...seen.rawHeaders])).not.toContain(token);
  }
});

describe("a body of 5 MB", () => {
  const plain = Buffer.from(
    JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ message: randomBytes(90).toString("hex"), n: i }))),
  );
  const codings = [
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
    ["zstd1", zstdCompressSync],
  ] as const;

  test.each(codings)("in %s streams through byte for byte where no rule reads it", async (coding, encode) => {
    // 5 MB on the wire: what is random hardly shrinks. Without letters, so that nothing in it looks like a key.
    const body = encode(randomBytes(6 * MiB).map((byte) => byte | 0x80));
    expect(body.length).toBeGreaterThan(5 * MiB);
    await expectUntouched("/api/v2/series", coding, body);
  });

  test.each(codings)("in %s is read by a rule, and forwarded as it came", async (coding, encode) => {
    const body = encode(plain);
    await expectUntouched(`${intake}/api/v2/logs`, coding, body);
    const bad = encode(
      Buffer.from(JSON.stringify([...(JSON.parse(plain.toString()) as object[]), { message: "secret" }])),
    );
    const before = world.upstream.requests.length;
    const refused = await post(`${intake}/api/v2/logs`, coding, bad);
    expect([refused.status, refused.header("dogwatch-error")]).toEqual([403, "denied"]);
    expect(world.upstream.requests.length).toBe(before);
  });

  test.each(codings)("that %s makes small is not expanded without end", async (coding, encode) => {
    const before = world.upstream.requests.length;
    const bomb = await post(`${intake}/api/v2/logs`, coding, encode(Buffer.alloc(64 * MiB)));
    expect([bomb.status, bomb.header("dogwatch-error")]).toEqual([413, "body_too_large"]);
    expect(world.upstream.requests.length).toBe(before);
    expect((await world.calls(session)).at(-1)).toMatchObject({ state: "refused", status: 413 });
  });

  test("larger than rules may read is refused, also when nobody says how long it is", async () => {
    const file = join(directory, "large.json");
    writeFileSync(file, `["${"a".repeat(9 * MiB)}"]`);
    const before = world.upstream.requests.length;
    for (const framing of [[], ["-H", "Transfer-Encoding: chunked"]]) {
      const fields = ["-H", `DD-API-KEY: ${token}`, "-H", "Content-Type: application/json", ...framing];
      const answer = await curl(`${intake}/api/v2/logs`, ...fields, "--data-binary", `@${file}`);
      expect(answer.status).toBe(413);
      expect(answer.out).toContain("limits.inspect");
    }
    expect(world.upstream.requests.length).toBe(before);
  });

  test("that curl asks to send first (Expect: 100-continue) arrives", async () => {
    const file = join(directory, "body");
    writeFileSync(file, gzipSync(plain));
    const fields = ["-H", `DD-API-KEY: ${token}`, "-H", "Content-Encoding: gzip", "-H", "Expect: 100-continue"];
    expect((await curl("/api/v2/series", ...fields, "--data-binary", `@${file}`)).status).toBe(202);
    expect(lastSeen().body.equals(gzipSync(plain))).toBe(true);
  });

  const post = (target: string, coding: string, body: Buffer) =>
    send(world.url, {
      method: "POST",
      target,
      headers: [
        ["DD-API-KEY", token],
        ["Content-Type", "application/json"],
        ["Content-Encoding", coding],
      ],
      body,
    });

  async function expectUntouched(target: string, coding: string, body: Buffer): Promise<void> {
    expect((await post(target, coding, body)).status).toBe(202);
    const seen = lastSeen();
    expect(headerOf(seen, "content-encoding")).toBe(coding);
    expect(headerOf(seen, "content-length")).toBe(String(body.length));
    expect(seen.body.equals(body)).toBe(true);
    const call = (await world.calls(session)).at(-1);
    expect(call?.request.body).toMatchObject({ size: body.length, encoding: coding, truncated: false });
    const stored = await world.read(`/v1/sessions/${session}/calls/${call?.n}/request/body`);
    // What streams is compressed anew for the recording, in the same coding.
    const [sent, kept] = await Promise.all(
      [body, Buffer.from(await stored.arrayBuffer())].map((bytes) => decodeCodings(bytes, [coding], 64 * MiB)),
    );
    expect(Buffer.isBuffer(sent) && Buffer.isBuffer(kept) && sent.equals(kept)).toBe(true);
  }
});
