/** The order in which vitest takes the files of tests: another one with every seed, but those that take longest are begun first, so that none of them runs alone at the end. */

import { hash } from "node:crypto";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Each takes the better part of a minute, or more. */
const long = [
  "test/browser/pages.test.ts",
  "test/browser/desk.test.ts",
  "test/demo/start.test.ts",
  "test/http/search.test.ts",
  "test/journeys/approval/kill.test.ts",
  "test/journeys/replay/recordings.test.ts",
  "test/action/run.test.ts",
  "test/journeys/twoReplicas.test.ts",
];

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { seed } = this.ctx.config.sequence;
    const rank = ({ moduleId }: TestSpecification): string => {
      const first = long.some((name) => moduleId.endsWith(`/${name}`)) ? "0" : "1";
      return first + hash("sha256", `${seed} ${moduleId.slice(this.ctx.config.root.length)}`);
    };
    return files.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
}
