/** Signed notes, checkpoints and tile paths as other programs of C2SP write them. */

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openCheckpoint, signCheckpoint } from "../../../server/stages/seal/checkpoint.ts";
import { emptyRoot } from "../../../server/stages/seal/merkle.ts";
import {
  type NoteKey,
  openNote,
  readSignerKey,
  readVerifierKey,
  type Signer,
  signerOf,
  signNote,
  writeSignerKey,
} from "../../../server/stages/seal/note.ts";
import { readTileNumber, writeBundle, writeTileNumber } from "../../../server/stages/seal/tiles.ts";

// From the tests of golang.org/x/mod/sumdb/note, and from c2sp.org/signed-note.
const peter = {
  vkey: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  skey: "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  line: "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
};
const example = {
  vkey: "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
  note: "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
};

const keyOf = (vkey: string): NoteKey => {
  const key = readVerifierKey(vkey);
  if (key === null) throw new Error(`${vkey} is no key`);
  return key;
};
const signerFrom = (skey: string): Signer => {
  const signer = readSignerKey(skey);
  if (signer === null) throw new Error("no signer");
  return signer;
};
const newSigner = (name: string): Signer => signerOf(name, generateKeyPairSync("ed25519").privateKey);

describe("published notes", () => {
  test("Go's key signs Go's note, byte for byte", async () => {
    expect(await signNote(peter.text, [signerFrom(peter.skey)])).toBe(`${peter.text}\n${peter.line}`);
    expect(signerFrom(peter.skey).vkey).toBe(peter.vkey);
  });

  test("Go's note and the specification's example open with their keys", () => {
    expect(openNote(`${peter.text}\n${peter.line}`, [keyOf(peter.vkey)])).toMatchObject({ text: peter.text });
    expect(openNote(example.note, [keyOf(example.vkey)])).toMatchObject({ text: "This is an example message.\n" });
  });

  test.each([
    ["one letter of the text", peter.text.replace("cryptography", "cryptographY"), peter.line],
    ["another's name", peter.text, peter.line.replace("PeterNeumann", "EnochRoot")],
    ["one bit of the signature", peter.text, peter.line.replace("nAM=", "nAI=")],
    ["no signature", peter.text, ""],
    ["no blank line", peter.text.slice(0, -1), peter.line],
    ["something after the signatures", peter.text, `${peter.line}more`],
  ])("it does not open with %s changed", (_what, text, line) => {
    expect(openNote(`${text}\n${line}`, [keyOf(peter.vkey)])).toBeTypeOf("string");
  });

  test("a signature of a key that nobody asked about is passed over, a wrong one of a known key is not", async () => {
    const other = newSigner("witness.example/w");
    const note = await signNote(peter.text, [signerFrom(peter.skey), other]);
    expect(openNote(note, [keyOf(peter.vkey)])).toMatchObject({ signers: [{ name: "PeterNeumann" }] });
    const spoilt = note.replace(
      /(— witness\.example\/w .{20})(.)/u,
      (_all, head: string, one: string) => head + (one === "A" ? "B" : "A"),
    );
    expect(openNote(spoilt, [keyOf(peter.vkey), other])).toBeTypeOf("string");
    expect(openNote(spoilt, [keyOf(peter.vkey)])).toMatchObject({ signers: [{ name: "PeterNeumann" }] });
  });
});

describe("keys", () => {
  test.each([
    ["another id", peter.vkey.replace("c74f20a3", "c74f20a4")],
    ["another kind", "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
    ["no name", "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
    ["half a key", peter.vkey.slice(0, -8)],
    ["a private key", peter.skey],
  ])("with %s it is none", (_what, vkey) => {
    expect(readVerifierKey(vkey)).toBeNull();
  });

  test("a private key that was written is read again", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const written = writeSignerKey("dogwatch.example.com/v1/log", privateKey);
    expect(signerFrom(written).vkey).toBe(signerOf("dogwatch.example.com/v1/log", privateKey).vkey);
  });

  test("a signer whose signature its own public key does not verify signs nothing", async () => {
    const [one, other] = [newSigner("log.example"), newSigner("log.example")];
    await expect(signNote("text\n", [{ ...one, sign: other.sign }])).rejects.toThrow(/does not have its key/);
  });
});

describe("checkpoints", () => {
  const signer = newSigner("dogwatch.example.com/v1/log");

  test("say origin, size and root, and open again", async () => {
    const note = await signCheckpoint({ size: 0, root: emptyRoot }, [signer]);
    expect(note).toMatch(
      /^dogwatch\.example\.com\/v1\/log\n0\n47DEQpj8HBSa\+\/TImW\+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— dogwatch/,
    );
    expect(openCheckpoint(note, [signer])).toEqual({ origin: signer.name, size: 0, root: emptyRoot });
  });

  test("during a rotation bear both keys' signatures, and open with either", async () => {
    const next = newSigner(signer.name);
    const note = await signCheckpoint({ size: 0, root: emptyRoot }, [next, signer]);
    expect(openCheckpoint(note, [signer])).toMatchObject({ size: 0 });
    expect(openCheckpoint(note, [next])).toMatchObject({ size: 0 });
  });

  test.each([
    ["a size with a leading zero", "o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"],
    ["a negative size", "o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"],
    ["half a root", "o\n1\n47DEQpj8HBSa\n"],
    ["no origin", "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"],
    ["something else", "hello\n"],
  ])("with %s is none, signed or not", async (_what, text) => {
    expect(openCheckpoint(await signNote(text, [signer]), [signer])).toBe(
      "it is a signed note, but no checkpoint of a log",
    );
  });
});

describe("tiles", () => {
  test.each([
    [0, "000"],
    [67, "067"],
    [1_067, "x001/067"],
    [1_234_067, "x001/x234/067"],
  ])("number %i is written %s", (n, path) => {
    expect(writeTileNumber(n)).toBe(path);
    expect(readTileNumber(path)).toBe(n);
  });

  test.each(["", "1", "x001", "x000/067", "0067", "001/067", "x1/067", "-01", "x001/x234/x067"])(
    "%j is no number",
    (path) => {
      expect(readTileNumber(path)).toBeNull();
    },
  );

  test("a bundle holds each entry behind its length", () => {
    expect(
      writeBundle([Buffer.from("ab"), Buffer.alloc(300)])
        .subarray(0, 6)
        .toString("hex"),
    ).toBe("00026162012c");
  });
});
