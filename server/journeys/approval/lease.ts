/** Does something that no other gateway does at the same time: a lease in the database, renewed as long as it takes. */

import type { ApprovalStore } from "./parts.ts";

export type Lease = {
  readonly store: Pick<ApprovalStore, "lease">;
  readonly name: string;
  readonly holder: string;
  /** A gateway that is gone keeps it for at most so long. */
  readonly ms: number;
};

export type Leased = {
  /** Right before what must not happen twice. @throws LeaseLost */
  still(): Promise<void>;
};

/** Another gateway may be at it by now. */
export class LeaseLost extends Error {
  constructor(name: string) {
    super(`the lease ${name} was lost`);
    this.name = "LeaseLost";
  }
}

/** `act` tells for how long nobody needs to try, ms. False when somebody else holds it. Rejects as `act` does, and the lease then runs out by itself. */
export async function holdLease(lease: Lease, act: (leased: Leased) => Promise<number>): Promise<boolean> {
  const { store, name, holder, ms } = lease;
  if (!(await store.lease(name, holder, ms))) return false;
  const renew = (): Promise<boolean> => store.lease(name, holder, ms);
  // What fails here shows when it matters.
  const renewing = setInterval(() => void renew().catch(() => false), ms / 3);
  try {
    const rest = await act({
      still: async () => {
        if (!(await renew())) throw new LeaseLost(name);
      },
    });
    clearInterval(renewing);
    await store.lease(name, holder, rest);
    return true;
  } finally {
    clearInterval(renewing);
  }
}
