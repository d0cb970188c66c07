/** Webhook deliveries: signed, sent, lost, repeated, held back, and listed. */

import type { App } from "./state.ts";

export type Delivery = {
  /** In digits: GitHub's are larger than a JavaScript number can tell apart. */
  readonly id: string;
  readonly guid: string;
  readonly app: App;
  readonly event: string;
  readonly action: string | null;
  readonly redelivery: boolean;
  readonly delivered_at: Date;
  readonly headers: Readonly<Record<string, string>>;
  /** The exact bytes that were signed. */
  readonly payload: string;
  /** What came back; 0 when nothing did: lost on the way, no answer. Null while it is under way or held. */
  status_code: number | null;
};

export type Which = { readonly event?: string; readonly action?: string };

export type Deliveries = {
  /** In the order in which they were made, lost and held ones too. */
  readonly all: readonly Delivery[];
  /** They do not arrive; GitHub lists them as failed. Default: all of them, from now on. */
  lose(which?: Which & { readonly times?: number }): void;
  /** They wait until they are released. */
  hold(which?: Which): void;
  /** Those that were held arrive one after the other; from now on all arrive as they come, and nothing is lost any more. */
  release(order?: "as they came" | "reversed"): Promise<void>;
  /** The very same bytes once more, as a repeated delivery or somebody who listened would send them. */
  repeat(delivery: Delivery): Promise<number>;
  /** Until everything that is neither lost nor held has been answered. */
  settled(): Promise<void>;
};
