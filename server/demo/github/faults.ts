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

export type Faults = {
  /** For the next requests of this operation (`pulls/create-review-comment`), or of any; `times` is 1 unless it is said. */
  next(operation: string | "any", fault: Fault, times?: number): void;
  clear(): void;
};
