/** What the App needs to be permitted, and what lacks of it. */

import { z } from "zod";

export type Level = "read" | "write";
export type Permissions = Readonly<Record<string, Level>>;

/** As GitHub lists them: `admin` too, and permissions that came after this was written. */
export const granted = z.record(z.string(), z.string());
export type Granted = z.output<typeof granted>;

/** `issues`: whether runs without a pull request are asked about in an issue. */
export type Uses = { readonly issues: boolean };

/** No more than what it is used for: no contents, no administration. Reading members is asked for by itself, see `forTeams`. */
export const forWork = ({ issues }: Uses): Permissions => ({
  metadata: "read",
  pull_requests: "write",
  checks: "write",
  actions: "read",
  issues: issues ? "write" : "read",
});

/** Only rules that name teams need it: an App without it works for all others. */
export const forTeams: Permissions = { metadata: "read", members: "read" };

export const covers = (has: string | undefined, needs: Level): boolean =>
  has === "write" || has === "admin" || has === needs;

/** What can be asked for of what is needed: a permission that lacks is missed where it is used, not everywhere. */
export const within = (needed: Permissions, has: Granted): Permissions =>
  Object.fromEntries(
    Object.entries(needed).flatMap(([name, level]): [string, Level][] => {
      if (covers(has[name], level)) return [[name, level]];
      return covers(has[name], "read") ? [[name, "read"]] : [];
    }),
  );

/** `checks: write`, as the App's settings call them. */
export const lacking = (needed: Permissions, has: Granted): readonly string[] =>
  Object.entries(needed)
    .filter(([name, level]) => !covers(has[name], level))
    .map(([name, level]) => `${name}: ${level}`);
