/** Names of resources in other resources: when what they name is made again under another id, they get it, as the type they have. */

import type { Kind, Reference } from "../../datadog/inverse.ts";
import type { Content } from "./document.ts";

/** `monitor 4212` */
export type ResourceName = `${string} ${string}`;

export type Resource = { readonly kind: Kind; readonly id: string };

export const resourceName = ({ kind, id }: Resource): ResourceName => nameOf(kind.name, id);

const nameOf = (kind: string, id: string): ResourceName => `${kind} ${id}`;

export const referencesIn = (kind: Kind, content: Content): ReadonlySet<ResourceName> => {
  const found = new Set<ResourceName>();
  rewrite(kind, content, (name) => {
    found.add(name);
    return null;
  });
  return found;
};

/** `ids`: the new id of what has one. */
export const withReferences = (kind: Kind, content: Content, ids: ReadonlyMap<ResourceName, string>): Content =>
  rewrite(kind, content, (name) => ids.get(name) ?? null);

/** Null leaves a name as it is. */
type Renaming = (name: ResourceName) => string | null;

function rewrite({ references }: Kind, content: Content, rename: Renaming): Content {
  const type = content.get("type");
  const applying = references.filter(({ ofType }) => ofType === undefined || ofType === type);
  return applying.length === 0 ? content : (rewritten(content, applying, rename) as Content);
}

function rewritten(value: unknown, references: readonly Reference[], rename: Renaming): unknown {
  if (Array.isArray(value)) return value.map((item) => rewritten(item, references, rename));
  if (!(value instanceof Map)) return value;
  return new Map(
    [...(value as Content)].map(([name, member]) => {
      const reference = references.find(({ field }) => field === name);
      return [
        name,
        reference === undefined ? rewritten(member, references, rename) : renamed(member, reference, rename),
      ];
    }),
  );
}

function renamed(value: unknown, reference: Reference, rename: Renaming): unknown {
  const { kind, text } = reference;
  if (Array.isArray(value)) return value.map((item) => renamed(item, reference, rename));
  if (typeof value === "bigint") {
    const id = rename(nameOf(kind, String(value)));
    return id === null ? value : BigInt(id);
  }
  if (typeof value !== "string") return value;
  if (text === undefined) return rename(nameOf(kind, value)) ?? value;
  return value.replaceAll(text, (id) => rename(nameOf(kind, id)) ?? id);
}
