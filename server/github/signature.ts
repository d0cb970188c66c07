/** Whether GitHub sent a delivery: the HMAC over its bytes, by the secret that only GitHub and this gateway have. */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../model/connection.ts";

/** The older `X-Hub-Signature` (SHA-1) is nothing to go by. */
const pattern = /^sha256=([0-9a-f]{64})$/;

/**
 * @param body as it was received, byte for byte, before anything parsed it
 * @param header `X-Hub-Signature-256`; a delivery without one is nobody's
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export const verifySignature = (secret: Secret, body: Buffer, header: string | undefined): boolean => {
  const given = pattern.exec(header ?? "")?.[1];
  const key = secret.reveal();
  // Without a secret everybody could sign.
  if (given === undefined || key === "") return false;
  return timingSafeEqual(Buffer.from(given, "hex"), createHmac("sha256", key).update(body).digest());
};
