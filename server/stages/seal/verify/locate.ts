/** Names what was altered: which call, and which part of it, as exactly as what was sealed lets one say. */

import { differingParts, isPrint, type ReceiptPart } from "../receipt.ts";
import type { Findings, FindingKind } from "./report.ts";

/** A receipt that is not the one that was sealed under its number. */
export type Mismatch = { readonly n: number; readonly found: Buffer; readonly sealed: Buffer };

const kindOf: Readonly<Record<ReceiptPart, FindingKind>> = {
  "request line": "request",
  "request headers": "header",
  "request body": "body",
  decision: "decision",
  times: "times",
  outcome: "outcome",
  "response headers": "header",
  "response body": "body",
  approval: "approval",
};

/** `gone`: what was sealed of calls that are missing. */
export const nameMismatches = (
  mismatches: readonly Mismatch[],
  gone: ReadonlyMap<number, { readonly prints: Buffer }>,
  findings: Findings,
): void => {
  const bySealed = new Map([
    ...mismatches.map(({ n, sealed }) => [sealed.toString("hex"), n] as const),
    ...[...gone].map(([n, { prints }]) => [prints.toString("hex"), n] as const),
  ]);
  const shows = new Map(mismatches.map(({ n, found }) => [n, bySealed.get(found.toString("hex"))]));
  for (const { n, found, sealed } of mismatches) {
    const other = shows.get(n);
    if (other === undefined || other === n) nameParts({ n, found, sealed }, findings);
    else if (shows.get(other) !== n) findings.add("order", `call ${n} is what was sealed as call ${other}`, n);
    else if (n < other) findings.add("order", `calls ${n} and ${other} were exchanged`, n);
  }
};

const nameParts = ({ n, found, sealed }: Mismatch, findings: Findings): void => {
  const parts = isPrint(sealed) ? differingParts(found, sealed) : [];
  if (parts.length === 0) findings.add("chain", `call ${n} was altered; in what, cannot be told`, n);
  for (const part of parts) findings.add(kindOf[part], `call ${n}: ${part} altered since it was sealed`, n);
};
