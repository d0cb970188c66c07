/**
 * One call's journey, from its caller's first byte to the last one of its answer.
 * Nothing is forwarded without a decision and nothing answered without a receipt.
 */

import { type Stripped, takeTokens } from "../datadog/credentials.ts";
import { hostOfPrefix } from "../datadog/hosts.ts";
import { isRefusal, refuse } from "../errors.ts";
import type { Operation } from "../model/operation.ts";
import type { HeaderList } from "../model/receipt.ts";
import { classify } from "../stages/classify/classify.ts";
import { RequestAborted, bodyOf } from "../stages/forward/requestBody.ts";
import { forwardCall } from "./call/forward.ts";
import { judge, unjudged } from "./call/judge.ts";
import type { Call, CallParts, Incoming, Route } from "./call/parts.ts";
import { refuseCall, turnAway } from "./call/refuse.ts";

export async function passCall(parts: CallParts, incoming: Incoming): Promise<void> {
  const received_at = parts.now();
  const presented = takeTokens({ headers: headersOf(incoming), ...split(incoming.target) });
  const grant = await parts.present(presented.tokens);
  if (isRefusal(grant)) return turnAway(parts, { incoming, presented }, grant);
  if (strays(presented)) return turnAway(parts, { incoming, presented: withoutTokens(presented) }, tokenAstray);
  const connection = parts.connection(grant.connection);
  if (connection === undefined)
    return turnAway(
      parts,
      { incoming, presented },
      refuse("session_closed", `connection ${grant.connection} is not configured any more`),
    );

  const host = hostOf(incoming.route, connection.site);
  const call: Call = { parts, incoming, grant, connection, host, presented, received_at };
  const operation = classify(parts.catalogue, {
    ...presented,
    site: connection.site,
    host,
    method: methodOf(incoming),
  });
  if (isRefusal(operation))
    return refuseCall(call, unjudged(call, nothingKnown(call), unread(operation.message)), operation);

  const judgement = await judge(call, operation).catch((error: unknown) => {
    if (!(error instanceof RequestAborted)) throw error;
    return {
      judged: unjudged(call, operation, unread(error.message)),
      refusal: refuse("request_malformed", error.message),
    };
  });
  if (judgement.refusal !== null) return refuseCall(call, judgement.judged, judgement.refusal);
  return forwardCall(call, judgement.judged);
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

/** The session token stands in a place that would be forwarded or recorded. */
const strays = (presented: Stripped): boolean =>
  presented.tokens.some(
    (token) =>
      presented.path.includes(token) ||
      presented.query.includes(token) ||
      presented.headers.some(([, value]) => value.includes(token)),
  );

const withoutTokens = (presented: Stripped): Stripped => ({
  ...presented,
  path: "(a request that holds its token outside the token slots)",
});

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
