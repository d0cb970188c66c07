/** What a reader of the log, or somebody at a terminal, sees of a wait. */

import { expect, test } from "vitest";
import { logTo } from "../../../action/log.ts";
import { showProgress } from "../../../action/progress.ts";
import type { Clock } from "../../../action/relay/session.ts";
import { duration, tellInLog } from "../../../action/relay/tell.ts";

const second = 1_000;
const minute = 60 * second;

/** A clock that moves when told. */
const handClock = () => {
  let now = 0;
  const due = new Set<{ at: number; act: () => void }>();
  const clock: Clock = {
    now: () => now,
    after(wait, act) {
      const entry = { at: now + wait, act };
      due.add(entry);
      return () => void due.delete(entry);
    },
  };
  const pass = (milliseconds: number) => {
    const end = now + milliseconds;
    for (;;) {
      const [next] = [...due].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      due.delete(next);
      now = next.at;
      next.act();
    }
    now = end;
  };
  return { clock, pass, due };
};

const question = {
  id: "1",
  name: "DeleteMonitor",
  link: "https://dogwatch.example.com/approvals/1",
  since: 0,
  until: 12 * minute,
};
const asked = { ...question, link: "https://github.com/acme/app/pull/7#discussion_r1" };

test("the log tells it at the start, every minute, when it is asked somewhere better, and at the end", () => {
  const { clock, pass, due } = handClock();
  const lines: string[] = [];
  const tell = tellInLog((line) => lines.push(line), clock);
  tell.waiting(question);
  tell.waiting(question);
  pass(25 * second);
  tell.waiting(asked);
  pass(2 * minute);
  tell.over("1", "approved, it is sent now");
  tell.over("1", "again");
  pass(10 * minute);
  expect(lines).toEqual([
    `waiting for approval of DeleteMonitor: ${question.link}, 12m left`,
    `waiting for approval of DeleteMonitor: ${asked.link}, 11m left`,
    `waiting for approval of DeleteMonitor: ${asked.link}, 10m left`,
    `waiting for approval of DeleteMonitor: ${asked.link}, 9m 35s left`,
    "approval of DeleteMonitor: approved, it is sent now (after 2m 25s)",
  ]);
  expect(due.size).toBe(0);
});

test.each([
  [-5, "0s"],
  [40 * second, "40s"],
  [minute, "1m"],
  [65 * second, "1m 5s"],
  [12 * minute + 40 * second, "12m"],
  [2 * 60 * minute, "2h"],
  [2 * 60 * minute + 5 * minute, "2h 5m"],
])("%i ms is %s", (milliseconds, expected) => {
  expect(duration(milliseconds)).toBe(expected);
});

/** What a terminal shows in the end of what was written to it, line by line. */
const screenOf = (written: string): string[] =>
  written.split("\n").map((line) => {
    const last = line.split("\u001b[2K").at(-1) ?? "";
    return (
      last
        .split("\r")
        .filter((part) => part !== "")
        .at(-1) ?? ""
    );
  });

test("a terminal has one line that counts down below the log, and nothing of it in the end", () => {
  const { clock, pass, due } = handClock();
  let written = "";
  const screen = { isTTY: true, columns: 60, write: (text: string) => ((written += text), true) };
  const progress = showProgress(screen, clock);
  const log = logTo({ write: progress.write }, () => new Date(0));
  const tell = progress.teller(log);
  tell.waiting(asked);
  pass(3 * second);
  expect(screenOf(written)).toEqual([
    `1970-01-01T00:00:00.000Z waiting for approval of DeleteMonitor: ${asked.link}, 12m left`,
    "⏳ 11:57 left for an answer to DeleteMonitor",
  ]);
  tell.waiting({ ...asked, id: "2", name: "DeleteSLO", until: 40 * second });
  pass(second);
  log("the session was renewed");
  expect(screenOf(written).at(-1)).toBe("⏳ 0:36 left for an answer to DeleteSLO (and 1 more)");
  tell.over("2", "not sent: denied");
  tell.over("1", "approved, it is sent now");
  expect(screenOf(written).slice(2)).toEqual([
    "1970-01-01T00:00:00.000Z the session was renewed",
    "1970-01-01T00:00:00.000Z approval of DeleteSLO: not sent: denied (after 4s)",
    "1970-01-01T00:00:00.000Z approval of DeleteMonitor: approved, it is sent now (after 4s)",
    "",
  ]);
  progress.stop();
  expect(due.size).toBe(0);
});

test.each([
  [200, `⏳ 12:00 left for an answer to DeleteMonitor: ${asked.link}`],
  [20, "⏳ 12:00 left for a"],
])("the line never wraps: %i columns", (columns, expected) => {
  let written = "";
  const screen = { isTTY: true, columns, write: (text: string) => ((written += text), true) };
  showProgress(screen, handClock().clock)
    .teller(() => {})
    .waiting(asked);
  expect(screenOf(written)).toEqual([expected]);
});

test("what is no terminal gets the log alone", () => {
  const { clock, pass } = handClock();
  let written = "";
  const progress = showProgress(
    { isTTY: false, columns: 0, write: (text: string) => ((written += text), true) },
    clock,
  );
  progress.teller(logTo({ write: progress.write }, () => new Date(0))).waiting(asked);
  pass(59 * second);
  expect(written).toBe(`1970-01-01T00:00:00.000Z waiting for approval of DeleteMonitor: ${asked.link}, 12m left\n`);
});
