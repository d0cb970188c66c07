/** The question, and later its answer, as a comment on GitHub. */

import type { Answer, Approval } from "../../model/approval.ts";

export type Links = {
  /** The approval's page. */
  readonly page: string;
  /** The page of the call that the approval let pass; null while there is none. */
  readonly call: string | null;
};

/** The comment as it reads in the approval's present state: ask with it, and edit it to it at the end. At most 65,536 characters. */
export const commentOf = (_approval: Approval, _links: Links): string => {
  throw new Error("not built yet");
};

/** What is replied to one attempt, accepted or refused. */
export const replyOf = (_approval: Approval, _answer: Answer): string => {
  throw new Error("not built yet");
};

/** The id of the approval whose comment this is; null unless it begins with our marker: a marker inside a body proves nothing. */
export const markedApproval = (_comment: string): string | null => {
  throw new Error("not built yet");
};
