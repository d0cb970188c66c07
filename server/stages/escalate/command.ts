/** What a comment's first line asks for. */

import type { GrantAsked, Verdict } from "../../model/approval.ts";

export type Command =
  | { readonly verdict: Verdict; readonly code: string; readonly grant: GrantAsked | null; readonly reason: string }
  /** It was meant as an answer and is none: one sentence for its writer. */
  | { readonly problem: string };

/** Null when the first line is not a command at all. */
export const readCommand = (_comment: string): Command | null => {
  throw new Error("not built yet");
};
