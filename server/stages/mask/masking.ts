/** What masks are applied with: the ones that are configured, the keys, and the place of the call. */

import type { Operation } from "../../model/operation.ts";
import { type Families, familyOf } from "./place/family.ts";
import type { CallPlace } from "./place/place.ts";
import { type Masks, type Plan, planFor } from "./plan.ts";
import type { Sealing } from "./token/bind.ts";
import type { MaskKeys } from "./token/keys.ts";

/** `undecodable`: what becomes of a body of which nobody can tell what stands in it. */
export type MaskSet = {
  readonly masks: Masks;
  readonly keys: MaskKeys;
  readonly families: Families;
  readonly undecodable: "digest" | "refuse";
};

/** What masks of one operation are applied with. */
export type Masking = {
  readonly plan: Plan;
  readonly plain: Pick<Masks, "plainTexts" | "plainFields">;
  readonly sealing: Sealing;
  /** Names of own detectors. */
  readonly custom: ReadonlySet<string>;
  readonly undecodable: MaskSet["undecodable"];
};

export const maskingOf = (
  { masks, keys, families, undecodable }: MaskSet,
  operation: Operation,
  { host, query, ...call }: CallPlace & { readonly host: string; readonly query: string },
): Masking => ({
  plan: planFor(masks, operation),
  plain: masks,
  sealing: {
    keys,
    call,
    query,
    // Most calls have nothing to seal.
    get family() {
      return familyOf(families, operation, host);
    },
  },
  custom: masks.custom,
  undecodable,
});
