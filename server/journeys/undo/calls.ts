/** What a session did that could be undone: its writes, what became of each, which resources they touched, and the reads that show those. */

import { GatewayError, isRefusal } from "../../errors.ts";
import { prefixOfHost } from "../../datadog/hosts.ts";
import type { Kind } from "../../datadog/inverse.ts";
import { readJson, UnreadableJson } from "../../model/json.ts";
import type { StoredBodyMeta, StoredCall } from "../../model/receipt.ts";
import { plainBytes } from "../../stages/decide/inspect.ts";
import { everyCall } from "../everyCall.ts";
import { inCall, readAll, type HistoryParts, type Side } from "../history.ts";
import { isUnknown, type Unknown, type Version, versionIn } from "./document.ts";
import type { Hidden } from "./hidden.ts";
import { resourceName, type ResourceName } from "./references.ts";
import type { Requests, Role } from "./requests.ts";

/** `none`: nothing happened. `unknown`: it may have. */
export type Outcome =
  | { readonly kind: "applied" }
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

export type Touch = {
  readonly kind: Kind;
  readonly id: string;
  readonly effect: "created" | "changed" | "removed";
  /** Right after it, as its answer says; unknown where the answer does not. */
  readonly after: Version | Unknown;
};

export type Write = {
  readonly call: StoredCall;
  readonly outcome: Outcome;
  /** `why`: it has no known inverse, or does not say what it touched. */
  readonly touched: readonly Touch[] | Unknown;
};

/** As much of a read as is needed: a session may have very many. */
export type Shown = Pick<StoredCall, "session_id" | "n" | "status" | "forwarded_at" | "done_at"> & {
  readonly response: Pick<NonNullable<StoredCall["response"]>, "body"> | null;
};

export type Doings = {
  /** In their order. */
  readonly writes: readonly Write[];
  /** Complete reads of one resource, by what they show. */
  readonly reads: ReadonlyMap<ResourceName, readonly Shown[]>;
};

export type CallsParts = Pick<HistoryParts, "receipts"> & {
  readonly hidden: Hidden;
  /** Takes from what may be read for one plan; false when that is used up. */
  mayRead(bytes: number): boolean;
};

/** More than that is nothing that somebody looks through before it is undone. */
export const mostWrites = 500;
/** Calls that are in memory at a time, at most. */
export const atOnce = 200;

export async function readDoings(
  parts: CallsParts,
  requests: Requests,
  session: { readonly id: string; readonly site: string },
): Promise<Doings | Unknown> {
  const writes: Write[] = [];
  const reads = new Map<ResourceName, Shown[]>();
  for await (const call of everyCall(parts, session.id, atOnce)) {
    // Keys in a path are masked; whatever host it was sent to, only one of the site's API hosts has these resources.
    const known = prefixOfHost(session.site, call.host) === undefined ? null : requests.read(call);
    const shown = known === null ? null : requests.known(known);
    if (known !== null && shown?.role === "show") {
      const id = requests.idIn(shown.kind, known);
      if (id !== null && isWhole(call)) {
        const name = resourceName({ kind: shown.kind, id });
        const { session_id, n, status, forwarded_at, done_at, response } = call;
        const read = { session_id, n, status, forwarded_at, done_at, response: response && { body: response.body } };
        const before = reads.get(name);
        if (before === undefined) reads.set(name, [read]);
        else before.push(read);
      }
    } else if (changes(call)) {
      if (writes.length === mostWrites) return { why: `it has more than ${mostWrites} writes` };
      const outcome = outcomeOf(call);
      const touched = outcome.kind === "none" ? [] : await touchedBy(parts, requests, call);
      writes.push({ call, outcome, touched });
    }
  }
  return { writes, reads };
}

const changes = ({ access, method }: StoredCall): boolean =>
  access === "unknown" ? method !== "GET" && method !== "HEAD" : access !== "read";

/** Datadog's own answer, all of it. */
const isWhole = ({ state, status, error_code, method }: StoredCall): boolean =>
  state === "closed" && error_code === null && (status === 200 || status === 404) && method === "GET";

export function outcomeOf({ state, status, error_code, forwarded_at, first_byte_at }: StoredCall): Outcome {
  switch (state) {
    case "refused":
      return { kind: "none", why: "it was refused, and nothing was sent" };
    case "open":
      return { kind: "unknown", why: "it is not over" };
    case "indeterminate":
      return { kind: "unknown", why: "it was sent, and nobody can say what it did" };
    case "closed":
      break;
    default:
      return state satisfies never;
  }
  // A connection that broke in the middle of an answer has the same code.
  const unsent = error_code === "upstream_unreachable" && first_byte_at === null;
  if (forwarded_at === null || unsent) return { kind: "none", why: "nothing was sent" };
  if (error_code === "response_blocked" || status === null)
    return { kind: "unknown", why: "it was sent, and its answer is not recorded" };
  if (status < 300) return { kind: "applied" };
  if (status >= 500) return { kind: "unknown", why: `Datadog answered ${status}, which does not say what happened` };
  return { kind: "none", why: `Datadog answered ${status} and changed nothing` };
}

/** The resources that a write was about. */
async function touchedBy(parts: CallsParts, requests: Requests, call: StoredCall): Promise<readonly Touch[] | Unknown> {
  if (call.access === "submit") return { why: "what was submitted stays: telemetry is not taken back" };
  const operation = requests.read(call);
  const known = operation === null ? null : requests.known(operation);
  if (operation === null || known === null) return { why: "nothing is known that would take this operation back" };
  const { kind, role } = known;
  switch (role) {
    case "create": {
      const after = await versionAfter(parts, call, kind);
      if (isUnknown(after)) return { why: `its answer does not tell what was made: ${after.why}` };
      return [{ kind, id: after.id, effect: "created", after }];
    }
    case "change":
    case "remove": {
      const id = requests.idIn(kind, operation);
      if (id === null) return { why: `its path names no ${kind.noun}` };
      const after = role === "remove" ? removed : await versionAfter(parts, call, kind);
      return [{ kind, id, effect: role === "remove" ? "removed" : "changed", after: ofThat(after, id) }];
    }
    case "restore":
    case "removeSeveral":
      return severalIn(parts, call, { kind, role });
    case "show":
      throw new Error(`${call.operation} shows and does not change`);
    default:
      return role satisfies never;
  }
}

const removed: Unknown = { why: "it was removed" };

const ofThat = (version: Version | Unknown, id: string): Version | Unknown =>
  isUnknown(version) || version.id === id ? version : { why: "its answer is about another one" };

async function versionAfter(parts: CallsParts, call: StoredCall, kind: Kind): Promise<Version | Unknown> {
  const text = await bodyText(parts, call, "response");
  return typeof text === "string" ? versionIn(kind, text, parts.hidden) : text;
}

/** `{data: [{id, type}]}` */
async function severalIn(
  parts: CallsParts,
  call: StoredCall,
  { kind, role }: { readonly kind: Kind; readonly role: Role },
): Promise<readonly Touch[] | Unknown> {
  const text = await bodyText(parts, call, "request");
  if (typeof text !== "string") return { why: `what it was about is not known: ${text.why}` };
  const ids = idsIn(text);
  if (ids === null || !ids.every((id) => kind.id.test(id))) return { why: "what it was about is not known" };
  const effect = role === "restore" ? "created" : "removed";
  const after = role === "restore" ? { why: "its answer does not show it" } : removed;
  return [...new Set(ids)].map((id) => ({ kind, id, effect, after }));
}

function idsIn(text: string): readonly string[] | null {
  try {
    const body = readJson(text);
    const data: unknown = body instanceof Map ? body.get("data") : null;
    if (!Array.isArray(data)) return null;
    const ids = data.map((item: unknown): unknown => (item instanceof Map ? item.get("id") : null));
    return ids.every((id) => typeof id === "string") ? ids : null;
  } catch (error) {
    if (error instanceof UnreadableJson) return null;
    throw error;
  }
}

/** The whole body as text, or why there is none. */
export async function bodyText(
  { receipts, mayRead }: CallsParts,
  call: Pick<StoredCall, "session_id" | "n"> & {
    readonly [side in Side]?: { readonly body: StoredBodyMeta | null } | null;
  },
  side: Side,
): Promise<string | Unknown> {
  const meta = call[side]?.body ?? null;
  if (meta === null) return { why: "it has no body" };
  if (meta.withheld !== undefined) return { why: `its body is not recorded: ${meta.withheld}` };
  if (meta.truncated) return { why: "its body is not recorded as a whole" };
  if (meta.expired) return { why: "its body has expired (retention.bodies)" };
  if (meta.size > inCall) return { why: `its body is larger than ${inCall} bytes` };
  const stored = await receipts.body(call.session_id, call.n, side);
  if (stored === null || stored.stream === null) return { why: "its body is not recorded any more" };
  try {
    const plain = await plainBytes(
      await readAll(stored.stream),
      meta.encoding === null ? [] : [["content-encoding", meta.encoding]],
      { inspect: inCall },
    );
    if (isRefusal(plain)) return { why: "its body is too large once it is decoded" };
    if (!Buffer.isBuffer(plain)) return { why: plain.unevaluable };
    if (!mayRead(plain.length))
      return { why: "what the session read and wrote is more than is looked at for one plan" };
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    return { why: "its body is no text" };
  }
}
