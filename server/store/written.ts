/**
 * What a sink's connection has committed and need not send again: phrases and small bodies, which receipts say over and over. It goes with its
 * connection: what one server has taken, the next one may never have heard of.
 */

/** About 100 bytes each. */
const mostRemembered = 8_192;

export class Written {
  readonly #names = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Of rows that are durable. The oldest are forgotten, and at worst sent once more. */
  add(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
    for (const name of this.#names) {
      if (this.#names.size <= mostRemembered) return;
      this.#names.delete(name);
    }
  }

  /** A partition was not there: others may have gone with it. */
  forget(): void {
    this.#names.clear();
  }
}
