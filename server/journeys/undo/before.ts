/** What was there before a session touched a resource, and what it left: from its recordings alone. What they do not show is not known. */

import type { Kind } from "../../datadog/inverse.ts";
import type { CallNumber, StoredCall } from "../../model/receipt.ts";
import { bodyText, type CallsParts, type Doings, type Shown, type Touch } from "./calls.ts";
import { isUnknown, type Unknown, type Version, versionIn } from "./document.ts";
import { resourceName } from "./references.ts";

/** One state of a resource; `from`: the call that shows it, `at`: when it had. */
export type State =
  | (Pick<Version, "content" | "erased"> & {
      readonly kind: "there";
      readonly from: CallNumber;
      readonly at: Date | null;
    })
  | { readonly kind: "absent" };

/** A touch of one resource by one call. */
export type Touching = Touch & { readonly call: StoredCall };

/** `previous`: the write of the session that was about it before. */
type Beginning = { readonly touch: Touching; readonly previous: Touching | null };

/**
 * The last thing that the session saw before it touched the resource: a read, or its own write before. The look that the gateway takes before it
 * asks people is a read of the session.
 */
export async function stateBefore(
  parts: CallsParts,
  { reads }: Doings,
  { touch, previous }: Beginning,
): Promise<State | Unknown> {
  if (touch.effect === "created") return { kind: "absent" };
  const { kind, id, call } = touch;
  const since = previous?.call.done_at ?? null;
  // By the time at which it was over and not by its number: a read and a write may have been on their way together.
  const last = (reads.get(resourceName({ kind, id })) ?? []).findLast(
    ({ forwarded_at, done_at }) =>
      isBefore(done_at, call.forwarded_at) && (previous === null || isBefore(since, forwarded_at)),
  );
  if (last === undefined && previous !== null && !isUnknown(previous.after))
    return there(previous.after, previous.call);
  if (last === undefined)
    return { why: `nothing in this session read the ${kind.noun} before call ${call.n} changed it` };
  const shown = await stateShown(parts, kind, { read: last, id });
  return !isUnknown(shown) && shown.kind === "absent"
    ? { why: `call ${last.n} found nothing there, and call ${call.n} changed it all the same` }
    : shown;
}

const isBefore = (one: Date | null, other: Date | null): boolean => one !== null && other !== null && one <= other;

const there = (
  { content, erased }: Version,
  { session_id, n, done_at }: Pick<StoredCall, "session_id" | "n" | "done_at">,
): State => ({
  kind: "there",
  content,
  erased,
  from: { session_id, n },
  at: done_at,
});

/** What the session left: its last answer about it, or the first read after that. */
export async function stateAfter(parts: CallsParts, { reads }: Doings, touch: Touching): Promise<State | Unknown> {
  if (touch.effect === "removed") return { kind: "absent" };
  const { after, call, kind, id } = touch;
  if (!isUnknown(after)) return there(after, call);
  const next = (reads.get(resourceName({ kind, id })) ?? []).find(({ forwarded_at }) =>
    isBefore(call.done_at, forwarded_at),
  );
  if (next === undefined) return { why: `what call ${call.n} left is not known: ${after.why}` };
  return stateShown(parts, kind, { read: next, id });
}

async function stateShown(
  parts: CallsParts,
  kind: Kind,
  { read, id }: { readonly read: Shown; readonly id: string },
): Promise<State | Unknown> {
  if (read.status === 404) return { kind: "absent" };
  const text = await bodyText(parts, read, "response");
  if (typeof text !== "string") return { why: `call ${read.n} read it, and ${text.why}` };
  const version = versionIn(kind, text, parts.hidden);
  if (isUnknown(version)) return { why: `call ${read.n} read it, and of its answer, ${version.why}` };
  if (version.id !== id) return { why: `call ${read.n} read it, and its answer is about another one` };
  return isGone(kind, text) ? { kind: "absent" } : there(version, read);
}

/** Removed things that Datadog still shows. `text`: a body in which `versionIn` found one. */
export function isGone(kind: Kind, text: string): boolean {
  if (kind.goneWhen === undefined) return false;
  const { field, values } = kind.goneWhen;
  const whole = versionIn({ ...kind, readOnly: [] }, text, { isErased: null });
  const said = isUnknown(whole) ? null : whole.content.get(field);
  return typeof said === "string" && values.includes(said);
}
