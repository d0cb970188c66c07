/** A human's answer to one held call: the question as it is stored, who may answer it, and every attempt to. */

import type { CallNumber } from "./receipt.ts";
import type { Refusal } from "../errors.ts";

export const approvalStates = ["pending", "approved", "denied", "expired", "stale", "cancelled", "consumed"] as const;

/** `pending` and `approved` are live: an identical request joins them. The others are for good. */
export type ApprovalState = (typeof approvalStates)[number];

/** GitHub's permission levels, weakest first. */
export const permissions = ["read", "triage", "write", "maintain", "admin"] as const;
export type Permission = (typeof permissions)[number];

export const ways = ["comment", "check", "page"] as const;
/** By which a person answers: a comment in the thread, a button of the check run, the page. */
export type Way = (typeof ways)[number];

/** Whom a rule asks; every part that is there must fit, and within `teams`, `users` and `groups` any one of them. */
export type Approvers = {
  /** At least this live permission on the repository. */
  readonly permission?: Permission;
  /** Names of the repository's roles, custom ones too, any of them. */
  readonly roles: readonly string[];
  /** Slugs of teams of the repository's owner, any of them. */
  readonly teams: readonly string[];
  /** For callers that are not GitHub jobs: groups of whoever is signed in, any of them. */
  readonly groups: readonly string[];
  /** Distinct people, from 1. */
  readonly count: number;
  /** The run's own people (actor, triggering actor, author of the pull request, last pusher) may answer too. */
  readonly self: boolean;
};

/** What a rule permits beyond one call: `/approve CODE session`, `/approve CODE 30m`. */
export type Grants = {
  readonly session: boolean;
  /** Longest duration, ms; null: none. */
  readonly longest: number | null;
};

/** What a rule with the effect `approve` asks for. Of several matching rules the strictest of each part counts, see `stages/escalate/terms.ts`. */
export type Terms = {
  readonly rule: string;
  readonly approvers: Approvers;
  readonly via: readonly Way[];
  readonly grants: Grants;
  /** ms from the question to its end. */
  readonly expires: number;
};

/** Where a run happens on GitHub, asked of GitHub's API and never of a claim: what the question is bound to. */
export type RunContext = {
  readonly repository: string;
  readonly repository_id: string;
  readonly run_id: string;
  readonly run_attempt: string;
  /** Null for runs without a pull request. */
  readonly pull: PullContext | null;
  /** Logins of the run's actor, triggering actor, the pull request's author and the last pusher. */
  readonly own_people: readonly string[];
  readonly head_sha: string;
  /** What the workflow calls the job that asks; whoever writes the workflow chooses it. */
  readonly job?: string | undefined;
  /** The run may be over: what it left behind is what is asked about. */
  readonly afterwards?: boolean | undefined;
};

export type PullContext = { readonly number: number; readonly head_sha: string; readonly url: string };

/** What one approval binds; its RFC 8785 form's SHA-256 is the digest. */
export type Binding = {
  readonly session_id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly connection: string;
  readonly repository_id: string | null;
  readonly pull_request: number | null;
  readonly head_sha: string | null;
  readonly run_id: string | null;
  readonly run_attempt: string | null;
  /** Names of the rules that asked, sorted. */
  readonly rules: readonly string[];
  readonly policy: string;
  readonly method: string;
  readonly host: string;
  /** Masks applied. */
  readonly path: string;
  readonly query: string;
  /** Hex HMAC-SHA-256 of both as they are sent, under the mask key. */
  readonly target: string;
  readonly content_type: string | null;
  /** Hex, of the decoded body; multipart by part. */
  readonly body_sha256: string;
};

/** The question as people see it, masks applied: enough to answer, and to show again years later. */
export type Question = {
  /** `Delete monitor 4212 “Checkout latency p99”`, one line, control and bidi characters made visible. */
  readonly title: string;
  readonly operation: string;
  readonly access: string;
  readonly connection: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** Names and clauses of the rules that asked. */
  readonly why: readonly { readonly rule: string; readonly reason: string }[];
  /** Who asks: `repository`, `workflow`, `job`, `actor`, `run_url` for GitHub; `subject`, `issuer` else. */
  readonly who: Readonly<Record<string, string>>;
  /** The whole decoded body as text; null when there is none or it is not text. */
  readonly body: string | null;
  readonly body_size: number;
  /** What is there now, from Datadog with the gateway's own credentials. */
  readonly current: CurrentState;
};

export type CurrentState =
  /** `text`: pretty JSON without what the operation itself changes; `digest` is compared before the call is sent. `call`: its recording. */
  | { readonly kind: "known"; readonly text: string; readonly digest: string; readonly call: CallNumber | null }
  /** A create, or an operation without a GET: `why` says which. */
  | { readonly kind: "unavailable"; readonly why: string };

export type Place = {
  readonly kind: "review_comment" | "comment" | "check_run" | "issue" | "page";
  readonly url: string;
  /** GitHub's id of the comment, check run or issue; null for the page. */
  readonly id: number | null;
  /** Of the issue or pull request it stands in. */
  readonly number: number | null;
};

export type Verdict = "approve" | "deny";

/** One attempt to answer, refused ones too. */
export type Answer = {
  readonly verdict: Verdict;
  /** `github:octocat`, `okta:ana@acme.com`. */
  readonly by: string;
  readonly via: Way;
  readonly at: Date;
  readonly accepted: boolean;
  /** Why it was refused, or what the person wrote; empty when neither. */
  readonly reason: string;
  /** What was asked for beyond this one call. */
  readonly grant: GrantAsked | null;
};

export type GrantAsked = { readonly kind: "session" } | { readonly kind: "duration"; readonly ms: number };

export type Approval = {
  /** UUIDv7 */
  readonly id: string;
  readonly state: ApprovalState;
  /** 6 to 10 of A–Z and 0–9. */
  readonly code: string;
  readonly session_id: string;
  readonly connection: string;
  /** The call that asked first. */
  readonly call: CallNumber | null;
  /** The call that it let pass. */
  readonly consumed_by: CallNumber | null;
  readonly operation: string;
  readonly terms: Terms;
  /** Hex SHA-256 of the whole binding. */
  readonly digest: string;
  /** Hex SHA-256 of what identical requests share: the binding without what GitHub says of the run. */
  readonly request_digest: string;
  readonly binding: Binding;
  /** Null for callers that are no GitHub job. */
  readonly run: RunContext | null;
  readonly question: Question;
  readonly asked_at: Date;
  readonly expires_at: Date;
  readonly decided_at: Date | null;
  /** Why it ended as it did, one sentence: who denied it and with which words, what went stale, what cancelled it. */
  readonly reason: string;
  readonly where: readonly Place[];
  readonly answers: readonly Answer[];
};

/** An approval without what it shows: enough to find it by, and to ask GitHub whether it still stands. */
export type Outline = Pick<
  Approval,
  "id" | "state" | "code" | "session_id" | "terms" | "binding" | "run" | "asked_at" | "where"
>;

/** Lets every call of one operation pass for the rest of a session, or for a while. */
export type Grant = {
  readonly id: string;
  readonly session_id: string;
  readonly operation: string;
  readonly rule: string;
  readonly policy: string;
  readonly approval_id: string;
  readonly by: string;
  readonly expires_at: Date | null;
};

/** Why a held call does not pass, in the data plane's words. */
export const refusalCodes = {
  pending: "approval_required",
  denied: "approval_denied",
  expired: "approval_expired",
  stale: "approval_stale",
  cancelled: "approval_cancelled",
  consumed: "approval_required",
} as const satisfies Partial<Record<ApprovalState, Refusal["code"]>>;
