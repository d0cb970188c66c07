/** Numbers, times and other people's words as the commands write them. */

import type { Answer } from "./answer.ts";
import type { Problem } from "../model/config.ts";
import { formatProblem } from "../config/load.ts";

/** `1 call`, `1,204 calls` */
export const counted = (count: number, what: string): string =>
  `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

/** Text that somebody else chose, unable to begin a line or to move a terminal's cursor. */
export const oneLine = (text: string): string => {
  const visible = text.replaceAll(/[^\x20-\x7e]/g, "?");
  return visible.length > 120 ? `${visible.slice(0, 119)}…` : visible;
};

/** The same for text in any language: only what is invisible, turns the writing around or breaks the line is replaced. */
export const readable = (text: string, most = 200): string => {
  const visible = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return visible.length > most ? `${visible.slice(0, most - 1)}…` : visible;
};

/** Each column as wide as its widest cell; the last one as it is. */
export const inColumns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "),
  );
};

export const wrongUsage = (message: string): Answer => ({ exitCode: 2, output: `${message}\n` });

export const listProblems = (problems: readonly Problem[]): Answer => {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return { exitCode: 2, output: `${problems.map(formatProblem).join("\n")}\n${count}\n` };
};

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** `7d` before `now`, or a time as RFC 3339 writes it, or a day; null for anything else. */
export const sinceWhen = (written: string, now: Date): Date | null => {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(written) ?? [];
  if (count !== undefined) return new Date(now.getTime() - Number(count) * units[unit as keyof typeof units]);
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time);
};
