/** What goes wrong on demand. */

export type Fault =
  /** Nothing is done. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Nothing is done, and the connection ends without an answer. */
  | { readonly kind: "refused" }
  /** Nothing is done, and no answer ever comes: the connection stays open. */
  | { readonly kind: "silent" }
  /** It is done, and the connection ends without an answer. */
  | { readonly kind: "lost" }
  /** It is done, and answered when this is over. */
  | { readonly kind: "late"; readonly until: Promise<unknown> };

export class Faults {
  #waiting: { readonly operation: string; readonly fault: Fault; times: number }[] = [];

  /** For the next requests of this operation (`pulls/create-review-comment`), or of `any`. */
  next(operation: string, fault: Fault, times = 1): void {
    this.#waiting.push({ operation, fault, times });
  }

  clear(): void {
    this.#waiting = [];
  }

  take(operation: string | null): Fault | null {
    const found = this.#waiting.find(
      (each) => each.times > 0 && (each.operation === "any" || each.operation === operation),
    );
    if (found === undefined) return null;
    found.times -= 1;
    return found.fault;
  }
}
