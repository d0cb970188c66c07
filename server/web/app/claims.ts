/** What the claims of a session's token say, where they are text. */

import type { SessionJson } from "../../contract.ts";

export const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

/** The number of the pull request whose merge ref the run is of. */
export const pullOf = ({ caller }: Pick<SessionJson, "caller">): string | null =>
  /^refs\/pull\/(\d+)\//.exec(textOf(caller["ref"]))?.[1] ?? null;
