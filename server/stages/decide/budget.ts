/** Bounds the memory of all bodies that are held for rules at the same time: one process, one budget. */

import { type Refusal, refuse } from "../../errors.ts";

/** Gives reserved bytes back; a second call does nothing. */
export type Release = () => void;

export type InspectionBudget = {
  /** Sets `bytes` aside, or refuses with `gateway_busy` when too many bodies are being looked at. Nothing was sent then. */
  readonly reserve: (bytes: number) => Release | Refusal;
};

/** `total` bytes for bodies as they came and decoded; a body of unknown length reserves its limit. */
export const createBudget = (total: number): InspectionBudget => {
  let free = total;
  return {
    reserve: (bytes) => {
      if (bytes > free) return refuse("gateway_busy", "too many request bodies are being inspected at once; try again");
      free -= bytes;
      let held = bytes;
      return () => {
        free += held;
        held = 0;
      };
    },
  };
};
