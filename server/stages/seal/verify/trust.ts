/** What whoever verifies brings along: what no file can say of itself. */

import type { NoteKey } from "../note.ts";
import type { Anchor } from "./anchor.ts";
import { mostLate } from "./places.ts";

export type Trust = {
  /** Of the log, from somewhere else than the file. */
  readonly keys: readonly NoteKey[];
  readonly anchors: readonly Anchor[];
  /** What was asked for, by whoever asked; null: what the file says of itself, which nobody signed. */
  readonly wanted: "all" | readonly string[] | null;
  /** The verifier's own clock: what is said to have expired is believed by no other. */
  readonly now: Date;
  /** How long bodies and receipts are kept, ms. */
  readonly kept: Kept;
};

export type Kept = { readonly bodies: number; readonly receipts: number };

/** Where the gateway's owner configured no other retention. */
export const keptByDefault: Kept = { bodies: 90 * 86_400_000, receipts: 400 * 86_400_000 };

/** Whether what was used last, or sealed, at this time, ms, can have expired since; seals come a little after the last use. */
export const isOver = ({ now, kept }: Pick<Trust, "now" | "kept">, since: number, what: keyof Kept): boolean =>
  now.getTime() - since > kept[what] - mostLate;
