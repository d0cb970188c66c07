/** Approvals as tests of the store need them: each says only what matters to it. */

import { createHash, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Answer, Terms } from "../../server/model/approval.ts";
import type { NewApproval } from "../../server/store/approvals.ts";

const terms = (changes: Partial<Terms> = {}): Terms => ({
  rule: "deletes-need-a-human",
  approvers: { permission: "write", roles: [], teams: [], groups: [], count: 1, self: false },
  via: ["comment", "check", "page"],
  grants: { session: false, longest: null },
  expires: 30 * 60_000,
  ...changes,
});

/** Two with the same `request` in one session are identical requests. */
export const question = (
  session_id: string,
  {
    request = randomBytes(8).toString("hex"),
    count = 1,
    ...changes
  }: Partial<Terms> & { readonly request?: string; readonly count?: number } = {},
): NewApproval => {
  const asked = terms(changes);
  return {
    id: uuidv7(),
    code: "K7Q2M9",
    session_id,
    connection: "prod",
    operation: "v1.MonitorsApi.DeleteMonitor",
    terms: { ...asked, approvers: { ...asked.approvers, count } },
    digest: createHash("sha256").update(`whole ${request}`).digest("hex"),
    request_digest: createHash("sha256").update(request).digest("hex"),
    binding: {
      session_id,
      issuer: "https://token.actions.githubusercontent.com",
      subject: "repo:acme/app:pull_request",
      connection: "prod",
      repository_id: "42",
      pull_request: 7,
      head_sha: "a".repeat(40),
      run_id: "9001",
      run_attempt: "1",
      rules: ["deletes-need-a-human"],
      policy: "0".repeat(64),
      method: "DELETE",
      host: "api.datadoghq.com",
      path: "/api/v1/monitor/4212",
      query: "",
      target: "",
      content_type: null,
      body_sha256: createHash("sha256").digest("hex"),
    },
    run: null,
    question: {
      title: "Delete monitor 4212 “Checkout latency p99\0”",
      operation: "v1.MonitorsApi.DeleteMonitor",
      access: "destructive",
      connection: "prod",
      method: "DELETE",
      host: "api.datadoghq.com",
      path: "/api/v1/monitor/4212",
      query: "",
      why: [{ rule: "deletes-need-a-human", reason: 'operation.access == "destructive"' }],
      who: { repository: "acme/app" },
      body: null,
      body_size: 0,
      current: { kind: "unavailable", why: "not asked in this test" },
    },
  };
};

export const yes = (by: string, changes: Partial<Answer> = {}): Omit<Answer, "at"> => ({
  verdict: "approve",
  by,
  via: "comment",
  accepted: true,
  reason: "",
  grant: null,
  ...changes,
});

export const no = (by: string, reason = ""): Omit<Answer, "at"> => yes(by, { verdict: "deny", reason });
