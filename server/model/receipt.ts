/** The durable record of one call: opened before it is forwarded, closed before its response is released. */

import type { Access } from "./operation.ts";
import type { Decision } from "./decision.ts";
import type { ErrorCode } from "../errors.ts";

/** Header fields in order, names as they were sent. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A body as it is stored: `sha256` is of the stored (masked) bytes. */
export type RecordedBody = {
  /** Bytes on the wire, before truncation. */
  readonly size: number;
  readonly sha256: Buffer;
  readonly content_type: string | null;
  /** `Content-Encoding` of the stored bytes. */
  readonly encoding: string | null;
  /** More came than `limits.record`; the stored bytes are a prefix. */
  readonly truncated: boolean;
  /** Small bodies travel with the receipt… */
  readonly bytes: Buffer | null;
  /** …large ones were spilled chunk by chunk and are named here. */
  readonly spill: string | null;
  /** What masks replaced in it. */
  readonly replaced?: Replaced;
  /** Why it, or the end of it, is not stored although it was there: nobody could tell what stands in it. */
  readonly withheld?: string;
};

/**
 * What masks replaced: how many values, and the keyed hashes by which people find a value again, each once and at most 10,000 of them. The
 * hashes are for the index beside the receipts and no part of a receipt.
 */
export type Replaced = { readonly values: number; readonly hashes: readonly string[] };

export type RecordedMessage = { readonly headers: HeaderList; readonly body: RecordedBody | null };

/** Everything known when a call is about to be forwarded or has been refused. */
export type Opening = {
  readonly session_id: string;
  readonly operation: string;
  readonly access: Access;
  readonly method: string;
  readonly host: string;
  /** Without query; keys in it masked. */
  readonly path: string;
  /** As sent, token slots removed, without `?`; `` when there was none. */
  readonly query: string;
  readonly decision: Decision;
  readonly client: string | null;
  readonly received_at: Date;
  readonly decided_at: Date;
  readonly request: RecordedMessage;
  /** The question to people that this call asked or joined; absent when no rule holds it. */
  readonly approval_id?: string | null;
  /** How many values masks replaced so far; counted in the session. */
  readonly masked_values?: number;
  /** Of these values, for search. */
  readonly masked_hashes?: readonly string[];
};

export type CallState = "open" | "closed" | "refused" | "indeterminate";

/** Everything known at the end; `request` is set when the request body was still streaming at the opening. */
export type Closing = {
  readonly state: Exclude<CallState, "open">;
  readonly status: number | null;
  readonly error_code: ErrorCode | "client_disconnected" | null;
  /** One sentence for people when there is an error. */
  readonly error: string | null;
  /** Address the call went to, `https://api.datadoghq.com`. */
  readonly upstream: string | null;
  readonly forwarded_at: Date | null;
  readonly first_byte_at: Date | null;
  readonly done_at: Date;
  readonly request_body: RecordedBody | null;
  readonly response: RecordedMessage | null;
  /** What rules on answers said; absent when none had anything against it. */
  readonly response_decision?: Decision | null;
  /** How many values masks replaced since the opening; counted in the session. */
  readonly masked_values?: number;
  /** Of these values, for search. */
  readonly masked_hashes?: readonly string[];
};

/** Only the mask stage makes one; only a masked receipt is stored. */
declare const masked: unique symbol;
export type Masked<T> = T & { readonly [masked]: true };

export type CallNumber = { readonly session_id: string; readonly n: number };

/** A stored call as it is read back. */
export type StoredCall = CallNumber &
  Omit<Opening, "request" | "masked_values" | "masked_hashes" | "approval_id"> & {
    readonly state: CallState;
    readonly approval_id: string | null;
    readonly status: number | null;
    readonly error_code: string | null;
    readonly error: string | null;
    readonly upstream: string | null;
    readonly forwarded_at: Date | null;
    readonly first_byte_at: Date | null;
    readonly done_at: Date | null;
    readonly request: StoredMessage;
    readonly response: StoredMessage | null;
    readonly response_decision: Decision | null;
  };

export type StoredMessage = {
  readonly headers: HeaderList;
  readonly body: StoredBodyMeta | null;
};

/** `sha256` is null once the body has `expired`: then a receipt has nothing by which it could be guessed. `id` names its bytes, where there are any. */
export type StoredBodyMeta = Omit<RecordedBody, "bytes" | "spill" | "replaced" | "sha256"> & {
  readonly sha256: Buffer | null;
  /** SHA-256(salt of the session's day ‖ SHA-256(stored bytes)): says nothing once the salt is gone, and stays. */
  readonly digest: Buffer;
  readonly expired: boolean;
  readonly id: string | null;
};
