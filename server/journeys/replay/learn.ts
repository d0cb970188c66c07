/** Learns from two answers to one call, the recorded one and the one of now, which ids became which. */

import type { JsonNode } from "../../model/jsonTree.ts";
import type { Operation } from "../../model/operation.ts";
import type { StoredCall } from "../../model/receipt.ts";
import type { Ids } from "./ids.ts";
import {
  type IdPlace,
  idPlace,
  itemPlace,
  kindText,
  memberPlace,
  type Place,
  rootPlace,
  scalarsOf,
  type Subject,
  textOf,
} from "./places.ts";

/** `sent`: every string and number of the recorded request, whose echo in an answer is nothing new. */
export type Answers = { readonly recorded: JsonNode; readonly now: JsonNode; readonly sent: ReadonlySet<string> };

/** A change that came about then: its answer may hold ids that nobody knew before. */
export const teaches = ({ status }: Pick<StoredCall, "status">, { access, method }: Operation): boolean =>
  access !== "read" && method !== "DELETE" && status !== null && status < 300;

/** What stands at the same place in both answers is the same thing. */
export function learnIds(ids: Ids, subject: Subject, { recorded, now, sent }: Answers): void {
  for (const [one, other, place] of pairs(recorded, now, rootPlace)) {
    if (!isScalar(one) || !isScalar(other)) continue;
    const at = idPlace(subject, place);
    if (at === null) continue;
    const kind = at.isOwn ? kindText(place.parent) : null;
    if (kind !== null && !ids.kinds.has(kind)) ids.kinds.set(kind, at.type);
    const [before, after] = [textOf(one), textOf(other)];
    // Callers may choose the id of what they create, and then it was sent.
    if (at.isOwn || (!sent.has(before) && before !== after)) ids.learn(at.type, before, after);
  }
}

/** What the recorded answer says was created has no counterpart here. */
export function loseIds(
  ids: Ids,
  subject: Subject,
  { recorded, by, why }: { readonly recorded: JsonNode; readonly by: number; readonly why: string },
): void {
  for (const [node, place] of scalarsOf(recorded)) {
    const at: IdPlace | null = idPlace(subject, place);
    if (at?.isOwn === true) ids.lose(at.type, textOf(node), { by, why });
  }
}

/** Members by name, items by position. */
function* pairs(one: JsonNode, other: JsonNode, place: Place): Generator<[JsonNode, JsonNode, Place]> {
  if (one.kind === "object" && other.kind === "object") {
    for (const [name, { value }] of one.members) {
      const counterpart = other.members.get(name);
      if (counterpart !== undefined) yield* pairs(value, counterpart.value, memberPlace(place, name, one));
    }
  } else if (one.kind === "array" && other.kind === "array") {
    for (const [index, item] of one.items.entries()) {
      const counterpart = other.items[index];
      if (counterpart !== undefined) yield* pairs(item, counterpart, itemPlace(place));
    }
  } else yield [one, other, place];
}

const isScalar = (node: JsonNode): node is Extract<JsonNode, { kind: "string" | "number" }> =>
  node.kind === "string" || node.kind === "number";
