/** Answers the gateway gives itself, in Datadog's error shape so that every Datadog client shows them. */

import type { ServerResponse } from "node:http";
import { type Refusal, statusOf } from "../../errors.ts";
import type { CallNumber } from "../../model/receipt.ts";
import { endAnswer } from "./end.ts";

export type OwnAnswer = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
};

/** `link` is the page of the call, when there is one. */
export function refusalAnswer(refusal: Refusal, call: CallNumber | null, publicUrl: string): OwnAnswer {
  const link = call === null ? "" : ` (${callUrl(publicUrl, call)})`;
  const body = Buffer.from(JSON.stringify({ errors: [`dogwatch: ${refusal.message}${link}`] }));
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["content-length", String(body.length)],
    ["dogwatch-error", refusal.code],
  ];
  if (call !== null) headers.push(["dogwatch-call", callId(call)]);
  return { status: statusOf[refusal.code], headers, body };
}

export const callId = (call: CallNumber): string => `${call.session_id}/${call.n}`;

export const callUrl = (publicUrl: string, call: CallNumber): string =>
  `${publicUrl}/sessions/${call.session_id}/calls/${call.n}`;

/** Writes it, unless the caller is gone or an answer has begun. */
export function sendOwnAnswer(response: ServerResponse, answer: OwnAnswer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(answer.status, answer.headers.flat());
  endAnswer(response, response.req.method === "HEAD" ? null : answer.body);
}
