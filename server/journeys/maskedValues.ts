/** What masks took out, for people with a role: where a value stood, and what a token stands for. That somebody asked is written down first. */

import { createHash } from "node:crypto";
import { type ApiRefusal, refuseApi } from "../errors.ts";
import { equalityHashes } from "../stages/mask/token/equality.ts";
import type { MaskKeys } from "../stages/mask/token/keys.ts";
import { reveal } from "../stages/mask/token/sealer.ts";
import {
  type HistoryParts,
  type Page,
  type PageRequest,
  readerName,
  type Reader,
  roleOf,
  seesEverything,
} from "./history.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { StoredCall } from "../model/receipt.ts";

export type MaskedValueParts = {
  readonly maskKeys: MaskKeys;
  readonly receipts: {
    withValue(hashes: readonly Buffer[], page: PageRequest): Promise<Page<StoredCall> | ApiRefusal>;
  } & HistoryParts["receipts"];
  /** Resolves when it is durable. */
  auditFirst(event: AuditEvent): Promise<void>;
};

/** As a value may be written: people write an address or a number in several ways (`token/equality.ts`). */
const writings = ["email", "phone", "iban", "text"];

/** Calls in which this value was masked, the newest first. Whoever can ask can guess, so nobody may who reads only a part. */
export async function findValue(
  parts: MaskedValueParts,
  reader: Reader,
  { value, ...page }: PageRequest & { readonly value: string },
): Promise<Page<StoredCall> | ApiRefusal> {
  const refusal = seesEverything(reader);
  if (refusal !== null) return refusal;
  const hashes = [...new Set(writings.flatMap((kind) => equalityHashes(parts.maskKeys, kind, value)))];
  await parts.auditFirst({
    kind: "recording_viewed",
    who: readerName(reader),
    what: `calls with a masked value, hash ${hashes[0] ?? ""}`,
    reason: "search by value",
  });
  return parts.receipts.withValue(
    hashes.map((hash) => Buffer.from(hash, "base64url")),
    page,
  );
}

export type Revealed = { readonly kind: string; readonly value: string };

/** What a token stands for, whatever its place. `reason`: why it is needed, for the audit log. */
export async function revealToken(
  { maskKeys, auditFirst }: MaskedValueParts,
  reader: Reader,
  { token, reason }: { readonly token: string; readonly reason: string },
): Promise<Revealed | ApiRefusal> {
  const refusal = mayReveal(reader);
  const audited = (end: string): Promise<void> =>
    auditFirst({ kind: "value_revealed", who: readerName(reader), what: `token ${digestOf(token)}`, reason: end });
  if (refusal !== null) {
    await audited(`refused: ${refusal.message}`);
    return refusal;
  }
  const opened = reveal(maskKeys, token);
  if (opened?.value == null) {
    const why = opened === null ? "it is no token of this gateway's keys" : "its value was too long to be kept in it";
    await audited(`refused: ${why}`);
    return refuseApi("not_found", `the token stands for nothing: ${why}`);
  }
  await audited(`${opened.kind}: ${reason}`);
  return { kind: opened.kind, value: opened.value };
}

const mayReveal = (reader: Reader): ApiRefusal | null =>
  roleOf(reader) === "admin"
    ? null
    : refuseApi("forbidden", `${readerName(reader)} may not reveal what masks hide; role admin may`);

const digestOf = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 16);
