/** The question as people see it: everything they need to answer, in plain words. */

import type { CurrentState, Question, RunContext } from "../../model/approval.ts";
import type { Caller } from "../../model/caller.ts";
import type { Decision } from "../../model/decision.ts";
import type { Operation } from "../../model/operation.ts";

/** One held call; `body` decoded and masked, `current` masked. */
export type Held = {
  readonly caller: Caller;
  readonly run: RunContext | null;
  readonly connection: string;
  readonly operation: Operation;
  readonly request: {
    readonly host: string;
    readonly path: string;
    readonly query: string;
    readonly body: Buffer | null;
  };
  readonly decision: Decision;
  readonly current: CurrentState;
};

export const questionOf = (_held: Held): Question => {
  throw new Error("not built yet");
};
