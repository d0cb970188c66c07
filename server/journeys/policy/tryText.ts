/** A policy text that somebody edits, tried on what was recorded in the last days: for whoever sees every recording. It never becomes the policy in force. */

import { createHash } from "node:crypto";
import { type ApiRefusal, refuseApi } from "../../errors.ts";
import type { AuditEvent } from "../../model/audit.ts";
import { type Reader, readerName, seesEverything } from "../history.ts";
import type { BacktestReport } from "./backtest.ts";

/** What is wrong with a text, lines and columns from 1. */
export type TextProblem = {
  readonly line: number;
  readonly column: number;
  /** `policy.rules.0.when`; empty: the whole text. */
  readonly path: string;
  readonly message: string;
};

/** `complete`: whether all was looked at; else nothing that was received in sessions after those of `looked_until`. */
export type TriedReport = BacktestReport & {
  /** SHA-256 (hex) of the rules, as receipts would name them. */
  readonly policy: string;
  readonly since: Date;
  readonly complete: boolean;
  readonly looked_until: Date | null;
  /** Rules on answers, which cannot be tried. */
  readonly rules_on_answers: number;
};

export type TextTrial =
  | { readonly kind: "problems"; readonly problems: readonly TextProblem[] }
  | { readonly kind: "report"; readonly report: TriedReport }
  /** It came to no end. `gone`: whoever asked is not there any more. */
  | { readonly kind: "stopped"; readonly why: keyof typeof stopWords }
  /** It did not begin. */
  | { readonly kind: "busy"; readonly why: keyof typeof busyWords };

export type Tried = Extract<TextTrial, { readonly kind: "problems" | "report" }>;

const stopWords = {
  time: "it took too long and was broken off: a condition of this text may have no bound, or the gateway is busy; nothing was found out",
  broken: "this text could not be tried: it needs more memory than a trial may have, or breaks it in another way",
  gone: "it was stopped, because whoever asked went away",
  recordings: "the recordings cannot be read now",
} as const;

const busyWords = {
  person: "a trial of yours is still running: wait for its end, or stop it",
  gateway: "too many policies are being tried at this gateway now: try again in a moment",
} as const;

export type TextRequest = {
  readonly text: string;
  /** How far back. */
  readonly days: number;
  /** Aborted when whoever asked is gone. */
  readonly signal: AbortSignal;
};

export type TryParts = {
  /** Bounded in time and memory, whatever the text says; one at a time for each `who`. */
  tryText(trial: {
    readonly who: string;
    readonly text: string;
    readonly since: Date;
    readonly signal: AbortSignal;
  }): Promise<TextTrial>;
  now(): Date;
  /** Resolves when it is durable: nobody is shown what was found before it is written down that they looked. */
  auditFirst(event: AuditEvent): Promise<void>;
};

export async function tryPolicyText(
  parts: TryParts,
  reader: Reader,
  { text, days, signal }: TextRequest,
): Promise<Tried | ApiRefusal> {
  const refusal = seesEverything(reader);
  if (refusal !== null) return refusal;
  const who = readerName(reader);
  const since = new Date(parts.now().getTime() - days * 86_400_000);
  const tried = await parts.tryText({ who, text, since, signal });
  if (tried.kind === "busy")
    return refuseApi(tried.why === "person" ? "rate_limited" : "gateway_busy", busyWords[tried.why]);
  const digest = createHash("sha256").update(text).digest("hex");
  await parts.auditFirst({ kind: "policy_tried", who, what: `policy text ${digest}`, reason: outcomeOf(tried, days) });
  if (tried.kind !== "stopped") return tried;
  return refuseApi(tried.why === "recordings" ? "recording_unavailable" : "request_malformed", stopWords[tried.why]);
}

const outcomeOf = (tried: Exclude<TextTrial, { readonly kind: "busy" }>, days: number): string => {
  switch (tried.kind) {
    case "problems":
      return `${tried.problems.length} problems`;
    case "report":
      return `${tried.report.calls} calls of the last ${days} days decided again, ${tried.report.changed} otherwise`;
    case "stopped":
      return stopWords[tried.why];
    default:
      return tried satisfies never;
  }
};
