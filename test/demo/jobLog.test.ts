/** The sample job's log reads as it would at GitHub. */

import { expect, test } from "vitest";
import { JobLog } from "../../server/demo/jobLog.ts";

const shown = (...lines: string[]): (string | null)[] => {
  const log = new JobLog();
  return lines.map((line) => log.show(line));
};

test("shows text as it is, and of commands what they say", () => {
  expect(shown("hello", "::error file=a.ts,line=1::broken%0Atwice", "::notice::mind", "::debug::hidden")).toEqual([
    "hello",
    "error: broken\ntwice",
    "notice: mind",
    null,
  ]);
});

test("indents what is in a group", () => {
  expect(shown("::group::Relay log", "one", "::endgroup::", "two")).toEqual(["▾ Relay log", "  one", null, "two"]);
});

test("never shows a masked value again, and not the command that masks it", () => {
  expect(shown("::add-mask::hunter2", "the key is hunter2", "::error::hunter2 leaked", "::group::hunter2")).toEqual([
    null,
    "the key is ***",
    "error: *** leaked",
    "▾ ***",
  ]);
});

test("takes commands for text while commands are stopped", () => {
  expect(
    shown("::stop-commands::f00", "::add-mask::a", "::endgroup::", "::other::", "::f00::", "banana", "::notice::x"),
  ).toEqual([null, "::add-mask::a", "::endgroup::", "::other::", null, "banana", "notice: x"]);
});

test("text with two colons is text", () => {
  expect(shown("std::vector", "::", "a ::error::b")).toEqual(["std::vector", "::", "a ::error::b"]);
});
