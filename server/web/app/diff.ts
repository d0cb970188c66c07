/** What an update changed: two JSON texts line by line, as they are written, with a little around every change. */

import { diffArrays } from "diff";
import { linesOf } from "./json.ts";

export type DiffLine = { readonly kind: "same" | "add" | "del" | "gap"; readonly text: string };

/** Longer texts are not compared: nobody reads that, and no browser enjoys it. */
const mostLines = 20_000;
const mostEdits = 4_000;
const around = 3;

/** Null when one of them is no JSON, or they are too long or too different. */
export function diffOf(before: string, after: string): readonly DiffLine[] | null {
  const [from, to] = [linesOf(before, mostLines), linesOf(after, mostLines)];
  if (from === null || to === null || from.length >= mostLines || to.length >= mostLines) return null;
  // A comma at the end of a line comes and goes with the line after it.
  const bare = (line: string): string => line.replace(/,$/, "");
  const parts = diffArrays(from.map(bare), to.map(bare), { maxEditLength: mostEdits });
  if (parts === undefined) return null;
  const lines = parts.flatMap(({ added, removed, value }): DiffLine[] =>
    value.map((text) => ({ kind: added ? "add" : removed ? "del" : "same", text })),
  );
  return withoutMiddles(lines);
}

const same = (lines: number): string => `… ${lines === 1 ? "a line that is" : `${lines} lines that are`} the same`;

function withoutMiddles(lines: readonly DiffLine[]): readonly DiffLine[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind === "same") return;
    for (let i = index - around; i <= index + around; i++) near.add(i);
  });
  const kept: DiffLine[] = [];
  let left = 0;
  lines.forEach((line, index) => {
    if (near.has(index)) {
      if (left > 0) kept.push({ kind: "gap", text: same(left) });
      left = 0;
      kept.push(line);
    } else left++;
  });
  if (left > 0 && kept.length > 0) kept.push({ kind: "gap", text: same(left) });
  return kept;
}
