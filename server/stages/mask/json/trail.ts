/** Paths of values that lie deep are kept short: what is between their beginning and their end is named by one digest, made once a container. */

import { hash } from "node:crypto";
import type { Step } from "../place/place.ts";

/** So long a path stays as it is: nearly all of Datadog's documents are less deep. */
const longest = 16;
const kept = 6;
const last = 2;

/** The steps that lead to the current value, as whoever reads the document knows them; levels count from 1. */
export type Steps = { readonly prefix: readonly Step[]; readonly stepAt: (level: number) => Step };

export class Trail {
  readonly #steps: Steps;
  /** By level: of all steps up to it. */
  readonly #digests: string[];
  #known = 0;
  constructor(steps: Steps) {
    this.#steps = steps;
    this.#digests = [""];
  }

  /** The step at `level` is another one now. */
  leave(level: number): void {
    if (this.#known >= level) this.#known = level - 1;
  }

  /** To the value at `depth`; two values of one document that lie at two places have two paths. */
  path(depth: number): Step[] {
    const { prefix } = this.#steps;
    return prefix.length + depth <= longest ? this.#exact(prefix, { from: 1, to: depth }) : this.#short(depth);
  }

  #exact(before: readonly Step[], { from, to }: { readonly from: number; readonly to: number }): Step[] {
    const path = before.slice();
    for (let level = from; level <= to; level++) path.push(this.#steps.stepAt(level));
    // One that grew has room for more, and there may be a million of them.
    return path.slice();
  }

  #short(depth: number): Step[] {
    const { prefix } = this.#steps;
    const from = Math.max(0, depth - last);
    const head = this.#exact(prefix.slice(0, kept), { from: 1, to: Math.min(from, kept - prefix.length) });
    return this.#exact([...head, this.#digest(from)], { from: from + 1, to: depth });
  }

  #digest(level: number): string {
    this.#digests[0] ||= digestOf("", this.#steps.prefix);
    for (let at = this.#known + 1; at <= level; at++)
      this.#digests[at] = digestOf(this.#digests[at - 1] ?? "", [this.#steps.stepAt(at)]);
    this.#known = Math.max(this.#known, level);
    return this.#digests[level] ?? "";
  }
}

const digestOf = (before: string, steps: readonly Step[]): string =>
  `…${hash("sha256", JSON.stringify([before, ...steps]), "base64url")}`;
