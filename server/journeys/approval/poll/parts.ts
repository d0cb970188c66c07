/** What looking for answers needs of the world, and how one kind of it is looked for. */

import type { Outline } from "../../../model/approval.ts";
import type { GitHubReader, Heard } from "../../../model/github.ts";
import type { Outcome, Proof } from "../hear/parts.ts";
import type { ApprovalParts, Directory } from "../parts.ts";

export type PollParts = Pick<ApprovalParts, "store" | "show" | "log" | "now"> & {
  readonly github: GitHubReader;
  readonly directory: Directory;
  hear(heard: Heard, proof: Proof): Promise<Outcome>;
  /** Of this gateway's leases. */
  readonly holder: string;
};

export interface Poll {
  /** One round. @throws GitHubFailure when the next one has to do */
  poll(watched: readonly Outline[]): Promise<void>;
  /** Nothing is open any more, or somebody else polls: the next round begins anew. */
  forget(): void;
}

/** From round to round, ms: an answer is found within this and a moment. */
export const pollEvery = 10_000;
