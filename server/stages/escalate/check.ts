/** The question, and later its answer, as a check run with buttons. */

import type { Approval, Verdict } from "../../model/approval.ts";
import type { Links } from "./comment.ts";

export type Check = {
  readonly conclusion: "action_required" | "success" | "failure" | "timed_out" | "cancelled";
  readonly title: string;
  readonly summary: string;
  /** At most 65,535 characters. */
  readonly text: string;
  /** None once it is answered. */
  readonly actions: readonly { readonly label: string; readonly description: string; readonly identifier: string }[];
};

export const checkOf = (_approval: Approval, _links: Links): Check => {
  throw new Error("not built yet");
};

/** What a pressed button's identifier means; null when it is none of ours. */
export const readButton = (_identifier: string): { readonly verdict: Verdict; readonly code: string } | null => {
  throw new Error("not built yet");
};
