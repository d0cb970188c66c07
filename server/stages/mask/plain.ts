/**
 * Short texts beside bodies in which nothing was found: header fields, clients and paths are the same call after call. They are remembered
 * as long as the masks that found nothing are in force.
 */

/** Longer ones are seldom said twice; the oldest go first. About 1 MB at most. */
const longest = 256;
const most = 4_096;

export class Plain {
  readonly #texts = new Set<string>();

  has(text: string): boolean {
    return text.length <= longest && this.#texts.has(text);
  }

  /** Nothing stands in it for anybody: what was found, and so whose token it would be, is never remembered. */
  add(text: string): void {
    if (text.length > longest) return;
    this.#texts.add(text);
    if (this.#texts.size <= most) return;
    for (const oldest of this.#texts) {
      this.#texts.delete(oldest);
      return;
    }
  }
}
