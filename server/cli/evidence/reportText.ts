/** What a verification found, for people. */

import { type Report, type SessionReport, type Verdict, verdicts } from "../../stages/seal/verify/report.ts";
import { counted, readable } from "../words.ts";

export const reportText = (report: Report): string => {
  const { checkpoint, findings, anchors, sessions } = report;
  const lines = [
    checkpoint === null
      ? "log: no signed checkpoint"
      : `log: ${readable(checkpoint.origin)}, ${counted(checkpoint.size, "seal")}, root ${checkpoint.root}`,
    ...anchors.map(
      ({ name, size, consistent }) =>
        `anchor: ${readable(name)}${size === null ? "" : `, ${counted(size, "seal")}`}: ${consistent ? "the log continues it" : "THE LOG DOES NOT CONTINUE IT"}`,
    ),
    ...findings.map(({ kind, message }) => `${kind.toUpperCase()}: ${readable(message, 400)}`),
    ...sessions.flatMap(sessionLines),
    totals(sessions),
  ];
  return `${lines.join("\n")}\n`;
};

const sessionLines = ({ session_id, verdict, calls, log_index, findings, notes }: SessionReport): string[] => {
  const where = log_index === null ? "" : `, leaf ${log_index}`;
  const shown = verdict === "anchored" || verdict === "unanchored" ? verdict : verdict.toUpperCase();
  return [
    `session ${readable(session_id)}: ${shown} (${counted(calls, "call")}${where})`,
    ...findings.map(({ kind, message }) => `  ${kind}: ${readable(message, 400)}`),
    ...notes.map((note) => `  note: ${readable(note, 400)}`),
  ];
};

const totals = (sessions: readonly SessionReport[]): string => {
  const countOf = (wanted: Verdict): number => sessions.filter(({ verdict }) => verdict === wanted).length;
  return `${counted(sessions.length, "session")}: ${verdicts.map((verdict) => `${countOf(verdict)} ${verdict}`).join(", ")}`;
};
