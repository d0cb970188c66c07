/** What the rules that asked demand of an answer: of each part the strictest that any of them names. */

import { type Refusal, refuse } from "../../errors.ts";
import type { Terms } from "../../model/approval.ts";
import type { RuleSource } from "../../model/config.ts";

/** Jobs are answered by people of their repository, others by whoever is signed in with the right group. */
export type Asker = "github" | "other";

/** A refusal where nobody could ever give an answer that satisfies all the rules. */
export const termsOf = (_rules: readonly RuleSource[], _asker: Asker): Terms | Refusal =>
  refuse("approval_required", "not built yet");
