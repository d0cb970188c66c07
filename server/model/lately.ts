/** What somebody else said a moment ago: good for a minute, and for five seconds where they did not say, so that a hiccup does not last a minute. */

/** ms */
const lately = 60_000;
const unsaid = 5_000;
const mostRemembered = 10_000;

export class Lately<T> {
  readonly #monotonic: () => number;
  /** The oldest first. `until`: by the monotonic clock, ms. */
  readonly #remembered = new Map<string, { readonly value: T; readonly until: number }>();

  /** `monotonic`: ms */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Undefined where it has to be asked again. */
  get(key: string): T | undefined {
    const known = this.#remembered.get(key);
    return known !== undefined && this.#monotonic() < known.until ? known.value : undefined;
  }

  /** `isSaid`: it is what they said, not what is taken for it. */
  set(key: string, value: T, isSaid: boolean): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { value, until: this.#monotonic() + (isSaid ? lately : unsaid) });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
