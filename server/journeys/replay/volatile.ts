/** What differs between two answers to one call although nothing is different: by exact name, for exactly these operations. That it is there still counts. */

type Volatile = { readonly reason: string; readonly operations: readonly string[]; readonly fields: readonly string[] };

/** https://docs.datadoghq.com/api/latest/: what the reference of each operation says that Datadog sets by itself. */
const volatile: readonly Volatile[] = [];

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
  for (const { operations: known, fields: names } of volatile) for (const operation of known) add(operation, names);
  for (const [named, names] of Object.entries(more))
    for (const { id } of operations) if (id === named || id.endsWith(`.${named}`)) add(id, names);
  return fields;
}

/** For the test that holds them against the catalogue. */
export const volatileOperations: readonly string[] = volatile.flatMap(({ operations }) => operations);
