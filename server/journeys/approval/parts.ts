/** What the journeys of an approval need of the world, and what the call journey sees of them. */

import type { Approval, ApprovalState, Grant, RunContext } from "../../model/approval.ts";
import type { ApiRefusal } from "../../errors.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { Caller } from "../../model/caller.ts";
import type { Log } from "../../model/log.ts";
import type { CallNumber } from "../../model/receipt.ts";
import type { RunNow, Standing } from "../../stages/escalate/facts.ts";
import type { WhereRun } from "../../stages/escalate/standing.ts";
import type { Places } from "../../store/approvalPlaces.ts";
import type { AnswerAttempt, Answered, NewApproval, SeenApprovals } from "../../store/approvals.ts";
import type { GrantSought, NewGrant } from "../../store/departures.ts";
import type { Page, PageRequest } from "../history.ts";

/** The part of the store that approvals live in; `store/approvals.ts` is one. */
export interface ApprovalStore extends Places {
  findLive(session_id: string, request_digest: string): Promise<Approval | null>;
  ask(asked: NewApproval): Promise<{ readonly approval: Approval; readonly how: "new" | "joined" }>;
  attach(id: string, call: CallNumber): Promise<void>;
  get(id: string): Promise<Approval | null>;
  list(
    page: PageRequest & {
      readonly state?: ApprovalState | undefined;
      readonly session_id?: string | undefined;
      /** Only these. */
      readonly seen?: SeenApprovals | undefined;
    },
  ): Promise<Page<Approval> | ApiRefusal>;
  live(): Promise<readonly Approval[]>;
  answer(id: string, attempt: AnswerAttempt): Promise<Answered>;
  end(id: string, state: "expired" | "stale" | "cancelled", reason: string): Promise<Approval | null>;
  expire(): Promise<readonly string[]>;
  lease(name: string, holder: string, ms: number): Promise<boolean>;
  consume(id: string, use: { readonly call: CallNumber; readonly grant: NewGrant | null }): Promise<boolean>;
  findGrant(sought: GrantSought): Promise<Grant | null>;
  useGrant(grant: Grant, call: CallNumber): Promise<boolean>;
  onChanged(callback: (id: string | null) => void): () => void;
}

/** It could not be asked, and why. */
export type Unasked = { readonly unasked: string };

export const isUnasked = (answer: object): answer is Unasked => "unasked" in answer;

/** What has to be known of GitHub, asked live; `journeys/approval/directory.ts` asks the App's client. */
export interface Directory {
  /** Where the caller's run happens. */
  contextOf(caller: Caller): Promise<RunContext | Unasked>;
  /** Where it happened, for a question about what it left behind: it may be over. */
  contextAfter(caller: Caller): Promise<RunContext | Unasked>;
  /** The same later; null when it could not be asked. */
  runNow(run: RunContext): Promise<RunNow | null>;
  /** The same without the run's people, for less. */
  whereIs(run: RunContext): Promise<WhereRun | null>;
  /** Null when it could not be asked. `teams`: the ones that the rule names. */
  standingOf(run: RunContext, login: string, teams: readonly string[]): Promise<Standing | null>;
}

export type ApprovalParts = {
  readonly store: ApprovalStore;
  /** Null without a GitHub App. */
  readonly directory: Directory | null;
  /** Of the codes; the same at every gateway. */
  readonly key: Buffer;
  readonly publicUrl: string;
  /** Whether runs without a pull request are asked about in a new issue. */
  readonly issues: boolean;
  /** Something was asked or has changed, and people have to be shown; never waits. */
  show(id: string): void;
  audit(event: AuditEvent): void;
  readonly log: Log;
  now(): Date;
  chance(bytes: number): Buffer;
};

/** How long held calls wait and how many may. */
export type Holding = {
  /** ms, `hold`. */
  hold(): number;
  /** Aborted when the gateway stops: nobody is held any longer. */
  readonly stopping: AbortSignal;
};
