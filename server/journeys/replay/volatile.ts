/** What differs between two answers to one call although nothing is different: by exact name, for exactly these operations. That it is there still counts. */

import { volatileTable } from "./volatileTable.ts";

/** Patterns (`data[].attributes.modified`) by operation. */
export type VolatileFields = ReadonlyMap<string, ReadonlySet<string>>;

/** With those of the configuration, which names an operation as rules do: `GetMonitor`, or the whole id. */
export function volatileFields(
  more: Readonly<Record<string, readonly string[]>>,
  operations: readonly { readonly id: string }[],
): VolatileFields {
  const fields = new Map<string, Set<string>>();
  const add = (operation: string, names: readonly string[]): void => {
    fields.set(operation, new Set([...(fields.get(operation) ?? []), ...names]));
  };
  for (const { api, operations: known, fields: names } of volatileTable)
    for (const operation of known.split(" ")) add(`${api}.${operation}`, names.split(" "));
  for (const [named, names] of Object.entries(more))
    for (const { id } of operations) if (isNamed(id, named)) add(id, names);
  return fields;
}

/** As a configuration names it. */
export const isNamed = (id: string, named: string): boolean => id === named || id.endsWith(`.${named}`);
