/** Where the key that signs seals comes from, and what is refused as one; and what a gateway remembers beside its database. */

import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkpointFileIn, openCheckpointFile } from "../server/checkpointFile.ts";
import type { SignKeys } from "../server/journeys/seal/grow.ts";
import { Secret } from "../server/model/connection.ts";
import { openSignKeys } from "../server/signKeys.ts";
import { openCheckpoint, signCheckpoint } from "../server/stages/seal/checkpoint.ts";
import { emptyRoot } from "../server/stages/seal/merkle.ts";
import { writeSignerKey } from "../server/stages/seal/note.ts";
import { quietLog } from "./standins/database.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const publicUrl = "https://dogwatch.example.com/base/";
const head = { size: 0, root: emptyRoot };
const privateKey = () => generateKeyPairSync("ed25519").privateKey;
const withKey = (text: string, newest: string | null = null): SignKeys =>
  openSignKeys({ signKeys: new Secret(text), dataDir: folder, publicUrl }, newest);

test("without one, a key is made that only its owner may read, and found again", async () => {
  const made = openSignKeys({ dataDir: folder, publicUrl }, null);
  expect(made.signers[0].name).toBe("dogwatch.example.com/base/v1/log");
  const file = join(folder, "keys", "sign");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toMatch(/^# .*\nPRIVATE\+KEY\+dogwatch\.example\.com\/base\/v1\/log\+/);
  const again = openSignKeys({ dataDir: folder, publicUrl: "https://elsewhere.example" }, null);
  expect(again.signers[0].vkey).toBe(made.signers[0].vkey);
  expect(openCheckpoint(await signCheckpoint(head, made.signers), again.known)).toMatchObject({ size: 0 });
});

test("of a list the private ones sign, the first first, and the public ones are known", () => {
  const [now, before] = [writeSignerKey("log.example", privateKey()), writeSignerKey("log.example", privateKey())];
  const old = withKey(writeSignerKey("log.example", privateKey())).signers[0].vkey;
  const keys = withKey(`# keys\n${now}\n${before}\n${old}\n`);
  expect(keys.signers).toHaveLength(2);
  expect(keys.known.map(({ vkey }) => vkey).at(-1)).toBe(old);
});

test("a PEM takes the log's name from its newest checkpoint, or from the gateway's address", async () => {
  const pem = privateKey().export({ type: "pkcs8", format: "pem" }).toString();
  expect(withKey(pem).signers[0].name).toBe("dogwatch.example.com/base/v1/log");
  const newest = await signCheckpoint(head, withKey(writeSignerKey("old.example/v1/log", privateKey())).signers);
  expect(withKey(pem, newest).signers[0].name).toBe("old.example/v1/log");
});

test.each([
  ["nothing", "# only a comment\n"],
  ["a public key alone", "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"],
  ["a password", "correct horse battery staple"],
  [
    "a PEM of another kind",
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  ],
  ["half a PEM", "-----BEGIN PRIVATE KEY-----\nMC4CAQ"],
])("%s is refused without being repeated", (_what, text) => {
  expect(() => withKey(text)).toThrow(/^keys\.sign: /);
  try {
    withKey(text);
  } catch (error) {
    for (const word of text.split(/\s+/).filter((part) => part.length > 9)) expect(String(error)).not.toContain(word);
  }
});

test("a folder in which nothing can be written is named, with what to do", () => {
  writeFileSync(join(folder, "keys"), "in the way");
  expect(() => openSignKeys({ dataDir: folder, publicUrl }, null)).toThrow(
    /seals need a key.*name one with keys\.sign/,
  );
});

describe("a command", () => {
  const program = (body: string): string => {
    const file = join(folder, "signer.mjs");
    writeFileSync(
      file,
      `import { createPrivateKey, sign } from "node:crypto";\nimport { buffer } from "node:stream/consumers";\n${body}`,
    );
    return file;
  };
  const commanded = (file: string, publicKey: string): SignKeys =>
    openSignKeys(
      {
        signKeys: { command: [process.execPath, file, "--quiet"], publicKey, oldKeys: [] },
        dataDir: folder,
        publicUrl,
      },
      null,
    );

  test("gets the bytes on its standard input, and what it prints is the signature", async () => {
    const key = privateKey();
    const { vkey } = withKey(writeSignerKey("kms.example/log", key)).signers[0];
    const pem = JSON.stringify(key.export({ type: "pkcs8", format: "pem" }));
    const keys = commanded(
      program(`console.log(sign(null, await buffer(process.stdin), createPrivateKey(${pem})).toString("base64"));`),
      vkey,
    );
    const note = await signCheckpoint(head, keys.signers);
    expect(openCheckpoint(note, keys.known)).toMatchObject({ origin: "kms.example/log" });
  });

  test.each([
    ["signs with another key", `console.log(Buffer.alloc(64).toString("base64"));`, /does not have its key/],
    ["prints nothing", "", /does not have its key/],
    ["fails", "process.exit(4);", /exit code 4/],
  ])("that %s signs nothing", async (_what, body, reason) => {
    const { vkey } = withKey(writeSignerKey("kms.example/log", privateKey())).signers[0];
    await expect(signCheckpoint(head, commanded(program(body), vkey).signers)).rejects.toThrow(reason);
  });

  test("that is not there signs nothing, and does not end the gateway", async () => {
    const { vkey } = withKey(writeSignerKey("kms.example/log", privateKey())).signers[0];
    const keys = openSignKeys(
      { signKeys: { command: [join(folder, "none")], publicKey: vkey, oldKeys: [] }, dataDir: folder, publicUrl },
      null,
    );
    await expect(signCheckpoint(head, keys.signers)).rejects.toThrow(/ENOENT/);
  });

  test("with a mistyped public key is refused at the start", () => {
    const { vkey } = withKey(writeSignerKey("kms.example/log", privateKey())).signers[0];
    expect(() => commanded("none", vkey.replace("+", "x+"))).toThrow(/mistyped/);
  });
});

describe("the last checkpoint", () => {
  test("is found again by the next start", async () => {
    const file = checkpointFileIn(folder);
    expect(await openCheckpointFile(file, quietLog).recall()).toBeNull();
    await openCheckpointFile(file, quietLog).remember("a note\n");
    expect(await openCheckpointFile(file, quietLog).recall()).toBe("a note\n");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("that cannot be written is remembered until the end, and said once", async () => {
    writeFileSync(join(folder, "log"), "in the way");
    const warnings: string[] = [];
    const memory = openCheckpointFile(checkpointFileIn(folder), {
      ...quietLog,
      warn: (_fields, text) => warnings.push(text),
    });
    await memory.remember("one\n");
    await memory.remember("two\n");
    expect(await memory.recall()).toBe("two\n");
    expect(warnings).toEqual([expect.stringContaining("rolled back")]);
    // Somebody made room.
    rmSync(join(folder, "log"));
    await memory.remember("two\n");
    expect(await openCheckpointFile(checkpointFileIn(folder), quietLog).recall()).toBe("two\n");
    rmSync(checkpointFileIn(folder));
    mkdirSync(join(checkpointFileIn(folder), "in the way"), { recursive: true });
    await memory.remember("three\n");
    await memory.remember("four\n");
    expect(warnings).toHaveLength(2);
    // What was begun and could not be put in its place is not left behind.
    expect(readdirSync(join(folder, "log"))).toEqual(["last-checkpoint"]);
  });

  test("that is there and cannot be read is no reason to go on", async ({ skip }) => {
    skip(process.getuid?.() === 0, "root reads everything");
    const file = checkpointFileIn(folder);
    await openCheckpointFile(file, quietLog).remember("a note\n");
    chmodSync(file, 0o000);
    await expect(openCheckpointFile(file, quietLog).recall()).rejects.toThrow(/EACCES/);
  });
});
