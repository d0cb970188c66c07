/** Bodies that are held at the same time share one budget. */

import { expect, test } from "vitest";
import { createBudget } from "../../../server/stages/decide/budget.ts";

test("what is over the budget is refused as busy, until something is given back", () => {
  const budget = createBudget(10);
  const first = budget.reserve(8);
  expect(budget.reserve(3)).toMatchObject({ code: "gateway_busy" });
  expect(budget.reserve(2)).toBeTypeOf("function");
  if (typeof first === "function") first();
  expect(budget.reserve(8)).toBeTypeOf("function");
});

test("giving back twice gives back once", () => {
  const budget = createBudget(10);
  const release = budget.reserve(10);
  if (typeof release !== "function") throw new Error("refused");
  release();
  release();
  expect(budget.reserve(10)).toBeTypeOf("function");
  expect(budget.reserve(1)).toMatchObject({ code: "gateway_busy" });
});
