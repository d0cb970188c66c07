/** Asks GitHub whether anybody still waits for an answer: a run that has ended, a pull request that was closed or has new commits, cancels its questions. */

import type { Outline } from "../../model/approval.ts";
import { endOf } from "../../stages/escalate/use.ts";
import type { ApprovalParts, Directory } from "./parts.ts";

export type RecheckParts = Pick<ApprovalParts, "store" | "show"> & { readonly directory: Directory };

export async function recheck(
  { directory, store, show }: RecheckParts,
  asked: readonly Pick<Outline, "id" | "binding" | "run">[],
): Promise<void> {
  for (const sameRun of Map.groupBy(asked, ({ run }) => `${run?.repository_id} ${run?.run_id}`).values()) {
    const run = sameRun[0]?.run ?? null;
    const where = run === null ? null : await directory.whereIs(run);
    if (where === null) continue;
    for (const outline of sameRun) {
      const end = endOf(outline, where);
      if (end !== null && (await store.end(outline.id, "cancelled", end)) !== null) show(outline.id);
    }
  }
}
