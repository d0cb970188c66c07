/** What people said about a call, as it is sealed with its receipt: who answered, where, when and with which words, and what that let pass. */

import type { CallApproval } from "../../model/seal.ts";

type Times<T> = { readonly [K in keyof T]: Timed<T[K]> };
/** JSON has no times: they are texts in it. */
type Timed<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Timed<Item>[]
    : T extends object
      ? Times<T>
      : T;

export type SealedApproval = Timed<CallApproval>;

export const sealedApprovalOf = (approval: CallApproval): SealedApproval => ({
  ...approval,
  asked_at: approval.asked_at.toISOString(),
  expires_at: approval.expires_at.toISOString(),
  decided_at: approval.decided_at?.toISOString() ?? null,
  answers: approval.answers.map((answer) => ({ ...answer, at: answer.at.toISOString() })),
  grant:
    approval.grant === null
      ? null
      : {
          ...approval.grant,
          made_at: approval.grant.made_at.toISOString(),
          expires_at: approval.grant.expires_at?.toISOString() ?? null,
        },
  passed: approval.passed === null ? null : { ...approval.passed, at: approval.passed.at.toISOString() },
});
