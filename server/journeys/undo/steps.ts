/** For each write of a session the step that takes it back, or why there is none. */

import type { StoredCall } from "../../model/receipt.ts";
import { stateAfter, stateBefore, type Touching } from "./before.ts";
import type { Doings, Write } from "./calls.ts";
import { type Carried, carry, type CarryParts, type Doing, type Idle } from "./carry.ts";
import { isUnknown } from "./document.ts";
import { resourceName, type Resource } from "./references.ts";

export type Step = Carried & {
  /** The write that it takes back. */
  readonly call: StoredCall;
  /** Names the step: one call may have several. */
  readonly key: string;
  /** Null where it is not known. */
  readonly resource: Resource | null;
};

export const isDoing = (doing: Doing | Idle): doing is Doing => {
  switch (doing.action) {
    case "recreate":
    case "restore":
    case "put_back":
    case "delete":
      return true;
    case "nothing":
    case "look":
    case "impossible":
      return false;
    default:
      return doing satisfies never;
  }
};

/** In the order of the writes. */
export async function stepsFor(parts: CarryParts, doings: Doings): Promise<readonly Step[]> {
  const steps: Step[] = doings.writes.map(loneStep).filter((step) => step !== null);
  const touches = doings.writes.flatMap(touchesOf);
  for (const same of Map.groupBy(touches, ({ kind, id }) => resourceName({ kind, id })).values())
    steps.push(...(await stepsOfOne(parts, doings, same)));
  return steps.toSorted((one, other) => one.call.n - other.call.n);
}

type OfOne = Touching & { readonly key: string; readonly write: Write };

function touchesOf(write: Write): OfOne[] {
  const { call, touched } = write;
  if (isUnknown(touched)) return [];
  return touched.map((touch, i) => ({ ...touch, call, write, key: i === 0 ? `${call.n}` : `${call.n}.${i}` }));
}

/** Of a write that is about no resource that is known. */
function loneStep({ call, outcome, touched }: Write): Step | null {
  const of = { call, key: `${call.n}`, resource: null };
  if (outcome.kind === "none") return { ...of, ...idle("nothing", outcome.why) };
  if (!isUnknown(touched)) return null;
  return outcome.kind === "unknown" && call.access !== "submit"
    ? { ...of, ...idle("look", lookFirst(outcome.why)) }
    : { ...of, ...idle("impossible", touched.why) };
}

const idle = (action: Idle["action"], why: string): Carried => ({
  doing: { action },
  why,
  name: "",
  from: null,
});

const lookFirst = (why: string): string => `look first what is there: ${why}`;

const stepOf = ({ call, key, kind, id }: OfOne, carried: Carried): Step => ({
  ...carried,
  call,
  key,
  resource: { kind, id },
});

/** The last write of a resource carries what takes all of them back at once; those before it need nothing of their own. */
async function stepsOfOne(parts: CarryParts, doings: Doings, touches: readonly OfOne[]): Promise<readonly Step[]> {
  const unsure = touches.find(({ write }) => write.outcome.kind === "unknown");
  if (unsure !== undefined) return touches.map((touch) => stepOf(touch, lookAt(touch, unsure)));
  const [first, last] = [touches[0], touches.at(-1)];
  // What can be restored comes back as it was removed; what was changed before that is put back then.
  const restorable = last?.kind.restore !== undefined && last.effect === "removed" && first?.effect !== "created";
  const pieces = restorable && touches.length > 1 ? [touches.slice(0, -1), touches.slice(-1)] : [touches];
  const steps: Step[] = [];
  let previous: Touching | null = null;
  for (const piece of pieces) {
    steps.push(...(await netSteps(parts, doings, { piece, previous })));
    previous = piece.at(-1) ?? null;
  }
  return steps;
}

function lookAt(touch: OfOne, { call, write }: OfOne): Carried {
  const why = "why" in write.outcome ? write.outcome.why : "";
  return idle("look", lookFirst(touch.call === call ? why : `call ${call.n} was about it too, and ${why}`));
}

async function netSteps(
  parts: CarryParts,
  doings: Doings,
  { piece, previous }: { readonly piece: readonly OfOne[]; readonly previous: Touching | null },
): Promise<readonly Step[]> {
  const [first, last] = [piece[0], piece.at(-1)];
  if (first === undefined || last === undefined) return [];
  const before = await stateBefore(parts, doings, { touch: first, previous });
  const after = await stateAfter(parts, doings, last);
  const carried = carry(parts, { first, last, before, after });
  return piece.map((touch) =>
    stepOf(
      touch,
      touch === last ? carried : idle("nothing", `what takes call ${last.call.n} back takes this back too`),
    ),
  );
}
