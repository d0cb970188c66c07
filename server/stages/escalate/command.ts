/** What a comment's first line asks for: `/approve CODE`, `/approve CODE session`, `/approve CODE 30m`, `/deny CODE reason`. */

import type { GrantAsked, Verdict } from "../../model/approval.ts";

export type Command =
  | { readonly verdict: Verdict; readonly code: string; readonly grant: GrantAsked | null; readonly reason: string }
  /** It was meant as an answer and is none: one sentence for its writer. */
  | { readonly verdict: Verdict; readonly problem: string };

const longestLine = 2_000;
const longestReason = 1_000;
const milliseconds = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Null when the first line is not a command at all. Nothing below the first line is read: a quoted mail hangs there. */
export function readCommand(comment: string): Command | null {
  const [line = ""] = comment.slice(0, longestLine).split(/\r\n|\r|\n/, 1);
  const [, word, rest = ""] = /^[ \t]*\/(approve|deny)(?:[ \t]+(.*))?$/i.exec(line) ?? [];
  if (word === undefined) return null;
  const verdict: Verdict = word.toLowerCase() === "deny" ? "deny" : "approve";
  const [, code, after = ""] = /^`?([A-Za-z0-9]{6,10})`?(?:[ \t]+(.*))?$/.exec(rest.trim()) ?? [];
  if (code === undefined) return { verdict, problem: `The CODE is missing: the first line is \`/${verdict} CODE\`.` };
  const found = { verdict, code: code.toUpperCase() };
  if (verdict === "deny") return { ...found, grant: null, reason: after.trim().slice(0, longestReason) };
  const grant = readGrant(after.trim());
  if (grant !== undefined) return { ...found, grant, reason: "" };
  // "/approve CODE only if …" is no approval, and somebody who writes it believes that it is heard.
  return { verdict, problem: "After the CODE of an approval may stand nothing, `session`, or a time like `30m`." };
}

function readGrant(written: string): GrantAsked | null | undefined {
  if (written === "") return null;
  if (/^session$/i.test(written)) return { kind: "session" };
  const [, count, unit] = /^(\d{1,5})(s|m|h|d)$/i.exec(written) ?? [];
  const ms = Number(count) * milliseconds[unit?.toLowerCase() as keyof typeof milliseconds];
  return ms > 0 ? { kind: "duration", ms } : undefined;
}
