/** Where in its tokens an issuer lists the groups of whom it names: a path of names such as `$.groups` or `$.realm_access['roles']`. */

import type { Claims } from "./caller.ts";

/** Null when the claim is there but is no list of names: such a token is refused, for nobody can say what it means. */
export type GroupsReader = (claims: Claims) => readonly string[] | null;

const step = /\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\["([^"]+)"\]/y;

/** @throws Error naming the path when it is not one. */
export const readGroupsAt = (path: string): GroupsReader => {
  const names = parsePath(path);
  return (claims) => {
    let value: unknown = claims;
    for (const name of names) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return [];
      value = (value as Record<string, unknown>)[name];
    }
    if (typeof value === "string") return [value];
    return Array.isArray(value) && value.every((name) => typeof name === "string") ? value : null;
  };
};

const parsePath = (path: string): string[] => {
  const names: string[] = [];
  step.lastIndex = 1;
  while (path.startsWith("$") && step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) break;
    names.push(match[1] ?? match[2] ?? match[3] ?? "");
    if (step.lastIndex === path.length) return names;
  }
  throw new Error(`groups: ${path} is not a path of names such as $.groups or $.realm_access['roles']`);
};
