/** One call of a recording, with its bodies left where they are until somebody wants them. */

import type { Access } from "../../model/operation.ts";
import type { CallState, HeaderList } from "../../model/receipt.ts";

/** A recorded body. `missing`: why it is not there as a whole, for the end of a sentence that begins with `its body`. */
export type KeptBody = {
  readonly content_type: string | null;
  /** `Content-Encoding` of its bytes. */
  readonly encoding: string | null;
  readonly missing: string | null;
  /** Of its bytes, as far as the recording says. */
  readonly size: number;
  /** As they were stored. Rejects when they are not what was recorded any more. */
  read(): Promise<Buffer>;
};

export type RecordedCall = {
  readonly session_id: string;
  readonly n: number;
  /** As the catalogue of the gateway that recorded it called it. */
  readonly operation: string;
  readonly access: Access;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly state: CallState;
  readonly status: number | null;
  readonly request: { readonly body: KeptBody | null };
  /** What the caller was answered, by Datadog or by the gateway. */
  readonly response: { readonly headers: HeaderList; readonly body: KeptBody | null } | null;
};

/** `call 7 (v1.MonitorsApi.GetMonitor)` */
export const nameOf = ({ n, operation }: Pick<RecordedCall, "n" | "operation">): string => `call ${n} (${operation})`;

/** Told to wait elsewhere for a person, the agent's relay sent the call again: what it saw is the answer to that. */
export const isWait = ({ response }: RecordedCall): boolean =>
  response?.headers.some(([name]) => name.toLowerCase() === "dogwatch-approval") ?? false;
