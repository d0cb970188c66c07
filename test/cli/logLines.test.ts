/** The log where it cannot be written: lines are lost and counted, and nobody waits for them for good. */

import { expect, test } from "vitest";
import { LogLines } from "../../server/cli/logLines.ts";

const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** What is written, while a disk has room for so many bytes, and a pipe that is busy so many times. */
const disk = () => {
  const state = { room: Number.POSITIVE_INFINITY, busy: 0, text: "", asked: 0 };
  const put = (_fd: number, bytes: Buffer, at: number): number => {
    state.asked += 1;
    if (state.busy > 0) {
      state.busy -= 1;
      throw failure("EAGAIN");
    }
    const some = bytes.subarray(at, at + Math.min(state.room, 7));
    if (some.length === 0) throw failure("ENOSPC");
    state.room -= some.length;
    state.text += some.toString();
    return some.length;
  };
  return { state, log: new LogLines(1, put) };
};

test("what finds no room is lost, and how much it was is said when there is room again", () => {
  const { state, log } = disk();
  log.write("first line\n");
  state.room = 0;
  for (let n = 0; n < 3; n++) log.write("nobody reads this\n");
  expect(state.text).toBe("first line\n");
  state.room = Number.POSITIVE_INFINITY;
  log.write("there is room\n");
  log.write("and more\n");
  expect(state.text).toMatch(
    /^first line\n\{"level":40,"time":\d+,"name":"dogwatch","msg":"3 lines of the log before this one could not be written"\}\nthere is room\nand more\n$/,
  );
});

test("a line that was written in part runs into no other one", () => {
  const { state, log } = disk();
  state.room = 5;
  log.write("half of this\n");
  state.room = Number.POSITIVE_INFINITY;
  log.write("whole\n");
  expect(state.text.split("\n")).toEqual(["half ", expect.stringContaining("1 line of the log"), "whole", ""]);
});

test("a slow reader of a pipe is waited for, one that reads nothing is not waited for at every line", () => {
  const { state, log } = disk();
  state.busy = 3;
  log.write("slowly\n");
  expect(state.text).toBe("slowly\n");
  state.busy = Number.POSITIVE_INFINITY;
  log.write("never\n");
  const waited = state.asked;
  for (let n = 0; n < 50; n++) log.write("never\n");
  expect(state.asked).toBe(waited + 50);
});
