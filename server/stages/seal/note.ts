/** C2SP signed notes with Ed25519: text, a blank line, signatures; keys in the format that Go's `note` package writes. */

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** A public key with its name: what a signature line names. */
export type NoteKey = {
  readonly name: string;
  readonly id: Buffer;
  readonly key: KeyObject;
  /** `<name>+<id>+<key>`, as people hand it on. */
  readonly vkey: string;
};

/** Signs; whether in this process or elsewhere. */
export type Signer = NoteKey & { sign(message: Buffer): Promise<Buffer> };

const ed25519 = 1;
const keyLength = 32;
const signatureLength = 64;
const mostBytes = 1_000_000;
const mostSignatures = 100;

/** No white space and no plus: both separate. */
const namePattern = /^[^\s+]{1,200}$/u;

const idOf = (name: string, publicKey: Buffer): Buffer =>
  createHash("sha256")
    .update(`${name}\n`)
    .update(Buffer.from([ed25519]))
    .update(publicKey)
    .digest()
    .subarray(0, 4);

/** @throws Error when the name is none */
export const nameKey = (name: string, key: KeyObject): NoteKey => {
  if (!namePattern.test(name)) throw new Error(`${JSON.stringify(name)} cannot name a key: no white space, no plus`);
  const raw = Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
  const id = idOf(name, raw);
  return { name, id, key, vkey: `${name}+${id.toString("hex")}+${typed(raw)}` };
};

const typed = (raw: Buffer): string => Buffer.concat([Buffer.from([ed25519]), raw]).toString("base64");

/** Of `<name>+<id>+<base64>`; null for anything else, a key of another kind and a wrong id. */
export const readVerifierKey = (text: string): NoteKey | null => {
  const [, name = "", id = "", data = ""] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text.trim()) ?? [];
  const raw = untyped(data);
  if (raw === null || !namePattern.test(name)) return null;
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
  const named = nameKey(name, key);
  return named.id.toString("hex") === id ? named : null;
};

const untyped = (data: string): Buffer | null => {
  const bytes = Buffer.from(data, "base64");
  const isOurs = bytes.toString("base64") === data && bytes[0] === ed25519 && bytes.length === keyLength + 1;
  return isOurs ? bytes.subarray(1) : null;
};

const privateHead = "PRIVATE+KEY+";
/** PKCS #8 around the 32 bytes of an Ed25519 seed (RFC 8410). */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Of `PRIVATE+KEY+<name>+<id>+<base64>`; null for anything else. */
export const readSignerKey = (text: string): Signer | null => {
  const [, name = "", id = "", data = ""] =
    /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text.trim()) ?? [];
  const seed = untyped(data);
  if (seed === null || !namePattern.test(name)) return null;
  const signer = signerOf(name, createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" }));
  return signer.id.toString("hex") === id ? signer : null;
};

export const signerOf = (name: string, key: KeyObject): Signer => ({
  ...nameKey(name, createPublicKey(key)),
  sign: async (message) => sign(null, message, key),
});

/** How `readSignerKey` reads it again. */
export const writeSignerKey = (name: string, key: KeyObject): string => {
  const { id } = nameKey(name, createPublicKey(key));
  const seed = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  return `${privateHead}${name}+${id.toString("hex")}+${typed(seed)}`;
};

export const isPrivate = (text: string): boolean => text.trim().startsWith(privateHead);

/** @throws Error when a signer gives something that its own public key does not verify */
export const signNote = async (text: string, signers: readonly Signer[]): Promise<string> => {
  if (!isText(text)) throw new Error("a note is text whose every line ends");
  const lines = signers.map(async (signer) => {
    const signature = await signer.sign(Buffer.from(text));
    if (!verifies(signer, text, signature)) throw new Error(`what signs for ${signer.vkey} does not have its key`);
    return `— ${signer.name} ${Buffer.concat([signer.id, signature]).toString("base64")}\n`;
  });
  return `${text}\n${(await Promise.all(lines)).join("")}`;
};

const isText = (text: string): boolean => text.endsWith("\n") && !/[\u0000-\u0009\u000b-\u001f\ufffd]/.test(text);

const verifies = ({ key }: NoteKey, text: string, signature: Buffer): boolean =>
  signature.length === signatureLength && verify(null, Buffer.from(text), key, signature);

export type OpenedNote = { readonly text: string; readonly signers: readonly NoteKey[] };

/**
 * The text, and which of these keys signed it: at least one. A string says what is wrong. A signature of a known key that does
 * not verify spoils the note; those of unknown keys are passed over.
 */
export const openNote = (note: string, known: readonly NoteKey[]): OpenedNote | string => {
  if (Buffer.byteLength(note) > mostBytes) return "it is too long for a note";
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !isText(note)) return "it is no signed note";
  const text = note.slice(0, split + 1);
  const lines = note
    .slice(split + 2)
    .split("\n")
    .slice(0, -1);
  if (lines.length === 0 || lines.length > mostSignatures) return "it is no signed note";
  const signers = new Map<string, NoteKey>();
  for (const line of lines) {
    const signature = readSignature(line);
    if (signature === null) return "it has a signature line that is none";
    const key = known.find(({ name, id }) => name === signature.name && id.equals(signature.id));
    if (key === undefined || signers.has(key.vkey)) continue;
    if (!verifies(key, text, signature.bytes)) return `its signature by ${key.name} is not valid`;
    signers.set(key.vkey, key);
  }
  if (signers.size === 0) return "it is not signed with the key";
  return { text, signers: [...signers.values()] };
};

const readSignature = (line: string): { name: string; id: Buffer; bytes: Buffer } | null => {
  const [, name = "", data = ""] = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/u.exec(line) ?? [];
  const bytes = Buffer.from(data, "base64");
  if (name === "" || bytes.toString("base64") !== data || bytes.length <= 4) return null;
  return { name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) };
};
