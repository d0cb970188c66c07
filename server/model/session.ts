/** What one caller did on one connection, from token exchange to close; for CI, one job. */

import type { Caller } from "./caller.ts";
import type { Seal } from "./seal.ts";

export type SessionState = "open" | "closed" | "expired";

export type Hold = { readonly by: string; readonly at: Date; readonly reason: string };

export type Session = {
  /** UUIDv7 */
  readonly id: string;
  readonly connection: string;
  readonly caller: Caller;
  readonly state: SessionState;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  /** Calls recorded so far; the next one is `calls + 1`. */
  readonly calls: number;
  readonly denied: number;
  readonly approved: number;
  readonly masked: number;
  /** Who said that it must not go, whatever its age; null: it goes when it is old. */
  readonly hold: Hold | null;
  /** Null until it is sealed. */
  readonly seal: Seal | null;
};

/** What a presented session token stands for; kept in memory by the token's digest. */
export type SessionGrant = {
  readonly session_id: string;
  readonly connection: string;
  readonly caller: Caller;
  /** When this token (not the session) stops being accepted. */
  readonly expires_at: Date;
};
