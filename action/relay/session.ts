/** Keeps one session alive: its token is renewed with a fresh identity token before it expires. */

import type { TokenAnswer } from "../../server/contract.ts";
import { explain } from "../gateway.ts";
import type { Log } from "../log.ts";

export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Acts once after so many milliseconds; the answer calls it off. */
  after(milliseconds: number, act: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, act) {
    const timer = setTimeout(act, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export type LiveSession = {
  readonly id: string;
  /** The current token; an expired one is renewed first, if it can be. */
  token(): Promise<string>;
  stop(): void;
};

export type Keeping = {
  readonly opened: TokenAnswer;
  /** Renews the session and gives its new token. */
  readonly renew: () => Promise<TokenAnswer>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, when the session has been expired for an hour: its job is gone. */
  readonly onLost: () => void;
};

const seconds = 1_000;
const hour = 3_600 * seconds;
/** Between failed attempts. */
const breather = 15 * seconds;

export const keepSession = ({ opened, renew, clock, log, onLost }: Keeping): LiveSession => {
  let token = opened.access_token;
  let expiresAt = clock.now() + opened.expires_in * seconds;
  let callOff = () => {};
  let stopped = false;
  let renewing: Promise<void> | undefined;

  const schedule = (wait: number) => {
    if (!stopped) callOff = clock.after(wait, () => void renewOnce());
  };
  const attempt = async () => {
    try {
      const renewed = await renew();
      token = renewed.access_token;
      expiresAt = clock.now() + renewed.expires_in * seconds;
      log(`session renewed for ${Math.round(renewed.expires_in / 60)} min`);
      schedule(untilRenewal(renewed));
    } catch (error) {
      log(`the session could not be renewed: ${explain(error)}`);
      if (clock.now() - expiresAt > hour) onLost();
      else schedule(breather);
    }
  };
  /** One attempt at a time, however many ask. */
  const renewOnce = (): Promise<void> => {
    callOff();
    renewing ??= attempt().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  schedule(untilRenewal(opened));
  return {
    id: opened.session_id,
    async token() {
      if (clock.now() >= expiresAt && !stopped) await renewOnce();
      return token;
    },
    stop() {
      stopped = true;
      callOff();
    },
  };
};

/** After two thirds of a token's life: a third is left to try again. */
const untilRenewal = (answer: TokenAnswer): number => (answer.expires_in * seconds * 2) / 3;
