/** What brings one resource from the state in which a session left it back to the one before: one doing, or the reason why there is none. */

import type { Kind } from "../../datadog/inverse.ts";
import type { CallNumber } from "../../model/receipt.ts";
import type { State, Touching } from "./before.ts";
import type { CallsParts } from "./calls.ts";
import {
  type Content,
  differences,
  isUnknown,
  maskedPlaces,
  nameOf,
  type Path,
  pathText,
  type Unknown,
  valueAt,
} from "./document.ts";
import type { Hidden } from "./hidden.ts";
import { hasEnded } from "./span.ts";

/** `wanted`: what is to be there afterwards. `left`: what the session left, and what has to be there still. */
export type Doing =
  | { readonly action: "recreate"; readonly wanted: Content }
  /** `wanted` is null where nobody read it: it comes back as it was removed. */
  | { readonly action: "restore"; readonly wanted: Content | null }
  /** `sent`: as much of `wanted` as the change has to name. `keep`: places in it that a mask hides and the session did not change. */
  | {
      readonly action: "put_back";
      readonly wanted: Content;
      readonly left: Content;
      readonly sent: Content;
      readonly keep: readonly Path[];
    }
  | { readonly action: "delete"; readonly left: Content };

/** `nothing`: there is nothing to do. `look`: nobody can say. `impossible`: nothing takes it back. */
export type Idle = { readonly action: "nothing" | "look" | "impossible" };

export type Carried = {
  readonly doing: Doing | Idle;
  /** One sentence for people. */
  readonly why: string;
  /** What people call the resource. */
  readonly name: string;
  /** The call that shows what was there. */
  readonly from: CallNumber | null;
};

export type CarryParts = CallsParts & {
  readonly hidden: Hidden;
  /** Whether a change names only what it changes. */
  isPartial(kind: Kind): boolean;
  now(): Date;
};

type Net = {
  readonly first: Touching;
  readonly last: Touching;
  readonly before: State | Unknown;
  readonly after: State | Unknown;
};

export function carry(parts: CarryParts, net: Net): Carried {
  const { first, last } = net;
  if (first.effect === "created")
    return last.effect === "removed"
      ? none("nothing", `call ${first.call.n} made it and call ${last.call.n} removed it again`)
      : takeAway(parts, net);
  return last.effect === "removed" ? bringBack(parts, net) : putBack(parts, net);
}

const none = (action: Idle["action"], why: string, name = ""): Carried => ({
  doing: { action },
  why,
  name,
  from: null,
});

function takeAway(parts: CarryParts, { first, after }: Net): Carried {
  const { call, kind } = first;
  if (isUnknown(after)) return none("impossible", after.why);
  if (after.kind === "absent") return none("nothing", "it was gone again before the session ended");
  const left = after.content;
  return {
    doing: { action: "delete", left },
    why: `call ${call.n} made this ${kind.noun}`,
    name: nameOf(left),
    from: null,
  };
}

function bringBack(parts: CarryParts, { first, last, before }: Net): Carried {
  const { kind, call } = last;
  const shown = isUnknown(before) || before.kind === "absent" ? null : before;
  if (kind.restore !== undefined)
    return {
      doing: { action: "restore", wanted: shown?.content ?? null },
      why: `call ${call.n} removed it, and Datadog keeps what was removed for a while`,
      name: shown === null ? "" : nameOf(shown.content),
      from: shown?.from ?? null,
    };
  if (isUnknown(before)) return none("impossible", `what was there before is not known: ${before.why}`);
  if (before.kind === "absent") return none("nothing", `it was gone before call ${first.call.n}`);
  const { content, from } = before;
  const name = nameOf(content);
  if (kind.lost !== undefined) return none("impossible", kind.lost, name);
  if (hasEnded(kind, content, parts.now())) return none("nothing", "it would have ended by now", name);
  const masked = [...maskedPlaces(content, parts.hidden), ...before.erased];
  if (masked.length > 0) return none("impossible", `${hiddenAt(masked)}, and what is made anew cannot have it`, name);
  const why = `call ${call.n} removed it; call ${from.n} shows it${age(first, before)}`;
  return { doing: { action: "recreate", wanted: content }, why, name, from };
}

function putBack(parts: CarryParts, { first, last, before, after }: Net): Carried {
  const { kind } = last;
  if (isUnknown(before)) return none("impossible", `what was there before is not known: ${before.why}`);
  if (isUnknown(after)) return none("impossible", after.why);
  if (before.kind === "absent") return none("impossible", `it was gone before call ${first.call.n}`);
  if (after.kind === "absent")
    return none("impossible", "it was gone before the session ended", nameOf(before.content));
  const { content: wanted, from } = before;
  const name = nameOf(wanted);
  const { content: left } = after;
  if (differences(kind, [wanted, left], parts.hidden).length === 0)
    return none("nothing", "it was left as it was", name);
  const sent = parts.isPartial(kind) ? changedFields(parts, kind, [wanted, left]) : wanted;
  const masked = maskedPlaces(sent, parts.hidden);
  const lost = [
    ...masked.filter((place) => !isKept(parts, place, [wanted, left])),
    // Of what a change does not name nothing is lost.
    ...before.erased.filter(([field]) => typeof field === "string" && sent.has(field)),
  ];
  if (lost.length > 0)
    return none("impossible", `${hiddenAt(lost)}, and it was changed or cannot be told to be the same`, name);
  return {
    doing: { action: "put_back", wanted, left, sent, keep: masked },
    why: `call ${last.call.n} changed it; call ${from.n} shows how it was${age(first, before)}`,
    name,
    from,
  };
}

/** A field that was not there before is null again. */
const changedFields = ({ hidden }: CarryParts, kind: Kind, [wanted, left]: readonly [Content, Content]): Content =>
  new Map(
    [...new Set([...wanted.keys(), ...left.keys()])]
      .map((name) => [name, wanted.get(name) ?? null] as const)
      .filter(([name, value]) => {
        const both = [new Map([[name, value]]), new Map([[name, left.get(name) ?? null]])] as const;
        return differences(kind, both, hidden).length > 0;
      }),
  );

/** A name that is masked is no place that could be named again. */
const isKept = ({ hidden }: CarryParts, place: Path, [wanted, left]: readonly [Content, Content]): boolean => {
  const [one, other] = [valueAt(wanted, place), valueAt(left, place)];
  return typeof one === "string" && typeof other === "string" && hidden.isSame(one, other) && hidden.isMasked(one);
};

const hiddenAt = (places: readonly Path[]): string => {
  const [first = []] = places;
  const more = places.length === 1 ? "" : ` and ${places.length - 1} more`;
  return `a mask hides what stood at ${pathText(first)}${more}`;
};

/** Others may have changed it between that look and the write: how long that was is for people to judge. */
function age({ call: { forwarded_at } }: Touching, before: State): string {
  if (before.kind === "absent" || before.at === null || forwarded_at === null) return "";
  return `, ${Math.max(0, Math.round((forwarded_at.getTime() - before.at.getTime()) / 1000))} s before`;
}
