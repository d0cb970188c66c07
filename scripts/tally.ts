/** A vitest reporter that leaves behind what scripts/test.mjs sums up: counts, and every skip with its reason. */

import { writeFileSync } from "node:fs";
import type { Reporter, TestCase } from "vitest/node";

export type Tally = { passed: number; failed: number; skipped: { test: string; reason: string }[]; broken: string[] };

export function tally(file: string): Reporter {
  return {
    onTestRunEnd(modules, unhandled) {
      const sum: Tally = { passed: 0, failed: 0, skipped: [], broken: unhandled.map((error) => error.message) };
      for (const module of modules) {
        // A file that cannot be loaded has no tests to count: it is one failure of its own.
        for (const error of module.errors()) sum.broken.push(`${module.relativeModuleId}: ${error.message}`);
        for (const test of module.children.allTests()) count(sum, test);
      }
      writeFileSync(file, JSON.stringify(sum));
    },
  };
}

function count(sum: Tally, test: TestCase): void {
  const result = test.result();
  switch (result.state) {
    case "passed":
      sum.passed += 1;
      return;
    case "skipped":
      sum.skipped.push({
        test: `${test.module.relativeModuleId}: ${test.fullName}`,
        reason: result.note ?? "no reason given",
      });
      return;
    // A test that is still pending when the run is over never ended.
    case "pending":
    case "failed":
      sum.failed += 1;
      return;
    default:
      return result satisfies never;
  }
}
