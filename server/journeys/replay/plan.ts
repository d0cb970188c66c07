/** What is sent for one recorded call, or why nothing is: with the ids of here, made-up values for masked ones, to the same host of the sandbox's site. */

import { type Catalogue, lookUp } from "../../datadog/catalogue.ts";
import { hostOfPrefix, prefixOfHost, sites } from "../../datadog/hosts.ts";
import { codingsOf, decodeCodings, encodeCodings } from "../../model/coding.ts";
import { readTree } from "../../model/jsonTree.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList, StoredCall } from "../../model/receipt.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { maskHeaderValue, maskPathText, maskQuery } from "../../stages/mask/beside.ts";
import type { Masking } from "../../stages/mask/masking.ts";
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
import type { StandIns, Written } from "./standIns.ts";
import { maskedAgain, maskingIn, unmask } from "./unmask.ts";

/** What stays the same from call to call of one replay. */
export type Planning = {
  readonly catalogue: Catalogue;
  readonly resources: Resources;
  readonly ids: Ids;
  readonly standIns: StandIns;
  /** Of the sandbox. */
  readonly site: string;
};

/** A recorded call that is known for what it is. */
export type Known = { readonly operation: Operation; readonly subject: Subject };
/** `sent`: every string and number of its body. `remark`: what whoever reads its outcome has to know of it; empty where there is nothing. */
export type Planned = Known & {
  readonly sending: Sending;
  readonly sent: ReadonlySet<string>;
  readonly remark: string;
};

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
  const rewriting: Rewriting = { ...planning, operation, status: call.status, strange: new Set() };
  const masking = maskingIn(planning.standIns, call, operation);
  const target = await unmaskTarget(planning, call, masking);
  if (isUnsendable(target)) return target;
  const path = rewritePath(rewriting, target.path);
  if (typeof path !== "string") return path;
  const query = rewriteQuery(rewriting, target.query);
  if (typeof query !== "string") return query;
  const headers = await unmaskHeaders(planning, call.request.headers, masking);
  if (isUnsendable(headers)) return headers;
  const body = await planBody({ planning, rewriting, headers, masking }, request);
  if (isUnsendable(body)) return body;
  return {
    operation,
    subject,
    sending: { method: call.method, host, path, query, headers, body: body.bytes },
    sent: body.sent,
    remark: remarkOn(operation, rewriting.strange),
  };
}

const mostNamed = 3;

/** A thing that only chance gave the same id may be meant here: what changes something by it says so. */
function remarkOn({ access }: Operation, strange: ReadonlySet<string>): string {
  if (access === "read" || access === "submit" || strange.size === 0) return "";
  const more = strange.size > mostNamed ? ` and ${strange.size - mostNamed} more` : "";
  return `its body names ${[...strange].slice(0, mostNamed).join(", ")}${more}, which no call of the session created: sent as it was`;
}

async function unmaskTarget(
  { standIns }: Planning,
  call: Pick<StoredCall, "path" | "query">,
  masking: Masking,
): Promise<Pick<StoredCall, "path" | "query"> | Unsendable> {
  const path = await unmask(standIns, {
    text: call.path,
    written: "query",
    again: (text) => maskPathText(masking, text, []),
  });
  if (path === null) return notRestored("its path");
  const query = await unmask(standIns, {
    text: call.query,
    written: "query",
    again: (text) => maskQuery(masking, text, []),
  });
  return query === null ? notRestored("its query") : { path, query };
}

/** What a header field may hold: anything else would end it (RFC 9110 §5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

async function unmaskHeaders(
  { standIns }: Planning,
  recorded: HeaderList,
  masking: Masking,
): Promise<HeaderList | Unsendable> {
  const headers: [string, string][] = [];
  for (const [name, text] of recorded) {
    const again = (value: string): string => maskHeaderValue(masking, { name, value }, []);
    const value = await unmask(standIns, { text, written: "plain", again });
    if (value === null || !fieldValue.test(value)) return notRestored(`its header field ${name}`);
    headers.push([name, value]);
  }
  return headers;
}

const notRestored = (where: string): Unsendable => ({
  outcome: "failed",
  reason: `what masks hide in ${where} cannot be put back: no mask in force would hide that very value there`,
});

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

type BodyPlanning = {
  readonly planning: Planning;
  readonly rewriting: Rewriting;
  readonly headers: HeaderList;
  readonly masking: Masking;
};

type PlannedBody = { readonly bytes: Buffer | null; readonly sent: ReadonlySet<string> };

const nothingSent: ReadonlySet<string> = new Set();

async function planBody(
  { planning, rewriting, headers, masking }: BodyPlanning,
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
  const again = maskedAgain(masking, "request", headers);
  const written = await unmask(planning.standIns, { text, written: writingOf(text, headers), again });
  if (written === null) return notRestored("its body");
  const tree = readTree(written);
  const changed = tree === null ? written : rewriteBody(rewriting, written, tree);
  if (typeof changed !== "string") return changed;
  const sent = tree === null ? nothingSent : new Set([...scalarsOf(tree)].map(([node]) => textOf(node)));
  return { bytes: changed === text ? request.bytes : await encodeCodings(Buffer.from(changed, "utf8"), codings), sent };
}
