/** What is remembered of texts in which nothing was found is bounded. */

import { expect, test } from "vitest";
import { Plain } from "../../../server/stages/mask/plain.ts";

test("the oldest texts are forgotten, and long ones are never remembered", () => {
  const plain = new Plain();
  for (let i = 0; i < 10_000; i++) plain.add(`agent/${i}`);
  expect([plain.has("agent/0"), plain.has("agent/9999")]).toEqual([false, true]);
  plain.add("x".repeat(257));
  expect(plain.has("x".repeat(257))).toBe(false);
});
