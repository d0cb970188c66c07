/** One scene a folder: a second start waits for one that is ending, and refuses beside one that is not. */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export type Claim = {
  /** Lets a second start say where the first one is. */
  tell(url: string): void;
  /** From now on a second start waits for the end of this one. */
  end(): void;
  release(): void;
};

/** Another process holds the folder; the message says which, and how to end it. */
export class FolderTaken extends Error {}

const holder = z.object({
  pid: z.int().positive(),
  /** Tells it from a later process with the same number. */
  since: z.string().nullable(),
  url: z.string().nullable(),
  ending: z.boolean().default(false),
});
type Holder = z.infer<typeof holder>;

/** For one that does not end, ms: it may be about to hear that it shall. */
const patience = 3_000;
/** For one that ends, ms: a gateway finishes its calls first, and its database what it has to write. */
const untilEnded = 60_000;

/** @param wait ms, for one that does not end @throws FolderTaken */
export async function claimFolder(folder: string, wait = patience): Promise<Claim> {
  const file = join(folder, "running.json");
  const mine: Holder = { pid: process.pid, since: startOf(process.pid), url: null, ending: false };
  for (let waited = 0; !claimed(file, mine); waited += 100) {
    const other = readHolder(file);
    if (other === null || !isAlive(other)) takeAway(file, other);
    else if (waited >= (other.ending ? untilEnded : wait)) throw new FolderTaken(explain(other));
    else await sleep(100);
  }
  let told = mine;
  const tell = (more: Partial<Holder>): void => {
    told = { ...told, ...more };
    // Nobody reads half of it, which would be nobody's claim.
    const draft = `${file}.${mine.pid}`;
    writeFileSync(draft, JSON.stringify(told));
    renameSync(draft, file);
  };
  return {
    tell: (url) => tell({ url }),
    end: () => {
      try {
        tell({ ending: true });
      } catch {
        // It ends all the same where there is no room to say so.
      }
    },
    release: () => rmSync(file, { force: true }),
  };
}

/** Linked when it is complete: nobody reads half of it, and only one of two gets it. */
function claimed(file: string, mine: Holder): boolean {
  const draft = `${file}.${mine.pid}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Of those who see that a claim is nobody's one takes it away; where somebody has one of his own by now, that one stays. */
function takeAway(file: string, seen: Holder | null): void {
  const taken = `${file}.${process.pid}.taken`;
  try {
    renameSync(file, taken);
    if (JSON.stringify(readHolder(taken)) !== JSON.stringify(seen)) linkSync(taken, file);
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EEXIST")))
      throw error;
  } finally {
    rmSync(taken, { force: true });
  }
}

function readHolder(file: string): Holder | null {
  try {
    return holder.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

function isAlive({ pid, since }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is somebody else's.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  const stat = statOf(pid);
  return stat?.state !== "Z" && since === (stat?.started ?? null);
}

/** When a process started, in the kernel's ticks; null on systems without /proc. */
const startOf = (pid: number): string | null => statOf(pid)?.started ?? null;

/** `state`: Z is a process that has ended and was not collected. Null when there is no such process, and on systems without /proc. */
function statOf(pid: number): { readonly state: string; readonly started: string } | null {
  try {
    // The second field is the program's name, which may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, started] = [fields[0], fields[19]];
    return state === undefined || started === undefined ? null : { state, started };
  } catch {
    return null;
  }
}

const explain = ({ pid, url }: Holder): string =>
  `Dogwatch already runs in this folder${url === null ? "" : `: ${url}`} (process ${pid}). Stop it with Ctrl-C in its terminal, or with: kill ${pid}`;
