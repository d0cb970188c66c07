/** Tells whoever reads the log who is being waited for: at the start, every minute, and how it ended. */

import type { Log } from "../log.ts";
import type { Clock } from "./session.ts";

/** A question that waits for a person. Everything in it fits one line and is safe to print. */
export type Question = {
  readonly id: string;
  /** `DeleteMonitor` */
  readonly name: string;
  /** Where it can be answered. */
  readonly link: string;
  readonly since: number;
  /** When waiting ends. */
  readonly until: number;
};

export type Teller = {
  /** Called again whenever something may have changed. */
  waiting(question: Question): void;
  over(id: string, how: string): void;
};

export const waitingLine = ({ name, link, until }: Question, now: number): string =>
  `waiting for approval of ${name}: ${link}, ${duration(until - now)} left`;

export const endLine = ({ name, since }: Question, how: string, now: number): string =>
  `approval of ${name}: ${how} (after ${duration(now - since)})`;

/** `2h 5m`, `12m`, and the seconds where they matter: `1m 5s`, `40s`. */
export const duration = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return pair(`${Math.floor(minutes / 60)}h`, minutes % 60, "m");
  if (minutes >= 10) return `${minutes}m`;
  return minutes === 0 ? `${seconds}s` : pair(`${minutes}m`, seconds % 60, "s");
};

const pair = (whole: string, rest: number, unit: string): string => (rest === 0 ? whole : `${whole} ${rest}${unit}`);

const minute = 60_000;

export const tellInLog = (log: Log, clock: Clock): Teller => {
  const told = new Map<string, { question: Question; callOff: () => void }>();
  const say = (question: Question) => {
    log(waitingLine(question, clock.now()));
    told.get(question.id)?.callOff();
    told.set(question.id, { question, callOff: clock.after(minute, () => repeat(question.id)) });
  };
  const repeat = (id: string) => {
    const known = told.get(id);
    if (known) say(known.question);
  };
  return {
    waiting(question) {
      const known = told.get(question.id);
      if (known?.question.link === question.link) known.question = question;
      else say(question);
    },
    over(id, how) {
      const known = told.get(id);
      if (!known) return;
      known.callOff();
      told.delete(id);
      log(endLine(known.question, how, clock.now()));
    },
  };
};
