/** What hearing needs of the world, and what can become of something that was heard. */

import type { GitHub } from "../../../model/github.ts";
import { holdLease } from "../lease.ts";
import type { ApprovalParts, Directory } from "../parts.ts";

export type HearParts = Pick<ApprovalParts, "store" | "show" | "audit" | "log" | "now"> & {
  readonly github: GitHub;
  readonly directory: Directory;
  /** Of this gateway's leases. */
  readonly holder: string;
};

/** How it is known that GitHub says it: a delivery is signed, an answer was asked for. */
export type Proof = "signature" | "asked";

/** `ignored`: it is nothing to us. `later`: it is heard again. */
export type Outcome = "done" | "ignored" | "later";

/** A gateway that is gone is followed by another one after so long, ms. */
const leaseFor = 20_000;

/** No two gateways deal with the same at the same time. What was begun and not ended is begun again by whoever hears it next. */
export async function byOne(
  { store, holder }: Pick<HearParts, "store" | "holder">,
  name: string,
  act: () => Promise<Outcome>,
): Promise<Outcome> {
  let outcome: Outcome = "later";
  await holdLease({ store, name: `hear:${name}`, holder, ms: leaseFor }, async () => {
    outcome = await act();
    return 0;
  });
  return outcome;
}
