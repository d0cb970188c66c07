/** AES-CMAC (RFC 4493) and AES-SIV (RFC 5297) for sealing, on the machine's own AES: a reply may hold thousands of values to seal. */

import { type Cipheriv, createCipheriv } from "node:crypto";
import { aessiv } from "@noble/ciphers/aes.js";

const block = 16;

/** In place: multiplied by x in GF(2^128). */
const double = (bytes: Buffer): Buffer => {
  const carry = (bytes[0] ?? 0) >> 7;
  for (let i = 0; i < block - 1; i++) bytes[i] = ((bytes[i] ?? 0) << 1) | ((bytes[i + 1] ?? 0) >> 7);
  bytes[block - 1] = ((bytes[block - 1] ?? 0) << 1) ^ (carry * 0x87);
  return bytes;
};

const xorInto = (target: Buffer, at: number, source: Buffer): void => {
  for (let i = 0; i < block; i++) target[at + i] = (target[at + i] ?? 0) ^ (source[i] ?? 0);
};

const aes = (key: Buffer, mode: "cbc" | "ecb"): Cipheriv => {
  const iv = mode === "cbc" ? Buffer.alloc(block) : null;
  return createCipheriv(`aes-${key.length * 8}-${mode}`, key, iv).setAutoPadding(false);
};

/** One key's CMAC. To set a cipher up costs more than to use it, so one goes on: its chaining value is taken out of each first block. */
export class Cmac {
  readonly #cbc: Cipheriv;
  readonly #whole: Buffer;
  readonly #padded: Buffer;
  readonly #chain = Buffer.alloc(block);
  constructor(key: Buffer) {
    this.#cbc = aes(key, "cbc");
    this.#whole = double(aes(key, "ecb").update(Buffer.alloc(block)));
    this.#padded = double(Buffer.from(this.#whole));
  }

  /** 16 bytes. */
  of(message: Buffer): Buffer {
    const blocks = Math.max(1, Math.ceil(message.length / block));
    const input = Buffer.allocUnsafe(blocks * block).fill(0, message.length);
    message.copy(input);
    const isWhole = message.length === input.length;
    if (!isWhole) input[message.length] = 0x80;
    xorInto(input, input.length - block, isWhole ? this.#whole : this.#padded);
    xorInto(input, 0, this.#chain);
    const output = this.#cbc.update(input);
    output.copy(this.#chain, 0, output.length - block);
    return output.subarray(output.length - block);
  }
}

/** The same key seals and opens. Sealing is checked against the audited implementation by the tests, and by every opening. */
export class Siv {
  readonly #key: Buffer;
  readonly #mac: Cmac;
  readonly #ecb: Cipheriv;
  /** CMAC of each associated string, which are few. */
  readonly #associated = new Map<string, Buffer>();
  /** 64 bytes: AES-256 twice. */
  constructor(key: Buffer) {
    this.#key = key;
    this.#mac = new Cmac(key.subarray(0, key.length / 2));
    this.#ecb = aes(key.subarray(key.length / 2), "ecb");
  }

  /** In place: `bytes` from `at` on are 16 bytes for the synthetic IV, then what is sealed. */
  sealIn(associated: string, bytes: Buffer, at: number): void {
    const plain = bytes.subarray(at + block);
    const iv = this.#s2v(associated, plain);
    const stream = this.#keyStream(iv, plain.length);
    for (let i = 0; i < plain.length; i++) plain[i] = (plain[i] ?? 0) ^ (stream[i] ?? 0);
    iv.copy(bytes, at);
  }

  /** Null for anything that this key did not seal with this associated string. */
  open(associated: string, sealed: Buffer): Buffer | null {
    if (sealed.length < block) return null;
    try {
      return Buffer.from(aessiv(this.#key, Buffer.from(associated)).decrypt(sealed));
    } catch {
      return null;
    }
  }

  #s2v(associated: string, plain: Buffer): Buffer {
    let d = this.#associated.get(associated);
    if (d === undefined) {
      d = double(Buffer.from(this.#mac.of(Buffer.alloc(block))));
      xorInto(d, 0, this.#mac.of(Buffer.from(associated)));
      this.#associated.set(associated, d);
    }
    if (plain.length >= block) {
      const end = Buffer.from(plain);
      xorInto(end, plain.length - block, d);
      return this.#mac.of(end);
    }
    const padded = Buffer.alloc(block);
    plain.copy(padded);
    padded[plain.length] = 0x80;
    xorInto(padded, 0, double(Buffer.from(d)));
    return this.#mac.of(padded);
  }

  #keyStream(iv: Buffer, length: number): Buffer {
    const blocks = Math.ceil(length / block);
    const counters = Buffer.alloc(blocks * block);
    const first = Buffer.from(iv);
    // RFC 5297 §2.5: two bits are cleared, so that a counter of 31 bits never carries further.
    first[8] = (first[8] ?? 0) & 0x7f;
    first[12] = (first[12] ?? 0) & 0x7f;
    const low = first.readUInt32BE(12);
    for (let i = 0; i < blocks; i++) {
      first.copy(counters, i * block);
      counters.writeUInt32BE(low + i, i * block + 12);
    }
    return this.#ecb.update(counters);
  }
}
