/** Whether an answer is the recorded one: status, then field by field. Ids that became others are the same; what is volatile has to be there. */

import type { JsonNode } from "../../model/jsonTree.ts";
import type { Difference } from "../../model/replay.ts";
import { isTokenKind } from "../../stages/mask/detect/kinds.ts";
import { findTokens, mayHoldToken } from "../../stages/mask/token/text.ts";
import type { Ids } from "./ids.ts";
import {
  type IdPlace,
  idPlace,
  itemPlace,
  memberPlace,
  type Place,
  rootPlace,
  type Subject,
  textOf,
} from "./places.ts";

/** `text`: what it is where it is no JSON; null where nothing can be said but its digest. */
export type ComparedBody = {
  readonly tree: JsonNode | null;
  readonly text: string | null;
  readonly size: number;
  readonly digest: string;
};
export type ComparedAnswer = { readonly status: number; readonly body: ComparedBody | null };

export type Comparing = {
  readonly subject: Subject;
  readonly ids: Ids;
  /** Patterns of the operation's volatile fields. */
  readonly volatile: ReadonlySet<string>;
  /** Kinds of masks of the configuration's own. */
  readonly custom: ReadonlySet<string>;
  /** Where it was recorded, and here: answers hold links. */
  readonly sites: { readonly recorded: string; readonly here: string };
};

/** More of one answer nobody reads. */
export const mostDifferences = 50;

export function compareAnswers(
  comparing: Comparing,
  recorded: ComparedAnswer,
  replayed: ComparedAnswer,
): readonly Difference[] {
  if (recorded.status !== replayed.status)
    return [{ path: "status", recorded: String(recorded.status), replayed: String(replayed.status) }];
  const comparison = new Comparison(comparing);
  comparison.bodies(recorded.body, replayed.body);
  return comparison.found;
}

/** As a difference's path says it; written out only where something differs. */
type At = { readonly before: At | null; readonly step: string | number };

class Comparison {
  readonly found: Difference[] = [];
  readonly #comparing: Comparing;
  constructor(comparing: Comparing) {
    this.#comparing = comparing;
  }

  bodies(one: ComparedBody | null, other: ComparedBody | null): void {
    const at: At = { before: null, step: "body" };
    if (one === null || other === null) {
      if (one !== other) this.#differ(at, one === null ? null : sizeOf(one), other === null ? null : sizeOf(other));
    } else if (one.tree !== null && other.tree !== null)
      this.#nodes({ recorded: one.tree, replayed: other.tree, place: rootPlace, at });
    else if (
      one.digest !== other.digest &&
      !(one.text !== null && other.text !== null && this.#sayTheSame(one.text, other.text))
    )
      this.#differ(at, shown(one), shown(other));
  }

  #nodes({ recorded, replayed, place, at }: Pair): void {
    if (this.found.length >= mostDifferences) return;
    if (this.#comparing.volatile.has(place.pattern)) return;
    if (recorded.kind === "object" && replayed.kind === "object") this.#members({ recorded, replayed, place, at });
    else if (recorded.kind === "array" && replayed.kind === "array") this.#items({ recorded, replayed, place, at });
    else if (!this.#isSame(recorded, replayed, place)) this.#differ(at, written(recorded), written(replayed));
  }

  #members({ recorded, replayed, place, at }: Pair<"object">): void {
    const left = new Map(replayed.members);
    for (const [name, { value }] of recorded.members) {
      const counterpart = [name, ...this.#comparing.ids.became(name)].find((one) => left.has(one));
      const other = counterpart === undefined ? undefined : left.get(counterpart)?.value;
      if (counterpart !== undefined) left.delete(counterpart);
      const inside = { before: at, step: name };
      if (other === undefined) this.#differ(inside, written(value), null);
      else this.#nodes({ recorded: value, replayed: other, place: memberPlace(place, name, recorded), at: inside });
    }
    for (const [name, { value }] of left) this.#differ({ before: at, step: name }, null, written(value));
  }

  #items({ recorded, replayed, place, at }: Pair<"array">): void {
    for (let step = 0; step < Math.max(recorded.items.length, replayed.items.length); step++) {
      const [one, other] = [recorded.items[step], replayed.items[step]];
      const inside = { before: at, step };
      if (one !== undefined && other !== undefined)
        this.#nodes({ recorded: one, replayed: other, place: itemPlace(place), at: inside });
      else this.#differ(inside, one === undefined ? null : written(one), other === undefined ? null : written(other));
      if (this.found.length >= mostDifferences) return;
    }
  }

  #isSame(recorded: JsonNode, replayed: JsonNode, place: Place): boolean {
    if (recorded.kind !== replayed.kind) return false;
    if (recorded.kind === "word" && replayed.kind === "word") return recorded.text === replayed.text;
    if (!isScalar(recorded) || !isScalar(replayed)) return false;
    const { subject, ids } = this.#comparing;
    const [one, other] = [textOf(recorded), textOf(replayed)];
    const at = idPlace(subject, place);
    const found = at?.exact === true && !mayHoldToken(one) ? ids.find(at.type, one) : null;
    // Where its type is known, the id of another thing is another id.
    if (found?.kind === "mapped") return found.value === other;
    // What was there before the session has another id here, which nobody can tell.
    if (at !== null && found?.kind !== "lost" && ids.became(one).size === 0 && isLike(one, other, at)) return true;
    if (one === other || (recorded.kind === "number" && Number(one) === Number(other) && isDouble(one, other)))
      return true;
    if ((at !== null || isDistinct(one)) && ids.became(one).has(other)) return true;
    return recorded.kind === "string" && this.#sayTheSame(one, other);
  }

  /** A text in which an id stands (`/dashboard/abc-def-ghi/my-board`), or which a mask has been at. */
  #sayTheSame(one: string, other: string): boolean {
    const { ids, custom, sites } = this.#comparing;
    const there = sites.recorded === sites.here ? one : one.replaceAll(`.${sites.recorded}`, `.${sites.here}`);
    const [recorded, replayed] = [unmasked(there, custom), unmasked(other, custom)];
    if (recorded === replayed || (recorded === anyToken && one !== "")) return true;
    return becomes(recorded.split(words), replayed, ids);
  }

  #differ(at: At, recorded: string | null, replayed: string | null): void {
    if (this.found.length < mostDifferences) this.found.push({ path: pathOf(at), recorded, replayed });
  }
}

type Pair<K extends "object" | "array" | JsonNode["kind"] = JsonNode["kind"]> = {
  readonly recorded: Extract<JsonNode, { kind: K }>;
  readonly replayed: Extract<JsonNode, { kind: K }>;
  readonly place: Place;
  readonly at: At;
};

const isScalar = (node: JsonNode): node is Extract<JsonNode, { kind: "string" | "number" }> =>
  node.kind === "string" || node.kind === "number";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const short = /^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$/;
const digits = /^\d{4,}$/;

/** A short number is many things: only where an id belongs is it one. */
const isDistinct = (text: string): boolean => text.length >= 5;

/** Two ids as Datadog gives them out, of one form. What could be a caller's own word is none. */
const isLike = (one: string, other: string, { exact }: IdPlace): boolean =>
  (exact ? [uuid, short, digits] : [uuid]).some((form) => form.test(one) && form.test(other));

/** `1.0` and `1` are one number; whole numbers that doubles cannot keep are compared by their digits. */
const isDouble = (one: string, other: string): boolean =>
  [one, other].every((text) => !/^-?\d+$/.test(text) || Number.isSafeInteger(Number(text)));

const words = /([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)/;
const mostIdsInText = 8;

/** Whether `replayed` is what the recorded text became, some of its words being ids that became others. */
function becomes(recorded: readonly string[], replayed: string, ids: Ids): boolean {
  let changed = 0;
  let at = 0;
  for (const word of recorded) {
    const candidates = isDistinct(word) ? [...ids.became(word), word] : [word];
    const next = candidates.find((one) => replayed.startsWith(one, at));
    if (next === undefined) return false;
    if (next !== word && ++changed > mostIdsInText) return false;
    at += next.length;
  }
  return at === replayed.length && changed > 0;
}

const anyToken = "dwm_";

/** Masks seal the same value into another token in another session. */
const unmasked = (text: string, custom: ReadonlySet<string>): string => {
  if (!mayHoldToken(text)) return text;
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of findTokens(text, (kind) => isTokenKind(kind, custom))) {
    parts.push(text.slice(at, start), anyToken);
    at = end;
  }
  return [...parts, text.slice(at)].join("");
};

const longest = 500;

const written = (node: JsonNode): string => {
  const text = json(node);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
};

/** Stops when there is more than is shown. */
function json(node: JsonNode): string {
  switch (node.kind) {
    case "string":
      return JSON.stringify(node.value);
    case "number":
    case "word":
      return node.text;
    case "object":
      return joined(
        "{",
        [...node.members].map(
          ([name, { value }]) =>
            () =>
              `${JSON.stringify(name)}:${json(value)}`,
        ),
        "}",
      );
    case "array":
      return joined(
        "[",
        node.items.map((item) => () => json(item)),
        "]",
      );
    default:
      return node satisfies never;
  }
}

function joined(open: string, parts: readonly (() => string)[], close: string): string {
  let text = open;
  for (const [index, part] of parts.entries()) {
    if (text.length > longest) return text;
    text += `${index === 0 ? "" : ","}${part()}`;
  }
  return text + close;
}

const sizeOf = ({ size }: ComparedBody): string => `${size} bytes`;

const shown = (body: ComparedBody): string =>
  body.text === null ? `${sizeOf(body)}, SHA-256 ${body.digest}` : JSON.stringify(body.text.slice(0, longest));

const plainName = /^[A-Za-z_$][\w$-]*$/;

function pathOf(at: At): string {
  const steps: string[] = [];
  for (let here: At | null = at; here !== null; here = here.before) {
    const { step, before } = here;
    if (typeof step === "number") steps.push(`[${step}]`);
    else if (plainName.test(step)) steps.push(before === null ? step : `.${step}`);
    else steps.push(`[${JSON.stringify(step)}]`);
  }
  const path = steps.toReversed().join("");
  return path.length > longest ? `${path.slice(0, longest - 1)}…` : path;
}
