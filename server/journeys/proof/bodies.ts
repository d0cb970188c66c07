/** Reads the small bodies of many calls in one question: a long session has hundreds of thousands of them. */

import type { StoredMessage } from "../../model/receipt.ts";
import type { Recorded } from "../seal.ts";

/** A call that is there, in a form that no gateway writes. */
export type Unreadable = { readonly n: number };
export type Found = Recorded | Unreadable;

/** Of one question: bodies, and their bytes as far as receipts say them. */
const mostBodies = 256;
const mostBytes = 4 * 1024 * 1024;

/** Calls whose bodies are asked for together, and what these are called; a body that is larger than all of a question may be comes by itself. */
export function* readTogether(
  calls: readonly Found[],
): Generator<{ readonly calls: Found[]; readonly bodies: string[] }> {
  let group: Found[] = [];
  let names = new Set<string>();
  let bytes = 0;
  for (const call of calls) {
    const wanted = bodiesOf(call).filter(({ id }) => !names.has(id));
    const more = wanted.reduce((sum, { size }) => sum + size, 0);
    if (group.length > 0 && (bytes + more > mostBytes || names.size + wanted.length > mostBodies)) {
      yield { calls: group, bodies: [...names] };
      [group, names, bytes] = [[], new Set(), 0];
    }
    group.push(call);
    bytes += more;
    // A body that two calls share is asked for once.
    for (const { id } of wanted) names.add(id);
  }
  if (group.length > 0) yield { calls: group, bodies: [...names] };
}

type Named = { readonly id: string; readonly size: number };

const bodiesOf = (found: Found): readonly Named[] =>
  "call" in found ? [...named(found.call.request.body), ...named(found.call.response?.body ?? null)] : [];

const named = (body: StoredMessage["body"]): readonly Named[] =>
  body === null || body.id === null || body.expired ? [] : [{ id: body.id, size: body.size }];
