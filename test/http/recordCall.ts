/** Puts one finished call into a store. */

import { createHash } from "node:crypto";
import type { StoredMessage } from "../../server/model/receipt.ts";
import type { TestStore } from "./memoryStore.ts";

export type Body = { readonly bytes: Buffer; readonly content_type?: string; readonly encoding?: string };

export const recordCall = async (
  store: TestStore,
  session_id: string,
  { request, response }: { request: Body | null; response: Body | null },
) => {
  const at = new Date("2026-05-04T03:02:01.000Z");
  const message = (body: Body | null): StoredMessage => ({
    headers: [["Content-Type", "application/json"]],
    body: body && {
      size: body.bytes.length,
      sha256: createHash("sha256").update(body.bytes).digest(),
      content_type: body.content_type ?? "application/json",
      encoding: body.encoding ?? null,
      truncated: false,
      id: "x",
    },
  });
  store.put(
    {
      session_id,
      n: 0,
      operation: "v1.MonitorsApi.CreateMonitor",
      access: "write",
      method: "POST",
      host: "api.datadoghq.com",
      path: "/api/v1/monitor",
      query: "",
      decision: { effect: "allow", rules: [{ name: "all", effect: "allow", reason: "r" }], reason: "r", policy: "p" },
      client: "curl",
      received_at: at,
      decided_at: at,
      state: "closed",
      approval_id: null,
      status: 200,
      error_code: null,
      error: null,
      upstream: "https://api.datadoghq.com",
      forwarded_at: at,
      first_byte_at: at,
      done_at: at,
      request: message(request),
      response: message(response),
    },
    { request: request?.bytes ?? null, response: response?.bytes ?? null },
  );
};
