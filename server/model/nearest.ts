/** The right name for a mistyped one: error messages end with what the reader probably meant. */

/** The closest of `names`, or undefined when none is near enough to be meant. Case, `_` and `-` do not count. */
export const nearest = (written: string, names: readonly string[]): string | undefined => {
  const wanted = plain(written);
  let best: string | undefined;
  // A third of the letters may be wrong, at least one: more is another word.
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, plain(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
};

/** The end of an "unknown name" message. */
export const suggest = (written: string, known: readonly string[]): string => {
  const name = nearest(written, known);
  return name === undefined ? `; known are ${known.join(", ")}` : `; did you mean ${name}?`;
};

const plain = (name: string): string => name.slice(0, 100).toLowerCase().replaceAll(/[_-]/g, "");

/** Optimal string alignment distance: insertions, deletions, substitutions and swapped neighbours cost one each. */
const editDistance = (a: string, b: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(at(last, j) + 1, at(row, j - 1) + 1, substitution);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(at(row, j), at(beforeLast, j - 2) + 1);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
};

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
