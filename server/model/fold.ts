/** How text is compared in a search: without regard to case, unit by unit, so that a place in the folded text is the same place in the text. */

export const fold = (text: string): string => {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  // A few characters become longer ones: those stay as they are.
  let folded = "";
  for (const character of text) {
    const small = character.toLowerCase();
    folded += small.length === character.length ? small : character;
  }
  return folded;
};

/** Letters, digits and _ of ASCII, and whatever is not ASCII. */
export const isOfWord = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) ||
  (unit >= 0x30 && unit <= 0x39) ||
  (unit >= 0x41 && unit <= 0x5a) ||
  unit === 0x5f ||
  unit >= 0x80;
