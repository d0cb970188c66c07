/** What a connection remembers to have written is bounded, and forgotten when it may be gone. */

import { expect, test } from "vitest";
import { Written } from "../../server/store/written.ts";

test("the oldest are forgotten first, and all of them at once", () => {
  const written = new Written();
  for (let i = 0; i < 20_000; i++) written.add([`${i}`]);
  expect([written.has("0"), written.has("19999")]).toEqual([false, true]);
  written.forget();
  expect(written.has("19999")).toBe(false);
});
