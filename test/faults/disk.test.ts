/** The database's disk is full: nothing is sent that cannot be recorded, and service returns by itself when there is room. */

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Postgres } from "../standins/postgres.ts";
import { nothingWrong, setTime, Stage } from "./stage.ts";

let stage: Stage | undefined;
let folder: string | undefined;

afterEach(async () => {
  await stage?.strike();
  if (folder !== undefined) spawnSync("umount", ["--lazy", folder]);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}, setTime);

test("a full disk: 503, no effect without its receipt; with room again a write passes without a restart of the gateway", {
  timeout: 300_000,
}, async ({ skip }) => {
  skip(process.getuid?.() !== 0, "only root can make a small file system");
  folder = mkdtempSync(join(tmpdir(), "dogwatch-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256m,mode=0755", "tmpfs", folder]);
  skip(mounted.status !== 0, "this machine lets nobody mount a tmpfs");
  // Below the mount: the server's folder is removed at its end, and a mount point cannot be.
  stage = await Stage.set({}, await Postgres.start({ folder: join(folder, "data") }));
  await stage.startGateway();
  const sessions = await stage.openSessions(3);
  const [first] = sessions as [(typeof sessions)[0]];
  const load = stage.startLoad(sessions, 4);
  await stage.moreReceived(24);
  await stage.ledger.snapshot();
  const filler = join(folder, "filler");
  fill(filler);
  // What PostgreSQL throws away meanwhile is not free for long.
  const filling = setInterval(() => fill(filler), 100);
  // Whatever was free in PostgreSQL's own files is used up first.
  await stage.untilRefused(first).finally(() => clearInterval(filling));
  rmSync(filler);
  // A server that could not write its log has stopped itself: whoever makes room starts it again.
  if (!stage.server.isRunning) await stage.server.begin();
  const recovered = await stage.untilServed(first);
  await load.stop();
  expect(await stage.check()).toEqual(nothingWrong);
  console.log(`a full disk: a write passed ${recovered.toFixed(0)} ms after there was room`);
});

/** To the last byte. */
function fill(file: string): void {
  const handle = openSync(file, "a");
  const block = Buffer.alloc(1024 * 1024);
  try {
    while (statfsSync(file).bavail > 0) writeSync(handle, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(handle);
  }
}
