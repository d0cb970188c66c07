/** A delivery counts only when GitHub signed these very bytes. */

import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { verifySignature } from "../../server/github/signature.ts";
import { Secret } from "../../server/model/connection.ts";

const secret = new Secret("It's a Secret to Everybody");
const body = Buffer.from("Hello, World!");

const sign = (key: string, bytes: Buffer): string => `sha256=${createHmac("sha256", key).update(bytes).digest("hex")}`;

test("GitHub's own example is accepted", () => {
  // docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
  const documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  expect(verifySignature(secret, body, documented)).toBe(true);
});

test.for([
  ["is missing", undefined],
  ["is empty", ""],
  ["has no value", "sha256="],
  ["is of another kind", `sha1=${createHmac("sha1", secret.reveal()).update(body).digest("hex")}`],
  ["is SHA-1 under the name of SHA-256", `sha256=${createHmac("sha1", secret.reveal()).update(body).digest("hex")}`],
  ["has no prefix", sign(secret.reveal(), body).slice(7)],
  ["has the prefix twice", `sha256=${sign(secret.reveal(), body)}`],
  ["is cut short", sign(secret.reveal(), body).slice(0, -1)],
  ["is longer", `${sign(secret.reveal(), body)}0`],
  ["has something after it", `${sign(secret.reveal(), body)}\n`],
  ["is one of two", `${sign(secret.reveal(), body)}, ${sign("other", body)}`],
  ["is not hexadecimal", `sha256=${"z".repeat(64)}`],
  ["is made with another secret", sign("another secret", body)],
  ["is made with no secret", sign("", body)],
  ["is of the secret as a plain hash", `sha256=${createHmac("sha256", body).update(secret.reveal()).digest("hex")}`],
  ["is of other bytes", sign(secret.reveal(), Buffer.from("Hello, World?"))],
  ["is of no bytes", sign(secret.reveal(), Buffer.alloc(0))],
] as const)("a signature that %s is refused", ([, header]) => {
  expect(verifySignature(secret, body, header)).toBe(false);
});

test("without a secret nothing is signed, not even with the empty one", () => {
  expect(verifySignature(new Secret(""), body, sign("", body))).toBe(false);
});

test("a body that means the same in other bytes is another one", () => {
  const signed = sign(secret.reveal(), Buffer.from('{"a":1}'));
  expect(verifySignature(secret, Buffer.from('{"a":1}'), signed)).toBe(true);
  expect(verifySignature(secret, Buffer.from('{"a": 1}'), signed)).toBe(false);
  expect(verifySignature(secret, Buffer.from('{"a":1}\n'), signed)).toBe(false);
});

test("any one changed bit of body or signature is noticed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const whole = Buffer.from(bytes);
      const signature = sign(secret.reveal(), whole);
      expect(verifySignature(secret, whole, signature)).toBe(true);
      const changed = Buffer.from(whole);
      const index = at % changed.length;
      changed.writeUInt8(changed.readUInt8(index) ^ (1 << bit), index);
      expect(verifySignature(secret, changed, signature)).toBe(false);
      const digest = Buffer.from(signature.slice(7), "hex");
      digest.writeUInt8(digest.readUInt8(at % 32) ^ (1 << bit), at % 32);
      expect(verifySignature(secret, whole, `sha256=${digest.toString("hex")}`)).toBe(false);
    }),
  );
});
