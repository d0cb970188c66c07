/** One receipt as it is sealed: everything recorded of a call in one JSON object, in which bodies stand by their salted digests. */

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Decision } from "../../model/decision.ts";
import type { HeaderList, StoredBodyMeta as StoredBody, StoredCall, StoredMessage } from "../../model/receipt.ts";
import type { CallApproval, SealForm } from "../../model/seal.ts";
import { type SealedApproval, sealedApprovalOf } from "./approval.ts";

/** A body without its bytes. `digest` is SHA-256(salt ‖ SHA-256(stored bytes)), so that nothing can be told from it once the salt is gone. */
export type SealedBody = Pick<StoredBody, "size" | "content_type" | "encoding" | "truncated"> & {
  readonly withheld: string | null;
  readonly digest: string;
};

export type SealedMessage = { readonly headers: HeaderList; readonly body: SealedBody | null };

export type SealedReceipt = {
  readonly session_id: string;
  readonly n: number;
  readonly operation: string;
  readonly access: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly client: string | null;
  readonly decision: Decision;
  readonly response_decision: Decision | null;
  readonly approval_id: string | null;
  /** Null: nobody was asked. Receipts of form 1 do not say. */
  readonly approval?: SealedApproval | null;
  readonly state: string;
  readonly status: number | null;
  readonly error_code: string | null;
  readonly error: string | null;
  readonly upstream: string | null;
  readonly received_at: string;
  readonly decided_at: string;
  readonly forwarded_at: string | null;
  readonly first_byte_at: string | null;
  readonly done_at: string | null;
  readonly request: SealedMessage;
  readonly response: SealedMessage | null;
};

/** `approval`: left out for form 1. */
export const receiptOf = (call: StoredCall, approval?: CallApproval | null): SealedReceipt => ({
  session_id: call.session_id,
  n: call.n,
  operation: call.operation,
  access: call.access,
  method: call.method,
  host: call.host,
  path: call.path,
  query: call.query,
  client: call.client,
  decision: call.decision,
  response_decision: call.response_decision,
  approval_id: call.approval_id,
  ...(approval !== undefined && { approval: approval === null ? null : sealedApprovalOf(approval) }),
  state: call.state,
  status: call.status,
  error_code: call.error_code,
  error: call.error,
  upstream: call.upstream,
  received_at: call.received_at.toISOString(),
  decided_at: call.decided_at.toISOString(),
  forwarded_at: call.forwarded_at?.toISOString() ?? null,
  first_byte_at: call.first_byte_at?.toISOString() ?? null,
  done_at: call.done_at?.toISOString() ?? null,
  request: messageOf(call.request),
  response: call.response === null ? null : messageOf(call.response),
});

const messageOf = ({ headers, body }: StoredMessage): SealedMessage => ({
  headers,
  body: body === null ? null : sealedBodyOf(body),
});

const sealedBodyOf = (body: StoredBody): SealedBody => ({
  size: body.size,
  content_type: body.content_type,
  encoding: body.encoding,
  truncated: body.truncated,
  withheld: body.withheld ?? null,
  digest: body.digest.toString("hex"),
});

/** Hex; as the gateway named the body when it recorded it. */
export const saltedDigest = (salt: Buffer, sha256: Buffer): string =>
  createHash("sha256").update(salt).update(sha256).digest("hex");

/** RFC 8785. */
export const canonical = (value: object): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("an object always has a canonical form");
  return text;
};

export const digestReceipt = (receipt: object): Buffer => createHash("sha256").update(canonical(receipt)).digest();

/** Parts by which an altered call is described. */
const receiptParts = [
  "request line",
  "request headers",
  "request body",
  "decision",
  "times",
  "outcome",
  "response headers",
  "response body",
  "approval",
] as const;
export type ReceiptPart = (typeof receiptParts)[number];

/** In form 1 nothing is said of the last one. */
const partsOf = (form: SealForm): readonly ReceiptPart[] => (form === 1 ? receiptParts.slice(0, -1) : receiptParts);

const printLength = 4;

/** The number of the call is in none of them: of two calls that were exchanged, each shows the other's. */
export const printReceipt = (receipt: SealedReceipt, form: SealForm): Buffer =>
  Buffer.concat(partsOf(form).map((part) => digestReceipt({ part: partOf(receipt, part) }).subarray(0, printLength)));

const partOf = (receipt: SealedReceipt, part: ReceiptPart): unknown => {
  const { request, response } = receipt;
  switch (part) {
    case "request line": {
      const { operation, access, method, host, path, query, client } = receipt;
      return { operation, access, method, host, path, query, client };
    }
    case "request headers":
      return request.headers;
    case "request body":
      return request.body;
    case "decision":
      return [receipt.decision, receipt.response_decision, receipt.approval_id];
    case "times": {
      const { received_at, decided_at, forwarded_at, first_byte_at, done_at } = receipt;
      return { received_at, decided_at, forwarded_at, first_byte_at, done_at };
    }
    case "outcome": {
      const { state, status, error_code, error, upstream } = receipt;
      return { state, status, error_code, error, upstream };
    }
    case "response headers":
      return response?.headers ?? null;
    case "response body":
      return response?.body ?? null;
    case "approval":
      return receipt.approval ?? null;
    default:
      return part satisfies never;
  }
};

/** Of some form: what a file says of itself may be anything. */
export const isPrint = ({ length }: Buffer): boolean =>
  ([1, 2] as const).some((form) => length === partsOf(form).length * printLength);

/** Parts in which two prints differ; one that only one of them has is one. */
export const differingParts = (one: Buffer, other: Buffer): readonly ReceiptPart[] =>
  receiptParts.filter((_, i) => {
    const at = [i * printLength, (i + 1) * printLength] as const;
    return !one.subarray(...at).equals(other.subarray(...at));
  });
