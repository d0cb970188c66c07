/** How a wait for a person ends, as data; every word in it is safe to print. */

import { GatewayProblem } from "../gateway.ts";
import { printable } from "../log.ts";
import { duration, type Question } from "./tell.ts";

export type Refused = {
  readonly kind: "refused";
  readonly code: string;
  /** `denied by github:ana: not on a Friday` */
  readonly why: string;
  /** Null where nothing was learnt of it. */
  readonly about?: Pick<Question, "name" | "link"> | null;
};

export type Verdict =
  /** For one of those who wait: send it now, and say whether that used the approval up. The others wait for this word. */
  | { readonly kind: "approved"; readonly release: (used: boolean) => void }
  | Refused
  /** The client hung up. The question stays: the same request joins it. */
  | { readonly kind: "left" };

/** It comes from outside and goes to a terminal. */
export const shown = (text: string): string => {
  const line = printable(text).trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
};

export const refuse = (code: string, why: string): Refused => ({ kind: "refused", code, why });

export const usedUp = refuse(
  "approval_required",
  "the approval let an identical request pass, and is for one; sent again, this one is asked about again",
);

export const over = refuse("approval_cancelled", "the job ended while it waited for approval");

export const tooLate = (timeout: number): Refused =>
  refuse(
    "approval_required",
    `nobody answered within ${duration(timeout)} (approval-timeout); the question stays open, and the same request joins it`,
  );

/** What asking again would not change. */
export const finalProblem = (error: unknown): Refused | undefined => {
  if (!(error instanceof GatewayProblem) || error.unavailable || passing.has(error.code)) return undefined;
  if (error.code === "session_closed")
    return refuse("approval_cancelled", "the session ended while it waited for approval");
  return refuse("approval_required", `its approval cannot be asked about: ${shown(error.message)}`);
};

/** A token that is about to be renewed; a proxy's page in place of an answer. */
const passing = new Set(["token_expired", "token_invalid", "answer_unreadable", "rate_limited"]);

export const outcomeOf = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case "approved":
      return "approved";
    case "left":
      return "the client hung up; the question stays open, and the same request joins it";
    case "refused":
      return `not sent: ${verdict.why}`;
    default:
      return verdict satisfies never;
  }
};
