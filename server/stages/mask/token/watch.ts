/** Looks for tokens in a body that only passes: none of them turns back there, and each is an attempt to be told. */

import { isAlphanumeric } from "../detect/validators.ts";
import { Held } from "../stream/held.ts";
import { mayHoldToken, unescaped } from "./text.ts";
import { type Attempt, findForeign } from "./restore.ts";

/** Longer than any token: its payload is at most 65,535 bytes, in base64url. */
const longest = 90_000;
const atOnce = 65_536;
/** As many as a receipt names. */
const mostAttempts = 100;
/** `\u0064`, `%64`: how JSON and forms may write any letter of a token. */
const longestEscape = 6;

/** One body's decoded bytes, in order, however they are cut. Memory stays flat. */
export class TokenWatch {
  readonly #custom: ReadonlySet<string>;
  readonly #attempts: Attempt[] = [];
  #rest = "";
  /** Not looked at yet: what is kept of a long text is gone through again each time. */
  readonly #waiting = new Held();
  constructor(custom: ReadonlySet<string>) {
    this.#custom = custom;
  }

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    if (this.#waiting.length >= atOnce) this.#read();
  }

  #read(): void {
    const raw = this.#rest + this.#waiting.take().toString("latin1");
    const whole = wholeEscapes(raw);
    const text = unescaped(raw.slice(0, whole));
    const open = openFrom(text);
    this.#look(text.slice(0, open));
    this.#rest = text.slice(open) + raw.slice(whole);
  }

  end(): void {
    this.#read();
    this.#look(unescaped(this.#rest));
    this.#rest = "";
  }

  #look(text: string): void {
    const room = mostAttempts - this.#attempts.length;
    if (room === 0 || !mayHoldToken(text.toLowerCase())) return;
    const found = findForeign(text, this.#custom).slice(0, room);
    this.#attempts.push(...found.map((attempt) => ({ ...attempt, path: "$" })));
  }
}

/** Up to where no escape may be cut. */
const wholeEscapes = (text: string): number => {
  const from = Math.max(0, text.length - longestEscape + 1);
  const at = Math.max(text.indexOf("\\", from), text.indexOf("%", from));
  return at === -1 ? text.length : at;
};

/** From where a token may run on behind the end. */
const openFrom = (text: string): number => {
  const least = Math.max(0, text.length - longest);
  let at = text.length;
  while (at > least && isOfToken(text.charCodeAt(at - 1))) at--;
  return at;
};

/** `https://masked.invalid/dwm_url_…`, `dwm_email_…@masked.invalid` */
const isOfToken = (code: number): boolean =>
  isAlphanumeric(code) || (code >= 0x2d && code <= 0x2f) || code === 0x3a || code === 0x40 || code === 0x5f;
