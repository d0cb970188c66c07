/** A call that is on its way. */

import type { Capture } from "../../stages/record/capture.ts";
import type { Receipt } from "../../stages/record/receipt.ts";
import type { Trace } from "./draft.ts";
import type { Call, Judged } from "./parts.ts";

export type Forwarded = {
  readonly call: Call;
  readonly judged: Judged;
  readonly receipt: Receipt;
  readonly trace: Trace;
  /** A request body that was still streaming at the opening. */
  readonly upload: Capture | null;
  /** Closes the connection to the upstream. */
  cancel(): void;
};
