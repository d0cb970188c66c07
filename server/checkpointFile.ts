/** Keeps the last checkpoint that this gateway signed or saw beside the database: a database that was rolled back is recognised by it. */

import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CheckpointMemory } from "./journeys/seal/grow.ts";
import type { Log } from "./model/log.ts";

/** Under `dataDir`. */
export const checkpointFileIn = (dataDir: string): string => join(dataDir, "log", "last-checkpoint");

/** Where the file cannot be written, it is remembered until the gateway ends, and said so; it is written as soon as it can be. */
export const openCheckpointFile = (file: string, log: Log): CheckpointMemory => {
  let kept: string | null = null;
  let written: string | null = null;
  let isTold = false;
  return {
    recall: async () => {
      kept ??= await readIfThere(file);
      return kept;
    },
    remember: async (note) => {
      kept = note;
      if (note === written) return;
      try {
        await writeDurably(file, note);
        written = note;
        isTold = false;
      } catch (error) {
        if (!isTold)
          log.warn(
            { err: error, file },
            "the last checkpoint of the log of seals cannot be kept here: a database that is rolled back while this gateway is down would not be noticed",
          );
        isTold = true;
      }
    },
  };
};

/** A file that is there and cannot be read is no reason to trust the database. */
const readIfThere = async (file: string): Promise<string | null> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
};

const writeDurably = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomUUID()}`;
  try {
    const handle = await open(fresh, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
};
