/** What the pages make of recorded text and of time. */

import { expect, test } from "vitest";
import { hexLines } from "../../server/web/app/bytes.ts";
import { diffOf } from "../../server/web/app/diff.ts";
import { cut, kindOfMask, piecesOf } from "../../server/web/app/pieces.ts";
import { callAt, longestGap, nextWhere, scheduleOf } from "../../server/web/app/playback.ts";
import { duration, number } from "../../server/web/app/words.ts";

test("what is not seen is shown as its number, and masks are told apart", () => {
  const token = `dwm_email_${"A".repeat(40)}@masked.invalid`;
  expect(piecesOf(`a\u202eb\n<i>${token} [masked]`)).toEqual([
    { kind: "text", text: "a" },
    { kind: "escape", text: "\\u{202e}" },
    { kind: "text", text: "b\n<i>" },
    { kind: "mask", text: token },
    { kind: "text", text: " " },
    { kind: "mask", text: "[masked]" },
  ]);
  expect([kindOfMask(token), kindOfMask("[masked]")]).toEqual(["email", null]);
});

test("no character is cut in two", () => {
  expect(cut("a😀b", 2)).toBe("a");
  expect(cut("a😀b", 3)).toBe("a😀");
});

test("a playback keeps the pace, cuts waits short, and knows where it is", () => {
  const schedule = scheduleOf([0, 100, 600_100, 600_150]);
  expect(schedule).toEqual([0, 100, 100 + longestGap, 150 + longestGap]);
  expect([-1, 0, 99, 100, 1e9].map((time) => callAt(schedule, time))).toEqual([-1, 0, 0, 1, 3]);
  expect(nextWhere([1, 0, 1, 0], 0, (item) => item === 1)).toBe(2);
  expect(nextWhere([0, 0], 0, (item) => item === 1)).toBe(-1);
});

test("what changed is shown with a little around it", () => {
  const before = JSON.stringify({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7.0, h: 8, i: 9 });
  const after = before.replace('"g":7', '"g":7.10');
  expect(diffOf(before, after)?.map(({ kind, text }) => `${kind} ${text.trim()}`)).toEqual([
    "gap … 4 lines that are the same",
    'same "d": 4',
    'same "e": 5',
    'same "f": 6',
    'del "g": 7',
    'add "g": 7.10',
    'same "h": 8',
    'same "i": 9',
    "same }",
  ]);
  expect(diffOf("{", "{}")).toBeNull();
});

test("times, numbers and bytes are read by people", () => {
  expect([0, 999, 1_500, 59_600, 719_999, 7_200_000].map(duration)).toEqual([
    "0 ms",
    "999 ms",
    "1.5 s",
    "1 m 0 s",
    "12 m 0 s",
    "2 h 0 m",
  ]);
  expect(number(1234567)).toBe("1\u2009234\u2009567");
  expect(hexLines(new Uint8Array([0x41, 0xff]), 16)).toBe(
    "00000000  41 ff                                            A·",
  );
});
