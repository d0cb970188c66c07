/** Ids as Datadog gives them out: small and large integers, dashed dashboard ids, hashes, UUIDs, keys. */

/** A number in [0, 1), like `Math.random`. */
export type Chance = () => number;

export type Ids = {
  /** Of `digits` decimal digits, and never twice the same in a row: each kind counts up from where chance started it. */
  number(kind: string, digits: number): number;
  /** Between 2^53 and 2^63: a reader that makes it a double loses it. */
  int64(): bigint;
  uuid(): string;
  /** `abc-d3f-9hi` */
  dashboard(): string;
  hex(length: number): string;
  /** `PxfujWHYRaGCWVqVCVrBAg` */
  slug(): string;
  /** Lower-case letters and digits. */
  word(length: number): string;
};

export const createIds = (chance: Chance): Ids => {
  const counters = new Map<string, number>();
  const pick = (alphabet: string): string => alphabet.charAt(Math.floor(chance() * alphabet.length));
  const string = (alphabet: string, length: number): string => Array.from({ length }, () => pick(alphabet)).join("");
  const hex = (length: number): string => string("0123456789abcdef", length);
  const word = (length: number): string => string("abcdefghijklmnopqrstuvwxyz0123456789", length);

  return {
    number: (kind, digits) => {
      const least = 10 ** (digits - 1);
      const next = (counters.get(kind) ?? least + Math.floor(chance() * 8 * least)) + 1;
      counters.set(kind, next);
      return next;
    },
    int64: () => 2n ** 62n + (BigInt(Math.floor(chance() * 2 ** 30)) << 31n) + BigInt(Math.floor(chance() * 2 ** 31)),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${pick("89ab")}${hex(3)}-${hex(12)}`,
    dashboard: () => `${word(3)}-${word(3)}-${word(3)}`,
    slug: () => string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 22),
    hex,
    word,
  };
};
