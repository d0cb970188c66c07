/** Check runs and their buttons. */

import type { CheckRun, Repository } from "./state.ts";

export type Checks = {
  in(repository: Repository): readonly CheckRun[];
  /** @throws Error when it is not there */
  get(id: number): CheckRun;
};
