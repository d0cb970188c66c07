/** Puts one finished call into a store, as the journey of a call would. */

import { createHash } from "node:crypto";
import type { Operation } from "../../server/model/operation.ts";
import type { Closing, Opening, RecordedMessage } from "../../server/model/receipt.ts";
import { maskClosing, maskOpening } from "../../server/stages/mask/recording.ts";
import { compileMasks, planFor } from "../../server/stages/mask/plan.ts";
import type { Store } from "../../server/store/database.ts";
import { keyLine, keysOf } from "../stages/mask/setting.ts";

export type Body = { readonly bytes: Buffer; readonly content_type?: string; readonly encoding?: string };
export type Bodies = { readonly request: Body | null; readonly response: Body | null };

const operation: Operation = {
  id: "v1.MonitorsApi.CreateMonitor",
  name: "CreateMonitor",
  api: "MonitorsApi",
  version: "v1",
  access: "write",
  method: "POST",
  path: "/api/v1/monitor",
  known: true,
  params: {},
};
const masks = compileMasks([]);
const masking = {
  plan: planFor(masks, operation),
  plain: masks,
  sealing: {
    keys: keysOf(keyLine("k")),
    call: { connection: "prod", session: "" },
    family: { name: "", parents: [], itemIds: null, wrappers: [] },
    query: "",
  },
  custom: new Set<string>(),
  undecodable: "digest",
} as const;
const at = new Date("2026-05-04T03:02:01.000Z");

/** Numbered by the store: the first call of a session is 1. */
export const recordCall = async (store: Store, session_id: string, { request, response }: Bodies): Promise<number> => {
  const opening: Opening = {
    session_id,
    operation: operation.id,
    access: operation.access,
    method: operation.method,
    host: "api.datadoghq.com",
    path: operation.path,
    query: "",
    decision: {
      effect: "allow",
      rules: [{ name: "agents-may-write", effect: "allow", reason: "it matched" }],
      reason: "CreateMonitor is allowed by rule agents-may-write",
      policy: "00".repeat(32),
    },
    client: "curl/8",
    received_at: at,
    decided_at: at,
    request: messageOf(request),
  };
  const closing: Closing = {
    state: "closed",
    status: 200,
    error_code: null,
    error: null,
    upstream: "https://api.datadoghq.com",
    forwarded_at: at,
    first_byte_at: at,
    done_at: at,
    request_body: null,
    response: messageOf(response),
  };
  const { n } = await store.sink.record(maskOpening(opening, operation, masking), () => maskClosing(closing, masking));
  return n;
};

const messageOf = (body: Body | null): RecordedMessage => ({
  headers: [["Content-Type", "application/json"]],
  body: body && {
    size: body.bytes.length,
    sha256: createHash("sha256").update(body.bytes).digest(),
    content_type: body.content_type ?? "application/json",
    encoding: body.encoding ?? null,
    truncated: false,
    bytes: body.bytes,
    spill: null,
  },
});
