/** What stands for a masked value in a replay: made up, of the same shape, and the same one wherever the same value was masked. */

import { createHash, createHmac } from "node:crypto";
import { isTokenKind } from "../../stages/mask/detect/kinds.ts";
import type { MaskSet } from "../../stages/mask/masking.ts";
import type { MaskKeys } from "../../stages/mask/token/keys.ts";
import { keyedDigest } from "../../stages/mask/token/equality.ts";
import { reveal } from "../../stages/mask/token/sealer.ts";
import { findTokens, mayHoldToken } from "../../stages/mask/token/text.ts";

/** What a recorded text is sent as: `stand-in`, or as it was before a mask took the value, for whoever may see that. */
export type Unmasking = "stand-in" | "restore";

export type StandIns = {
  /** In force when the replay began. */
  readonly masks: MaskSet;
  readonly unmasking: Unmasking;
  /** Of the recorded session. */
  readonly connection: string;
};

/** In JSON a restored value is escaped as its string demands. */
export type Written = "plain" | "json" | "query";

export function withStandIns(
  text: string,
  { masks, unmasking }: Pick<StandIns, "masks" | "unmasking">,
  written: Written,
): string {
  if (!mayHoldToken(text)) return text;
  const { keys } = masks;
  const { custom } = masks.masks;
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of findTokens(text, (kind) => isTokenKind(kind, custom))) {
    const token = text.slice(start, end);
    parts.push(text.slice(at, start), escaped(valueFor(keys, unmasking, token), written));
    at = end;
  }
  return [...parts, text.slice(at)].join("");
}

function valueFor(keys: MaskKeys, unmasking: Unmasking, token: string): string {
  const opened = reveal(keys, token);
  if (opened?.value == null) return standInFor(opened?.kind ?? "field", chanceOf(keys, token), null);
  return unmasking === "restore" ? opened.value : otherThan(opened.kind, opened.value, keys);
}

const tries = 8;

/** Of what has few digits and letters, or none, a made-up one of its shape may be the very same. */
function otherThan(kind: string, value: string, keys: MaskKeys): string {
  const chance = chanceOf(keys, value);
  for (let n = 0; n < tries; n++) {
    const made = standInFor(kind, chance, value);
    if (made !== value) return made;
  }
  const made = standInFor("field", chance, null);
  return made === value ? `${made}-x` : made;
}

const escaped = (value: string, written: Written): string => {
  switch (written) {
    case "plain":
      return value;
    case "json":
      return JSON.stringify(value).slice(1, -1);
    case "query":
      return encodeURIComponent(value.toWellFormed());
    default:
      return written satisfies never;
  }
};

/** Endless bytes that are the same for the same value, and say nothing of it to whoever has not the key. */
type Chance = { digit(): number; letter(): string };

function chanceOf(keys: MaskKeys, value: string): Chance {
  const seed = keyedDigest(keys).update("stand-in\0").update(value).digest();
  let block = seed;
  let at = 0;
  const byte = (): number => {
    if (at === block.length) [block, at] = [createHmac("sha256", seed).update(block).digest(), 0];
    return block[at++] ?? 0;
  };
  return { digit: () => byte() % 10, letter: () => String.fromCharCode(97 + (byte() % 26)) };
}

/** `value`: null where nobody can tell any more what it was. */
function standInFor(kind: string, chance: Chance, value: string | null): string {
  const word = (length: number): string => Array.from({ length }, chance.letter).join("");
  switch (kind) {
    case "email":
      return `${word(8)}@stand-in.invalid`;
    case "url":
      return `https://stand-in.invalid/${word(12)}`;
    case "ipv4":
      // RFC 5737: addresses of documents.
      return `192.0.2.${1 + chance.digit() * 25 + chance.digit()}`;
    case "ipv6":
      return `2001:db8::${1 + chance.digit()}${chance.digit()}${chance.digit()}`;
    case "credit-card":
      return withLuhn(likeIt(value ?? "4000000000000000", chance));
    case "iban":
      return withIbanCheck(likeIt(value ?? "XX00000000000000", chance));
    case "private-key":
      return createHash("sha256").update(word(32)).digest("base64");
    default:
      return likeIt(value ?? word(12), chance);
  }
}

/** A digit for a digit, a letter for a letter of its case, and what separates them stays. */
const likeIt = (value: string, { digit, letter }: Chance): string =>
  value.replaceAll(/[0-9]|\p{Lu}|\p{L}/gu, (one) => {
    if (/[0-9]/.test(one)) return String(digit());
    return /\p{Lu}/u.test(one) ? letter().toUpperCase() : letter();
  });

/** The last digit makes the number a card's: https://www.iso.org/standard/70484.html */
function withLuhn(number: string): string {
  const digits = number.replaceAll(/\D/g, "").split("").map(Number);
  const sum = digits
    .slice(0, -1)
    .toReversed()
    .reduce((total, digit, index) => total + (index % 2 === 0 ? ((digit * 2) % 10) + Math.floor(digit / 5) : digit), 0);
  return number.replace(/\d(?=\D*$)/, String((10 - (sum % 10)) % 10));
}

/** Its country stays (two letters), and its check digits are made right (ISO 13616). */
function withIbanCheck(iban: string): string {
  const plain = iban.replaceAll(/[^0-9A-Za-z]/g, "").toUpperCase();
  const turned = `${plain.slice(4)}${plain.slice(0, 2)}00`;
  const digits = turned.replaceAll(/[A-Z]/g, (one) => String(one.charCodeAt(0) - 55));
  const check = digits === "" ? "00" : String(98n - (BigInt(digits) % 97n)).padStart(2, "0");
  return iban.replace(/^(\W*\w\W*\w\W*)\w(\W*)\w/, `$1${check[0]}$2${check[1]}`);
}
