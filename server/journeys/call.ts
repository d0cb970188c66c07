/**
 * One call's journey, from its caller's first byte to the last one of its answer.
 * Nothing is forwarded without a decision and nothing answered without a receipt.
 */

import { type Stripped, takeTokens } from "../datadog/credentials.ts";
import { hostOfPrefix } from "../datadog/hosts.ts";
import { GatewayError, type Refusal, isRefusal, refuse } from "../errors.ts";
import type { Operation } from "../model/operation.ts";
import type { HeaderList } from "../model/receipt.ts";
import { sessionTokensIn } from "../stages/authenticate/sessionToken.ts";
import { classify } from "../stages/classify/classify.ts";
import { RequestAborted, type bodyOf } from "../stages/forward/requestBody.ts";
import { escalateCall } from "./call/escalate.ts";
import { forwardCall } from "./call/forward.ts";
import { judge, unjudged } from "./call/judge.ts";
import type { Call, CallParts, Incoming, Route } from "./call/parts.ts";
import { recordDeparture, refuseCall, turnAway } from "./call/refuse.ts";

export async function passCall(parts: CallParts, incoming: Incoming): Promise<void> {
  const received = receive(parts, incoming);
  const call = await authenticate(parts, received);
  if (isRefusal(call)) return turnAway(parts, received, call);
  const operation = operationOf(call);
  if (isRefusal(operation)) return refuseUnread(call, operation);
  const judgement = await judge(call, operation).catch(nullWhenGone);
  if (judgement === null) return recordDeparture(call, unjudged(call, operation, unread("the client went away")));
  const { judged, refusal, release } = judgement;
  try {
    if (refusal === null) await forwardCall(call, judged);
    else if (refusal.code === "approval_required") await escalateCall(call, judged);
    else await refuseCall(call, judged, refusal);
  } finally {
    release();
  }
}

type Received = Pick<Call, "incoming" | "presented" | "received_at">;

const receive = (parts: CallParts, incoming: Incoming): Received => ({
  incoming,
  presented: takeTokens({ headers: headersOf(incoming), ...split(incoming.target) }),
  received_at: parts.now(),
});

async function authenticate(parts: CallParts, received: Received): Promise<Call | Refusal> {
  const grant = await parts.present(received.presented.tokens).catch(notKnown);
  if (isRefusal(grant)) return grant;
  const connection = parts.connection(grant.connection);
  if (connection === undefined)
    return refuse("session_closed", `connection ${grant.connection} is not configured any more`);
  return { ...received, parts, grant, connection, host: hostOf(received.incoming.route, connection.site) };
}

function operationOf({ parts, presented, connection, host, incoming }: Call): Operation | Refusal {
  if (scrub(presented) !== presented) return tokenAstray;
  return classify(parts.catalogue, { ...presented, site: connection.site, host, method: methodOf(incoming) });
}

/** Refused for its head alone. A token that stands in it is not written down. */
function refuseUnread(call: Call, refusal: Refusal): Promise<void> {
  const scrubbed = { ...call, presented: scrub(call.presented) };
  return refuseCall(scrubbed, unjudged(scrubbed, nothingKnown(scrubbed), unread(refusal.message)), refusal);
}

function nullWhenGone(error: unknown): null {
  if (error instanceof RequestAborted) return null;
  throw error;
}

/** Whose token it is could not be looked up, so nothing is done with it. */
function notKnown(error: unknown): Refusal {
  if (!(error instanceof GatewayError)) throw error;
  return refuse(error.code, `${error.message}; nothing was sent`);
}

function hostOf(route: Route, site: string): string {
  switch (route.kind) {
    case "api":
      return `api.${site}`;
    case "host":
      return route.host;
    case "prefix":
      return hostOfPrefix(site, route.prefix) ?? `${route.prefix}.${site}`;
    default:
      return route satisfies never;
  }
}

/** Path and query of a request target (RFC 9112 §3.2.1), byte for byte. */
function split(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf("?");
  return mark === -1 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** In the order and spelling in which they came. */
function headersOf(incoming: Incoming): HeaderList {
  const raw = incoming.request.rawHeaders;
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) list.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  return list;
}

const methodOf = (incoming: Incoming): string => incoming.request.method ?? "";

/**
 * Without the session tokens, the caller's or others, that stand where they would be forwarded or recorded; the same object when there
 * is none.
 */
function scrub(presented: Stripped): Stripped {
  const { path, query, headers } = presented;
  if (![path, query, ...headers.map(([, value]) => value)].some((text) => text.search(sessionTokensIn) !== -1))
    return presented;
  const clean = (text: string): string => text.replaceAll(sessionTokensIn, "{token}");
  return {
    ...presented,
    path: clean(path),
    query: clean(query),
    headers: headers.map(([name, value]) => [name, clean(value)]),
  };
}

const tokenAstray = refuse(
  "request_malformed",
  "the session token stands outside the token slots (Authorization: Bearer, DD-API-KEY, DD-APPLICATION-KEY, api_key, application_key)",
);

/** A body that nobody reads, because the call ends before. */
const unread = (reason: string): { readonly body: ReturnType<typeof bodyOf>; readonly reason: string } => ({
  body: { prefix: Buffer.alloc(0), rest: null },
  reason,
});

/** What stands in the receipt of a request that could not even be classified. */
const nothingKnown = (call: Call): Operation => ({
  id: "unknown",
  name: "unknown",
  api: "unknown",
  version: "",
  access: "unknown",
  method: methodOf(call.incoming),
  path: call.presented.path,
  known: false,
  params: {},
});
