/** A folder for a test with a database in it: in memory where there is room, for a database waits for the disk, which is everybody's and may stand still for seconds. */

import { mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Those of all tests that run at once, and whatever else is there. */
const room = 4 * 2 ** 30;

/** `name`: how it begins. */
export const scratchFolder = (name: string): string => {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize > room) return mkdtempSync(join("/dev/shm", name));
  } catch {
    // There is no such place, or not for us.
  }
  return mkdtempSync(join(tmpdir(), name));
};
