/** In which order steps are done: the last write is taken back first, but what others name is there before them and goes after them. */

import type { Kind } from "../../datadog/inverse.ts";
import { type Content, maskedPlaces } from "./document.ts";
import type { Hidden } from "./hidden.ts";
import { referencesIn, resourceName, type ResourceName } from "./references.ts";
import { isDoing, type Step } from "./steps.ts";

/** `needs`: keys of the steps that have to be done before. */
export type Ordered = Step & { readonly needs: readonly string[] };

export function inOrder(steps: readonly Step[], hidden: Hidden): readonly Ordered[] {
  const settled = withoutDangling(anew(steps, hidden)).toReversed();
  return placed(settled.map((step) => ({ ...step, needs: needsOf(step, settled) })));
}

/** A dashboard that is restored names an SLO by its old id: one that has a new id by then asks for the dashboard to be made anew too. */
function anew(steps: readonly Step[], hidden: Hidden): readonly Step[] {
  const made = namesOf(steps, ({ doing }) => doing.action === "recreate");
  return steps.map((step) => {
    const { doing, resource, call } = step;
    if (doing.action !== "restore" || doing.wanted === null || resource === null) return step;
    const names = [...referencesIn(resource.kind, doing.wanted)].filter((name) => made.has(name));
    const isPutBack = steps.some((other) => other.doing.action === "put_back" && isSame(other, step));
    if (names.length === 0 || isPutBack || maskedPlaces(doing.wanted, hidden).length > 0) return step;
    const why = `call ${call.n} removed it, and it names ${names.join(", ")}, which comes back under another id`;
    return { ...step, doing: { action: "recreate", wanted: doing.wanted }, why };
  });
}

const isSame = (one: Step, other: Step): boolean =>
  one.resource !== null && other.resource !== null && resourceName(one.resource) === resourceName(other.resource);

const namesOf = (steps: readonly Step[], fits: (step: Step) => boolean): ReadonlyMap<ResourceName, Step> =>
  new Map(
    steps.flatMap((step) =>
      step.resource !== null && fits(step) ? [[resourceName(step.resource), step] as const] : [],
    ),
  );

/** What names something that does not come back cannot come back either. */
function withoutDangling(steps: readonly Step[]): readonly Step[] {
  const lost = namesOf(
    steps,
    ({ doing, call }) => (doing.action === "impossible" || doing.action === "look") && call.access === "destructive",
  );
  let changed = false;
  const next = steps.map((step): Step => {
    const { doing } = step;
    if (doing.action !== "recreate" && doing.action !== "put_back") return step;
    const named = [...referencesOf(step, doing.wanted)].find((name) => lost.has(name));
    if (named === undefined) return step;
    changed = true;
    const why = `it names ${named}, and nothing takes call ${lost.get(named)?.call.n} back`;
    return { ...step, doing: { action: "impossible" }, why };
  });
  return changed ? withoutDangling(next) : steps;
}

const referencesOf = ({ resource }: { readonly resource: { readonly kind: Kind } | null }, content: Content | null) =>
  resource === null || content === null ? new Set<ResourceName>() : referencesIn(resource.kind, content);

const wantedOf = ({ doing }: Step): Content | null => ("wanted" in doing ? doing.wanted : null);
const leftOf = ({ doing }: Step): Content | null => ("left" in doing ? doing.left : null);

/** `steps`: the last write first. */
function needsOf(step: Step, steps: readonly Step[]): readonly string[] {
  if (!isDoing(step.doing)) return [];
  const wanted = referencesOf(step, wantedOf(step));
  const own = step.resource === null ? null : resourceName(step.resource);
  const isNeeded = (other: Step): boolean => {
    if (other.key === step.key || other.resource === null || own === null || !isDoing(other.doing)) return false;
    const name = resourceName(other.resource);
    if (name === own) return steps.indexOf(other) < steps.indexOf(step);
    const brings = other.doing.action === "recreate" || other.doing.action === "restore";
    return (
      (brings && wanted.has(name)) || (step.doing.action === "delete" && referencesOf(other, leftOf(other)).has(own))
    );
  };
  return steps.filter(isNeeded).map(({ key }) => key);
}

function placed(steps: readonly Ordered[]): readonly Ordered[] {
  const done = new Set<string>();
  const order: Ordered[] = [];
  let left = steps;
  while (left.length > 0) {
    const next = left.find(({ needs }) => needs.every((key) => done.has(key)));
    if (next === undefined)
      return [
        ...order,
        ...left.map((step) => ({ ...step, needs: [], doing: { action: "impossible" } as const, why: circle })),
      ];
    done.add(next.key);
    order.push(next);
    left = left.filter((step) => step !== next);
  }
  return order;
}

const circle = "it and what it names name each other, so that neither can come back first";
