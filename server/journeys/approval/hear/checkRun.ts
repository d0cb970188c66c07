/** A check run of ours exists: when the answer to its creation was lost, this tells where it is. */

import { z } from "zod";
import type { Heard } from "../../../model/github.ts";
import type { HearParts, Outcome } from "./parts.ts";

export async function hearCheckRun(
  { store, show }: HearParts,
  { repository, id, url, external_id }: Extract<Heard, { kind: "check_run" }>,
): Promise<Outcome> {
  const approval = z.uuid().safeParse(external_id).success ? await store.get(external_id) : null;
  if (approval === null || approval.binding.repository_id !== repository.repository_id) return "ignored";
  if (approval.where.some(({ kind }) => kind === "check_run")) return "done";
  if (!(await store.hasBegun(approval.id, "check_run"))) return "ignored";
  const address = url === "" ? approval.run?.pull?.url : url;
  if (address === undefined) return "ignored";
  await store.addPlace(approval.id, { kind: "check_run", url: address, id, number: null });
  show(approval.id);
  return "done";
}
