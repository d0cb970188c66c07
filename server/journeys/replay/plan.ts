/** What is sent for one recorded call, or why nothing is: with the ids of here, made-up values for masked ones, to the same host of the sandbox's site. */

import { type Catalogue, lookUp } from "../../datadog/catalogue.ts";
import { hostOfPrefix, prefixOfHost, sites } from "../../datadog/hosts.ts";
import { codingsOf, decodeCodings, encodeCodings } from "../../model/coding.ts";
import { readTree } from "../../model/jsonTree.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList, StoredCall } from "../../model/receipt.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import type { Ids } from "./ids.ts";
import { scalarsOf, type Subject, textOf } from "./places.ts";
import { largestRead, type RecordedBytes, type RecordedCall } from "./recorded.ts";
import type { Resources } from "./resources.ts";
import {
  isUnsendable,
  subjectOf,
  rewriteBody,
  rewritePath,
  rewriteQuery,
  type Rewriting,
  type Unsendable,
} from "./rewrite.ts";
import type { Sending } from "./send.ts";
import { type StandIns, withStandIns, type Written } from "./standIns.ts";

/** What stays the same from call to call of one replay. */
export type Planning = {
  readonly catalogue: Catalogue;
  readonly resources: Resources;
  readonly ids: Ids;
  readonly standIns: StandIns;
  /** Of the sandbox. */
  readonly site: string;
};

/** A recorded call that is known for what it is. `sent`: every string and number of its body. */
export type Known = { readonly operation: Operation; readonly subject: Subject };
export type Planned = Known & { readonly sending: Sending; readonly sent: ReadonlySet<string> };

/** Null where the host is none of Datadog's that are known. */
export function known({ catalogue, resources, ids }: Planning, { host, method, path }: StoredCall): Known | null {
  const prefix = prefixIn(host);
  if (prefix === undefined) return null;
  const operation = lookUp(catalogue, prefix, { method, path });
  return { operation, subject: subjectOf({ resources, ids, operation }) };
}

export async function plan(
  planning: Planning,
  { call, request }: RecordedCall,
  { operation, subject }: Known,
): Promise<Planned | Unsendable> {
  const unsent = notSentThen(call);
  if (unsent !== null) return skipped(unsent);
  if (!operation.known && operation.access !== "read" && call.method !== "GET")
    return skipped("an operation that the catalogue does not know: nobody can tell which ids are in it");
  const host = hostOfPrefix(planning.site, prefixIn(call.host) ?? "");
  if (host === undefined) return skipped(`${planning.site} has no such host as ${call.host}`);
  const rewriting: Rewriting = { ...planning, operation, status: call.status };
  const path = rewritePath(rewriting, withStandIns(call.path, planning.standIns, "query"));
  if (typeof path !== "string") return path;
  const query = rewriteQuery(rewriting, withStandIns(call.query, planning.standIns, "query"));
  if (typeof query !== "string") return query;
  const headers = call.request.headers.map(
    ([name, value]) => [name, withStandIns(value, planning.standIns, "plain")] as const,
  );
  const body = await planBody({ planning, rewriting, headers }, request);
  if (isUnsendable(body)) return body;
  return {
    operation,
    subject,
    sending: { method: call.method, host, path, query, headers, body: body.bytes },
    sent: body.sent,
  };
}

const skipped = (reason: string): Unsendable => ({ outcome: "skipped", reason });

/** Null for what went to Datadog, whatever came of it. */
function notSentThen({ state, error, error_code, forwarded_at }: StoredCall): string | null {
  switch (state) {
    case "open":
      return "it has not ended yet";
    case "refused":
      return `it was not sent then: ${error ?? error_code ?? "it was refused"}`;
    case "indeterminate":
      return null;
    case "closed":
      return forwarded_at === null || error_code === "upstream_unreachable"
        ? `it was not sent then: ${error ?? "its caller went away"}`
        : null;
    default:
      return state satisfies never;
  }
}

const prefixIn = (host: string): string | undefined =>
  sites.map((site) => prefixOfHost(site, host)).find((prefix) => prefix !== undefined);

/** How a value is written in this body. */
function writingOf(text: string, headers: HeaderList): Written {
  if (/^\s*[[{"]/.test(text)) return "json";
  return /^application\/x-www-form-urlencoded\b/i.test(headerOf(headers, "content-type") ?? "") ? "query" : "plain";
}

type BodyPlanning = { readonly planning: Planning; readonly rewriting: Rewriting; readonly headers: HeaderList };

type PlannedBody = { readonly bytes: Buffer | null; readonly sent: ReadonlySet<string> };

const nothingSent: ReadonlySet<string> = new Set();

async function planBody(
  { planning, rewriting, headers }: BodyPlanning,
  request: RecordedBytes | null,
): Promise<PlannedBody | Unsendable> {
  if (request === null) return { bytes: null, sent: nothingSent };
  if (request.bytes === null) return { outcome: "failed", reason: `its body cannot be sent again: ${request.missing}` };
  const asItWas = { bytes: request.bytes, sent: nothingSent };
  const codings = codingsOf(headers);
  const decoded = await decodeCodings(request.bytes, codings, largestRead);
  const { access } = rewriting.operation;
  // Telemetry holds no ids of things; in what changes something they have to be found.
  if (!Buffer.isBuffer(decoded))
    return access === "submit"
      ? asItWas
      : { outcome: "failed", reason: `no ids can be looked for in its body: ${decoded.says}` };
  const text = decoded.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(decoded)) return asItWas;
  const written = withStandIns(text, planning.standIns, writingOf(text, headers));
  const tree = readTree(written);
  const changed = tree === null ? written : rewriteBody(rewriting, written, tree);
  if (typeof changed !== "string") return changed;
  const sent = tree === null ? nothingSent : new Set([...scalarsOf(tree)].map(([node]) => textOf(node)));
  return { bytes: changed === text ? request.bytes : await encodeCodings(Buffer.from(changed, "utf8"), codings), sent };
}
