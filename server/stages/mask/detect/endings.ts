/** Tells from the last three bytes of a key whether its name may be one of many: asked of every key of every body. */

/** A set of endings: one entry for each three letters, cases and separators apart. */
export type Endings = Uint8Array;

/** Of names in lower case without separators. */
export const endingsOf = (names: readonly string[]): Endings => {
  const table = new Uint8Array(1 << 15);
  for (const name of names) {
    const bytes = Buffer.from(name);
    table[indexOf(bytes, bytes.length)] = 1;
  }
  return table;
};

/** Never of shorter names: who has such asks for them otherwise. */
export const mayEnd = (
  endings: Endings,
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): boolean => end - start >= 3 && endings[indexOf(bytes, end)] === 1;

const indexOf = (bytes: Uint8Array, end: number): number =>
  (letter(bytes[end - 3]) << 10) | (letter(bytes[end - 2]) << 5) | letter(bytes[end - 1]);

/** Five bits of a letter, the same for both cases. */
const letter = (code: number | undefined): number => (code ?? 0) & 0x1f;
