/** GitHub's deliveries at the door: signed or turned away unread, whatever their form, however often. */

import { createHmac } from "node:crypto";
import { request } from "node:http";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GatewayError } from "../../server/errors.ts";
import { readDelivery } from "../../server/github/heard.ts";
import { verifySignature } from "../../server/github/signature.ts";
import { registerWebhooks } from "../../server/http/webhooks.ts";
import type { Outcome } from "../../server/journeys/approval/hear/parts.ts";
import type { AuditEvent } from "../../server/model/audit.ts";
import { Secret } from "../../server/model/connection.ts";
import type { Heard } from "../../server/model/github.ts";

const secret = "the webhook's secret";
const comment = {
  action: "created",
  comment: {
    id: 815,
    user: { login: "octocat", id: 7 },
    body: "/approve K7M2Q9XZ",
    created_at: "2026-11-23T03:01:00Z",
    updated_at: "2026-11-23T03:01:00Z",
    html_url: "https://github.com/acme/app/pull/7#discussion_r815",
    in_reply_to_id: 50,
  },
  pull_request: { number: 7 },
  repository: { id: 70, full_name: "acme/app" },
};
const body = JSON.stringify(comment);

let app: FastifyInstance;
let url: string;
let heard: Heard[];
let audited: AuditEvent[];
let parsed: number;
let outcome: () => Promise<Outcome>;

beforeEach(async () => {
  heard = [];
  audited = [];
  parsed = 0;
  outcome = () => Promise.resolve("done");
  app = Fastify({ logger: false, bodyLimit: 1024 });
  await app.register(async (scope) =>
    registerWebhooks(scope, {
      verify: (bytes, signature) => verifySignature(new Secret(secret), bytes, signature),
      read: (event, payload) => {
        parsed += 1;
        return readDelivery(event, payload, "4711");
      },
      hear: (one) => {
        heard.push(one);
        return outcome();
      },
      audit: (event) => audited.push(event),
    }),
  );
  url = await app.listen({ port: 0, host: "127.0.0.1" });
});
afterEach(() => app.close());

const signatureOf = (text: string | Buffer): string =>
  `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;

const deliver = (text: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${url}/webhooks/github`, {
    method: "POST",
    body: text,
    headers: {
      "content-type": "application/json",
      "x-github-event": "pull_request_review_comment",
      "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "x-hub-signature-256": signatureOf(text),
      ...headers,
    },
  });

/** Sends a head and no body, and goes when it was answered. */
const begin = (headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}/webhooks/github`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    sent.flushHeaders();
  });

test("a signed delivery is heard, and answered when it is dealt with", async () => {
  const response = await deliver(body);
  expect(response.status).toBe(200);
  expect(heard).toEqual([
    {
      kind: "comment",
      repository: { repository_id: "70", repository: "acme/app" },
      action: "created",
      place: "review_comment",
      comment: {
        id: 815,
        author: "octocat",
        author_id: 7,
        body: "/approve K7M2Q9XZ",
        created_at: "2026-11-23T03:01:00Z",
        updated_at: "2026-11-23T03:01:00Z",
        in_reply_to: 50,
        number: 7,
        url: comment.comment.html_url,
      },
    },
  ]);
});

test("a form says the same", async () => {
  const form = new URLSearchParams({ payload: body }).toString();
  const response = await deliver(form, { "content-type": "application/x-www-form-urlencoded" });
  expect(response.status).toBe(200);
  expect(heard).toMatchObject([{ kind: "comment", comment: { id: 815 } }]);
});

test.each<[string, Record<string, string>]>([
  ["no signature", { "x-hub-signature-256": "" }],
  ["a signature with another secret", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }],
  ["the signature of another body", { "x-hub-signature-256": signatureOf(`${body} `) }],
  [
    "an old SHA-1 signature",
    { "x-hub-signature-256": "", "x-hub-signature": `sha1=${createHmac("sha1", secret).update(body).digest("hex")}` },
  ],
  ["two signatures", { "x-hub-signature-256": `${signatureOf(body)}, ${signatureOf(body)}` }],
  ["a signature in capitals", { "x-hub-signature-256": signatureOf(body).toUpperCase() }],
])("with %s nothing is parsed, and it is on record", async (_what, headers) => {
  const response = await deliver(body, headers);
  expect(response.status).toBe(401);
  expect(parsed).toBe(0);
  expect(heard).toEqual([]);
  expect(audited).toEqual([
    {
      kind: "request_refused",
      who: "127.0.0.1",
      what: "POST /webhooks/github",
      reason: "the signature is missing or wrong",
    },
  ]);
});

test("one changed byte is another body", async () => {
  const response = await deliver(body.replace("K7M2", "K7M3"), { "x-hub-signature-256": signatureOf(body) });
  expect(response.status).toBe(401);
});

test("an empty body is nobody's, signed as it may be", async () => {
  expect((await deliver("", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` })).status).toBe(401);
  expect((await deliver("")).status).toBe(400);
});

test.each([
  ["ping", '{"zen":"Keep it logically awesome."}'],
  ["workflow_run", '{"action":"completed"}'],
  ["", body],
  ["__proto__", body],
  ["pull_request_review_comment", '{"action":"created"}'],
  ["pull_request_review_comment", "null"],
  ["check_run", "[]"],
])("the event %j with %s is nothing to us", async (event, text) => {
  expect((await deliver(text, { "x-github-event": event })).status).toBe(202);
  expect(heard).toEqual([]);
});

test.each(["{", "payload=%7B", "\u0000", "undefined"])("%j is signed and no JSON", async (text) => {
  expect((await deliver(text)).status).toBe(400);
  expect(heard).toEqual([]);
});

test("a payload of some megabytes is read, one of more than GitHub sends is not", async () => {
  const large = JSON.stringify({ ...comment, padding: "x".repeat(5 * 1024 * 1024) });
  expect((await deliver(large)).status).toBe(200);
  expect(await begin({ "content-length": String(25 * 1024 * 1024 + 1) })).toBe(413);
});

test("who does not say how much comes is turned away", async () => {
  expect(await begin({ "transfer-encoding": "chunked" })).toBe(411);
});

test("bodies that only begin hold no more memory than is set aside, and give it back", async () => {
  const begun = Array.from({ length: 4 }, () =>
    request(`${url}/webhooks/github`, {
      method: "POST",
      headers: { "content-length": String(25 * 1024 * 1024), "content-type": "application/json" },
    }),
  );
  for (const one of begun) {
    one.on("error", () => undefined);
    one.flushHeaders();
  }
  await expect.poll(async () => (await deliver(body)).status).toBe(503);
  for (const one of begun) one.destroy();
  await expect.poll(async () => (await deliver(body)).status).toBe(200);
});

test("wrong signatures are answered one by one up to a limit, and right ones always", async () => {
  const wrong = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
  const statuses: number[] = [];
  for (let i = 0; i < 70; i++) statuses.push((await deliver(body, wrong)).status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(60);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  expect(audited).toHaveLength(60);
  expect((await deliver(body)).status).toBe(200);
});

test("GitHub hears when it could not be dealt with", async () => {
  outcome = () => Promise.resolve("later");
  expect((await deliver(body)).status).toBe(202);
  outcome = () => Promise.reject(new GatewayError("recording_unavailable", "the database did not answer"));
  expect((await deliver(body)).status).toBe(503);
  outcome = () => Promise.reject(new TypeError("a mistake"));
  expect((await deliver(body)).status).toBe(500);
});

test("what takes longer than GitHub waits is answered before it is done", async () => {
  outcome = () => new Promise(() => undefined);
  const response = await deliver(body);
  expect(response.status).toBe(202);
  expect(await response.json()).toEqual({ message: "heard, and not dealt with yet" });
});

test.each(["GET", "PUT", "DELETE"])("%s is not served", async (method) => {
  expect((await fetch(`${url}/webhooks/github`, { method })).status).toBe(404);
});
