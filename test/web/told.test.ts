/** What a stream of events adds to what is known of a session: nothing twice, nothing lost, nothing undone. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutlinedCallJson } from "../../server/contract.ts";
import { type Calls, toldOf, withNews } from "../../server/web/app/told.ts";

const call = (n: number, state: OutlinedCallJson["state"] = "closed"): OutlinedCallJson =>
  ({ n, state, operation: `call ${n}` }) as OutlinedCallJson;
const calls = (...numbers: readonly number[]): Calls => numbers.map((n) => call(n));

describe("what is told again", () => {
  test("is what has ended since, and what is new", () => {
    expect(toldOf([])).toBe("0");
    expect(toldOf(calls(1, 2, 3))).toBe("3");
    expect(toldOf([call(1), call(2, "open"), call(3), call(4, "open"), call(5)])).toBe("5-2.4");
  });

  test("begins before the open calls that are too many to name, so that new ones have room", () => {
    const open = Array.from({ length: 120 }, (_, index) => call(index + 1, "open"));
    const told = toldOf(open);
    expect(told).toBe(`50-${Array.from({ length: 50 }, (_, index) => index + 1).join(".")}`);
    expect(told).toMatch(/^(\d{1,10})(?:-(\d{1,10}(?:\.\d{1,10}){0,99}))?$/);
  });
});

test("a call that has ended does not begin again", () => {
  expect(withNews([call(1)], [call(1, "open")])).toEqual([call(1)]);
  expect(withNews([call(1, "open")], [call(1), call(1, "open")])).toEqual([call(1)]);
});

test("whatever is told again, late or out of order, each call is there once, in order, and as it ended", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean()), { maxLength: 200 }), (told) => {
      const news = told.map(([n, isOpen]) => call(n, isOpen ? "open" : "closed"));
      const all = news.reduce<Calls>((known, one) => withNews(known, [one]), []);
      const numbers = [...new Set(told.map(([n]) => n))].toSorted((a, b) => a - b);
      expect(all.map(({ n }) => n)).toEqual(numbers);
      for (const { n, state } of all)
        expect(state).toBe(told.some(([other, isOpen]) => other === n && !isOpen) ? "closed" : "open");
      expect(withNews([], news)).toEqual(all);
    }),
  );
});
