/** What `dogwatch run` shows of waits for people: on a terminal one line that counts down below the log, elsewhere the log alone. */

import type { WriteStream } from "node:tty";
import { type Log, printable } from "./log.ts";
import type { Clock } from "./relay/session.ts";
import { type Question, type Teller, tellInLog, waitingLine, endLine } from "./relay/tell.ts";

type Screen = Pick<WriteStream, "write" | "columns" | "isTTY">;

export type Progress = {
  /** Writes whole lines; the line that counts down steps aside. */
  write(text: string): void;
  teller(log: Log): Teller;
  stop(): void;
};

const eraseLine = "\r\u001b[2K";
const tick = 1_000;

export const showProgress = (screen: Screen, clock: Clock): Progress =>
  screen.isTTY
    ? countDown(screen, clock)
    : { write: (text) => void screen.write(text), teller: (log) => tellInLog(log, clock), stop() {} };

const countDown = (screen: Screen, clock: Clock): Progress => {
  const open = new Map<string, Question>();
  let shown = false;
  let callOff = () => {};
  const clear = () => {
    if (shown) screen.write(eraseLine);
    shown = false;
  };
  /** The cursor stays at the line's beginning, so that what the command writes does not hang on to it. */
  const draw = () => {
    callOff();
    clear();
    // The hourglass is two columns wide.
    const line = lineOf([...open.values()], { now: clock.now(), width: (screen.columns || 80) - 2 });
    if (line === "") return;
    screen.write(`${line}\r`);
    shown = true;
    callOff = clock.after(tick, draw);
  };
  return {
    write(text) {
      clear();
      screen.write(text);
      draw();
    },
    teller: (log) => ({
      waiting(question) {
        const known = open.get(question.id);
        open.set(question.id, question);
        if (known?.link !== question.link) log(waitingLine(question, clock.now()));
        draw();
      },
      over(id, how) {
        const known = open.get(id);
        open.delete(id);
        if (known) log(endLine(known, how, clock.now()));
        draw();
      },
    }),
    stop() {
      callOff();
      clear();
    },
  };
};

/** The link only where it fits whole: the log above has it anyhow. */
const lineOf = (questions: readonly Question[], { now, width }: { now: number; width: number }): string => {
  const [next, ...rest] = questions.toSorted((a, b) => a.until - b.until);
  if (!next) return "";
  const others = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  const line = printable(`⏳ ${clockFace(next.until - now)} left for an answer to ${next.name}${others}`);
  const linked = printable(`${line}: ${next.link}`);
  return (linked.length <= width ? linked : line).slice(0, width);
};

/** `29:05`: every second shows that it is alive. */
const clockFace = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};
