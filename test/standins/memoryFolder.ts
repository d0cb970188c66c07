/** Where a test's own server keeps its files: in memory where there is room, since a disk that all tests share may stall longer than a receipt is waited for. */

import { mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const memory = "/dev/shm";
const enough = 2 * 1024 ** 3;

/** For its owner alone, as `mkdtemp` makes it. */
export const memoryFolder = (name: string): string => mkdtempSync(join(hasRoom() ? memory : tmpdir(), name));

const hasRoom = (): boolean => {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > enough;
  } catch {
    return false;
  }
};
