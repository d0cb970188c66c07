/** What a call needs of the world, and what is known of it as it goes along. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Catalogue } from "../../datadog/catalogue.ts";
import type { Stripped } from "../../datadog/credentials.ts";
import type { Refusal } from "../../errors.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { Connection } from "../../model/connection.ts";
import type { Approval, Grant } from "../../model/approval.ts";
import type { Log } from "../../model/log.ts";
import type { CallNumber } from "../../model/receipt.ts";
import type { Asked, HeldCall } from "../approval/ask.ts";
import type { Leaving } from "../approval/use.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";
import type { SessionGrant } from "../../model/session.ts";
import type { InspectionBudget } from "../../stages/decide/budget.ts";
import type { Allowance } from "../../stages/decide/limit.ts";
import type { Policy } from "../../stages/decide/policy.ts";
import type { Apart } from "../../stages/forward/apart.ts";
import type { RequestBody } from "../../stages/forward/requestBody.ts";
import type { Tidy } from "../../stages/forward/tidy.ts";
import type { Upstreams } from "../../stages/forward/upstream.ts";
import type { Masking, MaskSet } from "../../stages/mask/masking.ts";
import type { Spill } from "../../stages/record/capture.ts";
import type { ReceiptSink } from "../../stages/record/receipt.ts";

/** `app.ts` joins it. */
export type CallParts = {
  present(tokens: readonly string[]): Promise<SessionGrant | Refusal>;
  connection(name: string): Connection | undefined;
  policy(): Policy;
  masks(): MaskSet;
  /** Takes one call of a session from the limit of a rule; false when nothing is left. */
  take(session_id: string, allowance: Allowance): Promise<boolean>;
  readonly catalogue: Catalogue;
  readonly sink: ReceiptSink;
  /** Of calls that rules hold for people. */
  readonly approving: Approving;
  readonly log: Log;
  openSpill(session_id: string): Spill;
  audit(event: AuditEvent): void;
  readonly upstreams: Upstreams;
  /** For the calls of replays. */
  readonly apart: Apart;
  readonly tidy: Tidy;
  /** Of the memory for bodies that rules read. */
  readonly budget: InspectionBudget;
  /** Bytes. */
  limits(): { readonly inspect: number; readonly record: number };
  readonly publicUrl: string;
  now(): Date;
  /** Milliseconds that never go back. */
  monotonic(): number;
  /** Told once a call, when its receipt is closed or could not be. */
  observe(outcome: CallOutcome): void;
};

/** What becomes of a held call; `journeys/approval/approving.ts` is one. */
export interface Approving {
  ask(held: HeldCall): Promise<Asked | Refusal>;
  /** Notes the call that asked first. */
  attach(id: string, call: CallNumber): Promise<void>;
  /** As it is when people have decided, when this caller may be held no longer, or when it is gone. */
  until(id: string, waiting: Pick<Call, "grant" | "incoming">): Promise<Approval | null>;
  /** Null when the call may be sent, now, once. */
  use(id: string, leaving: Leaving): Promise<Refusal | null>;
  useGrant(grant: Grant, leaving: Leaving): Promise<Refusal | null>;
}

export type CallOutcome = {
  readonly operation: Operation;
  readonly effect: Decision["effect"];
  readonly status: number | null;
  readonly code: string | null;
  readonly seconds: number;
};

/** Which Datadog host the caller meant: its site's API, a host by name, or a host of its site by first label. */
export type Route =
  | { readonly kind: "api" }
  | { readonly kind: "host"; readonly host: string }
  | { readonly kind: "prefix"; readonly prefix: string };

export type Incoming = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  /** Path and query on that host, byte for byte. */
  readonly target: string;
};

/** A call whose session is known. */
export type Call = {
  readonly parts: CallParts;
  readonly incoming: Incoming;
  readonly grant: SessionGrant;
  readonly connection: Connection;
  readonly host: string;
  /** The request with its token slots emptied. */
  readonly presented: Stripped;
  readonly received_at: Date;
};

/** A call of which is known what it is, and what the policy says of it. */
export type Judged = {
  readonly operation: Operation;
  readonly decision: Decision;
  /** The one that decided; it judges the answer too. */
  readonly policy: Policy;
  /** The masks in force then; they are those of the answer too. */
  readonly masking: Masking;
  readonly decided_at: Date;
  /** The question to people that it asked, or joined. */
  readonly approval_id?: string;
  /** As it came. */
  readonly body: RequestBody;
  /** What goes on in its place: tokens in it stand for their values again. In the same codings. */
  readonly restored?: Buffer;
};
