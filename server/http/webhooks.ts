/** `POST /webhooks/github`: GitHub's deliveries. Nothing is parsed before the signature over the raw bytes is right. */

import { setTimeout as sleep } from "node:timers/promises";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import { GatewayError } from "../errors.ts";
import type { Outcome } from "../journeys/approval/hear/parts.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Heard } from "../model/github.ts";

export type WebhookParts = {
  /** Whether GitHub signed these bytes; `signature` as the header has it. */
  verify(body: Buffer, signature: string | undefined): boolean;
  /** Null for what does not matter here. */
  read(event: string, payload: unknown): Heard | null;
  hear(heard: Heard): Promise<Outcome>;
  audit(event: AuditEvent): void;
};

/** GitHub's largest payload: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap */
const largest = 25 * 1024 * 1024;
/** All bodies that are read at the same time, of whoever sends them, bytes. */
const mostHeld = 4 * largest;
/** GitHub gives up after ten seconds: https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks */
const answerWithin = 8_000;
/** Deliveries with a wrong signature a minute and address that are answered and recorded one by one. */
const wrongPerMinute = 60;

export const registerWebhooks = async (app: FastifyInstance, parts: WebhookParts): Promise<void> => {
  await app.register(rateLimit, { global: false });
  const wrong = app.createRateLimit({ max: wrongPerMinute, timeWindow: 60_000 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: largest }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", reserveMemory());
  app.post("/webhooks/github", { bodyLimit: largest }, async (request, reply) => {
    if (parts.verify(bodyOf(request), header(request, "x-hub-signature-256"))) return take(parts, request, reply);
    const limit = await wrong(request);
    if (!limit.isAllowed && limit.isExceeded) return answer(reply, 429, "too many wrong signatures from this address");
    const reason = "the signature is missing or wrong";
    parts.audit({ kind: "request_refused", who: request.ip, what: "POST /webhooks/github", reason });
    return answer(reply, 401, reason);
  });
};

const bodyOf = ({ body }: FastifyRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

/** Bodies are read whole, strangers' too, since the signature is over all of it; but never more at a time than the memory that is set aside. */
function reserveMemory(): onRequestAsyncHookHandler {
  let held = 0;
  return async (request, reply) => {
    const size = Number(header(request, "content-length"));
    // GitHub always says how much comes.
    if (Number.isNaN(size)) return answer(reply, 411, "the content-length is missing");
    if (size > largest) return answer(reply, 413, "GitHub sends no payload that is larger than 25 MB");
    if (held + size > mostHeld) return answer(reply, 503, "too many large deliveries at once");
    held += size;
    reply.raw.once("close", () => {
      held -= size;
    });
  };
}

async function take(parts: WebhookParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const payload = payloadIn(request);
  if (payload === null) return answer(reply, 400, "the payload is not JSON");
  const heard = parts.read(header(request, "x-github-event") ?? "", payload.value);
  if (heard === null) return answer(reply, 202, "this event is nothing to Dogwatch");
  // What is not done when the time is up goes on, and is found again by asking if this gateway ends before it does.
  const hearing = parts.hear(heard).catch((error: unknown) => {
    request.log.warn({ err: error }, "a delivery could not be dealt with");
    return error instanceof GatewayError ? ("unavailable" as const) : ("broken" as const);
  });
  return outcomeAnswer(reply, await Promise.race([hearing, sleep(answerWithin, null, { ref: false })]));
}

function outcomeAnswer(reply: FastifyReply, outcome: Outcome | "unavailable" | "broken" | null): FastifyReply {
  switch (outcome) {
    case "done":
      return answer(reply, 200, "heard");
    case "ignored":
      return answer(reply, 202, "this is about no approval");
    case "later":
    case null:
      return answer(reply, 202, "heard, and not dealt with yet");
    case "unavailable":
      return answer(reply, 503, "the database does not answer; comments and buttons are looked for again");
    case "broken":
      return answer(reply, 500, "something is broken in the gateway; its log says what");
    default:
      return outcome satisfies never;
  }
}

const answer = (reply: FastifyReply, status: number, said: string): FastifyReply =>
  reply.code(status).header("cache-control", "no-store").send({ message: said });

const header = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
};

/** Both content types that a webhook can be set to; null for anything else. */
function payloadIn(request: FastifyRequest): { readonly value: unknown } | null {
  const text = bodyOf(request).toString("utf8");
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(header(request, "content-type") ?? "");
  const json = isForm ? new URLSearchParams(text).get("payload") : text;
  try {
    return { value: JSON.parse(json ?? "") as unknown };
  } catch {
    return null;
  }
}
