/** The keys that sign the log of seals: from the configuration, from a program, or made at the first start; never in the database. */

import { spawn } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { readOrMake } from "./keyFile.ts";
import type { SignKeys } from "./journeys/seal/grow.ts";
import type { Config, SigningCommand } from "./model/config.ts";
import { Secret } from "./model/connection.ts";
import {
  isPrivate,
  type NoteKey,
  readSignerKey,
  readVerifierKey,
  type Signer,
  signerOf,
  writeSignerKey,
} from "./stages/seal/note.ts";

type Asked = Pick<Config, "signKeys" | "dataDir" | "publicUrl">;

/**
 * `newest`: the log's newest checkpoint, which a key without a name takes its name from.
 * @throws Error that says which key or file cannot be used
 */
export const openSignKeys = ({ signKeys, dataDir, publicUrl }: Asked, newest: string | null): SignKeys => {
  // What the log is called is for good: gateways that move to another address go on with it.
  const name = newest?.split("\n")[0] ?? logName(publicUrl);
  if (signKeys instanceof Secret) return readKeys(signKeys.reveal(), { name, where: "keys.sign" });
  if (signKeys !== undefined) return commanded(signKeys);
  const file = join(dataDir, "keys", "sign");
  return readKeys(readOrMake({ file, make: () => make(name), need, instead }), { name, where: file });
};

/** Unique and without a scheme, as C2SP asks of origins. */
const logName = (publicUrl: string): string => {
  const { host, pathname } = new URL(publicUrl);
  return `${host}${pathname.replace(/\/$/, "")}/v1/log`;
};

type Place = { readonly name: string; readonly where: string };

/** Private keys sign, the first first; public ones are those that signed before. One a line, or one PEM. */
const readKeys = (text: string, { name, where }: Place): SignKeys => {
  const keys = text.includes("-----BEGIN")
    ? [signerOf(name, readPem(text, where))]
    : text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => {
          const key = isPrivate(line) ? readSignerKey(line) : readVerifierKey(line);
          if (key === null) throw new Error(`${where}: a line is neither a private nor a public key of a log`);
          return key;
        });
  const [first, ...others] = keys.filter((key): key is Signer => "sign" in key);
  if (first === undefined) throw new Error(`${where}: there is no private key`);
  return { signers: [first, ...others], known: keys };
};

const readPem = (text: string, where: string): KeyObject => {
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // What is wrong with a key is nobody's business but its own: a message could hold it.
  }
  throw new Error(`${where}: the PEM holds no private Ed25519 key (openssl genpkey -algorithm ed25519 makes one)`);
};

const make = (name: string): string => {
  const made = writeSignerKey(name, generateKeyPairSync("ed25519").privateKey);
  return `# Dogwatch signs its log of seals with the first of these keys. Keep it: see docs/evidence.md for how to change it.\n${made}\n`;
};

const need = "seals need a key";
const instead = "name one with keys.sign (openssl genpkey -algorithm ed25519 makes it)";

const commanded = ({ command, publicKey, oldKeys }: SigningCommand): SignKeys => {
  const read = (vkey: string): NoteKey => {
    const key = readVerifierKey(vkey);
    if (key === null) throw new Error(`keys.sign: ${vkey} is no public Ed25519 key of a log, or was mistyped`);
    return key;
  };
  const key = read(publicKey);
  return { signers: [{ ...key, sign: (message) => runSigner(command, message) }], known: [key, ...oldKeys.map(read)] };
};

/** A program that hangs holds nothing up but the seals, ms. */
const longestSigning = 10_000;

/** What it prints is checked against the public key by whoever asked. */
const runSigner = async (command: readonly string[], message: Buffer): Promise<Buffer> => {
  const [program = "", ...words] = command;
  const child = spawn(program, words, {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: longestSigning,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  // One that does not read what it is to sign says so by its exit code.
  child.stdin.on("error", () => undefined).end(message);
  const [printed, code] = await Promise.all([buffer(child.stdout), ended]);
  if (code !== 0)
    throw new Error(`keys.sign: ${program} ended with ${code === null ? "a signal" : `exit code ${code}`}`);
  return Buffer.from(printed.toString("latin1").trim(), "base64");
};
