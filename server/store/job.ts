/** What waits in the sink: an opening, a closing, or both, and whoever waits for it. */

import { GatewayError } from "../errors.ts";
import type { CallNumber, Closing, Masked, Opening, RecordedBody } from "../model/receipt.ts";

export type Work =
  | { readonly kind: "open"; readonly opening: Masked<Opening> }
  | { readonly kind: "close"; readonly call: CallNumber; readonly closing: Masked<Closing> }
  | {
      readonly kind: "record";
      readonly opening: Masked<Opening>;
      readonly closing: (call: CallNumber) => Masked<Closing>;
    };

export type Result = CallNumber | GatewayError;

export class Job {
  readonly work: Work;
  /** Monotonic ms after which nobody waits any more. */
  deadline: number;
  /** Roughly what it holds in memory, bytes. */
  readonly weight: number;
  readonly #settle: (result: Result) => void;
  #settled = false;

  constructor(work: Work, deadline: number, settle: (result: Result) => void) {
    this.work = work;
    this.deadline = deadline;
    this.weight = weigh(work);
    this.#settle = settle;
  }

  /** Whoever waited has had an answer. */
  get settled(): boolean {
    return this.#settled;
  }

  settle(result: Result): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(result);
  }

  giveUp(): void {
    this.settle(new GatewayError("recording_unavailable", "the database did not take the receipt in time"));
  }
}

const weigh = (work: Work): number => {
  switch (work.kind) {
    case "open":
    case "record":
      return 2_048 + bytesOf(work.opening.request.body);
    case "close":
      return 2_048 + bytesOf(work.closing.request_body) + bytesOf(work.closing.response?.body ?? null);
    default:
      return work satisfies never;
  }
};

const bytesOf = (body: RecordedBody | null): number => body?.bytes?.length ?? 0;
